// Package seal keeps what is stored unreadable without the host's key: it
// seals and opens bytes with AES-256-GCM.
//
// There is one master keyset, in a file that only the host's user may read or
// in a text from outside. With it are sealed credentials, signing secrets and
// the data keys: every connection has a data key of its own, made when
// something is first sealed for it and kept, sealed, beside its data. To
// destroy that is to destroy all that was sealed with it. Keysets are Tink's,
// so that keys can be added and older ones still open: to rotate is to add one,
// and to seal anew what the ones before sealed.
//
// Every sealed value begins with a byte that says how it was sealed, and names
// the key. Sealed bytes are bound to their place: opened elsewhere they are
// refused.
//
// It refuses to make a new master key where something was sealed with another
// one, and never drops a key that something may be sealed with.
package seal
