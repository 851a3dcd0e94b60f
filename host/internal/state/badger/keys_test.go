package badger

import (
	"bytes"
	"cmp"
	"testing"
	"time"
)

// FuzzNames: whatever names are, keys of two of them sort as the pairs of names
// do, differ where the names do, and give the names back.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"", "a", "a\x00", "a\x00\x01", "\x00", "\xff", "\x00\xff", "ä"} {
		f.Add(s, s, "b", s)
		f.Add(s, "b", s, "")
	}
	f.Fuzz(func(t *testing.T, a1, a2, b1, b2 string) {
		base := newKey(7, tableOwned)
		a, b := last(name(base, a1), a2), last(name(base, b1), b2)
		want := cmp.Or(cmp.Compare(a1, b1), cmp.Compare(a2, b2))
		if got := bytes.Compare(a, b); got != want {
			t.Fatalf("(%q, %q) and (%q, %q) compare as %d, want %d", a1, a2, b1, b2, got, want)
		}
		first, rest, ok := takeName(a[len(base):])
		if !ok || first != a1 || string(rest) != a2 {
			t.Fatalf("(%q, %q) is read as (%q, %q), %t", a1, a2, first, rest, ok)
		}
		if p := name(base, b1); bytes.HasPrefix(a, p) != (a1 == b1) {
			t.Fatalf("the key of (%q, %q) and the prefix of %q", a1, a2, b1)
		}
		if after := a.after(); after != nil && (bytes.Compare(after, a) <= 0 || bytes.HasPrefix(after, a)) {
			t.Fatalf("%x is not after %x", after, a)
		}
	})
}

// FuzzTimes: keys sort as times do.
func FuzzTimes(f *testing.F) {
	f.Add(int64(0), int64(-1))
	f.Add(int64(1<<62), int64(-1<<62))
	f.Fuzz(func(t *testing.T, a, b int64) {
		ka, kb := key(nil).time(time.UnixMicro(a)), key(nil).time(time.UnixMicro(b))
		if bytes.Compare(ka, kb) != cmp.Compare(time.UnixMicro(a).UnixMicro(), time.UnixMicro(b).UnixMicro()) {
			t.Fatalf("%d and %d sort wrongly", a, b)
		}
		if got := timeOfKey(ka); !got.Equal(time.UnixMicro(a)) {
			t.Fatalf("%d is read as %v", a, got)
		}
	})
}

// A key that another is made of stays as it is: transactions keep keys.
func TestKeysDoNotShareMemory(t *testing.T) {
	base := name(newKey(0, tableOwned), "plant")
	a := last(base, "aaaa")
	b := last(base, "bbbb")
	c := base.uint32(1)
	if string(a[len(base):]) != "aaaa" || string(b[len(base):]) != "bbbb" || len(c) != len(base)+4 {
		t.Fatalf("%q %q %q", a, b, c)
	}
}
