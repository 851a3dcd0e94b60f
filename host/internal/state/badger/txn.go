package badger

import (
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// view reads one partition in one transaction.
type view struct {
	txn *badger.Txn
	p   host.Partition
}

// get hands the value at k to read and says whether there is one. The value is
// lent.
func (v view) get(k key, read func([]byte) error) (bool, error) {
	item, err := v.txn.Get(k)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the store: %w", err)
	}
	if read == nil {
		return true, nil
	}
	return true, item.Value(read)
}

func (v view) has(k key) (bool, error) { return v.get(k, nil) }

func (v view) json(k key, into any) (bool, error) {
	return v.get(k, func(b []byte) error { return decodeJSON(b, into) })
}

func (v view) sequence(k key) (n host.Sequence, err error) {
	_, err = v.get(k, func(b []byte) (err error) {
		n, err = decodeSequence(b)
		return err
	})
	return n, err
}

func (v view) document(kind state.Kind, id string) (d document, ok bool, err error) {
	ok, err = v.get(docKey(v.p, kind, id), func(b []byte) (err error) {
		d, err = decodeDocument(b)
		d.body = append([]byte{}, d.body...)
		return err
	})
	return d, ok, err
}

// life returns what a connection's name stands for; known is false for a name
// that was never used.
func (v view) life(c host.ConnectionID) (l life, known bool, err error) {
	known, err = v.get(lifeKey(v.p, c), func(b []byte) (err error) {
		l, err = decodeLife(b)
		return err
	})
	return l, known, err
}

// stream returns an entity of a connection, or nil where nothing is known of
// it.
func (v view) stream(c host.ConnectionID, e host.EntityName) (life, *stream, error) {
	l, _, err := v.life(c)
	if err != nil || l.Number == 0 {
		return l, nil, err
	}
	var s stream
	ok, err := v.json(last(ofLife(v.p, tableStream, l.Number), e), &s)
	if err != nil || !ok {
		return l, nil, err
	}
	s.Connection = c // it may have been renamed
	return l, &s, nil
}

func (v view) run(l life, id host.RunID) (*state.RunState, error) {
	var r state.RunState
	ok, err := v.json(last(ofLife(v.p, tableRun, l.Number), id), &r)
	if err != nil || !ok {
		return nil, err
	}
	return &r, nil
}

func (v view) delivery(id host.DeliveryID) (*host.Delivery, error) {
	var d host.Delivery
	ok, err := v.get(last(newKey(v.p, tableDeliv), id), func(b []byte) error { return decodeNoun(b, &d, state.DecodeDelivery) })
	if err != nil || !ok {
		return nil, err
	}
	return &d, nil
}

// scan walks the keys that begin with prefix, from the key given (nil: the
// first), until visit returns false. What visit is handed is lent.
func (v view) scan(prefix, from key, visit func(k []byte, item *badger.Item) (bool, error)) error {
	it := v.txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
	defer it.Close()
	if from == nil {
		from = prefix
	}
	for it.Seek(from); it.ValidForPrefix(prefix); it.Next() {
		item := it.Item()
		if more, err := visit(item.Key(), item); err != nil || !more {
			return err
		}
	}
	return nil
}

// scanBack walks the keys that begin with prefix backwards, from the last one
// before the key given (nil: the very last).
func (v view) scanBack(prefix, before key, visit func(k []byte, item *badger.Item) (bool, error)) error {
	it := v.txn.NewIterator(badger.IteratorOptions{Prefix: prefix, Reverse: true})
	defer it.Close()
	if before == nil {
		before = prefix.after()
	}
	for it.Seek(before); it.Valid(); it.Next() {
		item := it.Item()
		if string(item.Key()) == string(before) {
			continue
		}
		if !it.ValidForPrefix(prefix) {
			return nil
		}
		if more, err := visit(item.Key(), item); err != nil || !more {
			return err
		}
	}
	return nil
}
