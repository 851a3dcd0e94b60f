package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// sendersAtOnce is how many deliveries the floor has on their way.
const sendersAtOnce = 64

// write is one caller's entries, all or none of which become durable.
type write struct {
	set    []byte // value; nil: the key is deleted
	key    []byte
	commit chan error
}

// deliver takes events over HTTP, answers once each is durable, and sends each
// to the address until it answers 2xx: the least that keeps the promise. No
// signature, no log of attempts, no schedule, no matching.
func deliver(dir, target string) error {
	db, err := badger.Open(badger.DefaultOptions(dir).WithSyncWrites(true).WithLogger(nil))
	if err != nil {
		return err
	}
	writes := make(chan write, 1024)
	go commit(db, writes)
	do := func(w write) error {
		w.commit = make(chan error, 1)
		writes <- w
		return <-w.commit
	}
	var next atomic.Uint64
	due := make(chan uint64, 1<<20)
	if err := db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			n := binary.BigEndian.Uint64(it.Item().Key())
			next.Store(n)
			due <- n
		}
		return nil
	}); err != nil {
		return err
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: sendersAtOnce}}
	for range sendersAtOnce {
		go func() {
			for n := range due {
				key := binary.BigEndian.AppendUint64(nil, n)
				if !send(db, client, target, key) || do(write{key: key}) != nil {
					time.AfterFunc(time.Second, func() { due <- n })
				}
			}
		}()
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // ends with its benchmark
		body, err := io.ReadAll(r.Body)
		n := next.Add(1)
		if err == nil {
			err = do(write{key: binary.BigEndian.AppendUint64(nil, n), set: body})
		}
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		due <- n
	}))
}

// commit gathers what waits into one transaction.
func commit(db *badger.DB, writes <-chan write) {
	for first := range writes {
		all := []write{first}
		for more := true; more && len(all) < 1000; {
			select {
			case w := <-writes:
				all = append(all, w)
			default:
				more = false
			}
		}
		err := db.Update(func(txn *badger.Txn) error {
			for _, w := range all {
				var err error
				if w.set != nil {
					err = txn.Set(w.key, w.set)
				} else {
					err = txn.Delete(w.key)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		for _, w := range all {
			w.commit <- err
		}
	}
}

// send makes one attempt.
func send(db *badger.DB, client *http.Client, target string, key []byte) bool {
	var body []byte
	if err := db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(key)
		if err == nil {
			body, err = item.ValueCopy(nil)
		}
		return err
	}); err != nil {
		return false
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode < 300
}
