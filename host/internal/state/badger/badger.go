// Package badger is the engine of the state contract that keeps everything in
// one folder, on Badger.
//
// It promises that what it acknowledged is on the disk, whatever ends the
// process: transactions are synced, and one committer gathers the steps that
// wait into one of them, so that many writers share a sync. Steps are applied
// in the order of their sequences, which are visible in that order too.
//
// It refuses a folder that another process uses, one that a newer program has
// written, writes that would fill the disk, and, after a failed commit, every
// further write: what the disk then holds is known only by opening it again.
package badger

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// format is the version of the layout of keys and values. A program opens what
// was written in its own version or an older one.
const format = 1

// Params is what an engine needs.
type Params struct {
	Dir    string // made where it is not there
	Logger hclog.Logger
	// LowSpace is how many free bytes of the disk are left to others: below it
	// pages and runs are refused, below a quarter of it every write. 0: 256 MiB.
	LowSpace int64
}

// defaultLowSpace leaves room for the files that Badger makes ahead of what it
// writes to them: running into a full disk would end the process.
const defaultLowSpace = 256 << 20

// Engine keeps everything in one folder.
type Engine struct {
	db     *badger.DB
	log    hclog.Logger
	dir    string
	low    int64
	submit chan *request
	wakers wakers
	claims claims
	unseen unseenCache
	sweeps chan struct{} // something was left behind
	stop   context.CancelFunc
	done   sync.WaitGroup // the engine's own goroutines

	mu     sync.Mutex
	closed bool
	users  sync.WaitGroup // calls that are in the engine
	closer sync.Once
	err    error
}

var _ state.Engine = (*Engine)(nil)

// Open opens the folder. The caller closes the engine.
func Open(p Params) (*Engine, error) {
	if p.Logger == nil {
		p.Logger = hclog.NewNullLogger()
	}
	if p.LowSpace == 0 {
		p.LowSpace = defaultLowSpace
	}
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return nil, host.Errorf(host.CodeStorage, "make the data folder %s: %w; choose a data_dir that this user may write to", p.Dir, cause(err))
	}
	if err := writable(p.Dir); err != nil {
		return nil, host.Errorf(host.CodeStorage, "write to the data folder %s: %w; choose a data_dir that this user may write to", p.Dir, cause(err))
	}
	db, err := badger.Open(settings(p.Dir, p.Logger))
	if err != nil {
		return nil, openError(p.Dir, err)
	}
	e := &Engine{
		db: db, log: p.Logger, dir: p.Dir, low: p.LowSpace,
		submit: make(chan *request, 1024),
		sweeps: make(chan struct{}, 1),
	}
	metas, err := e.load()
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	e.wakers.init(metas)
	e.claims.init()
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.done.Add(2)
	go func() {
		defer e.done.Done()
		newCommitter(e, metas).run()
	}()
	go func() {
		defer e.done.Done()
		e.keepHouse(ctx)
	}()
	return e, nil
}

// settings are Badger's, for a host that shares its machine: a million records
// of 300 bytes under 300 MB, and little when idle. Larger values are written
// once, to the value log: sorted tables hold keys and pointers, so that
// compactions move little. What is sealed does not compress, so nothing is, and
// blocks are read where the system maps them instead of from a cache.
func settings(dir string, log hclog.Logger) badger.Options {
	o := badger.DefaultOptions(dir)
	o.SyncWrites = true
	o.DetectConflicts = false // the committer is the only writer
	o.Logger = quiet{log.Named("badger")}
	o.ValueThreshold = 256
	o.ValueLogFileSize = 64 << 20
	o.Compression = options.None
	o.BlockCacheSize = 0
	o.IndexCacheSize = 32 << 20
	o.MemTableSize = memTableSize(dir)
	o.NumMemtables = 2
	o.NumLevelZeroTables = 10
	o.NumLevelZeroTablesStall = 20
	o.BaseTableSize = 8 << 20
	o.BaseLevelSize = 32 << 20
	o.NumCompactors = 2
	o.MetricsEnabled = false
	return o
}

// usualMemTable is what a memory table holds: a killed host reads one again at
// its start, and the largest step fits in 15 % of it.
const usualMemTable = 12 << 20

// memTableSize returns the size of the memory tables: larger than they usually
// are where a host that was killed has left larger ones behind. Such a table's
// file is made with twice its size.
func memTableSize(dir string) int64 {
	size := int64(usualMemTable)
	left, _ := filepath.Glob(filepath.Join(dir, "*.mem")) // the pattern is well formed
	for _, file := range left {
		if s, err := os.Stat(file); err == nil {
			size = max(size, s.Size()/2)
		}
	}
	return size
}

// writable tries whether files can be made in the folder.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// cause takes the path off an error that will be named with it anyway.
func cause(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err
	}
	return err
}

// openError says what stands in the way of opening a folder. Badger tells a
// folder in use by words alone.
func openError(dir string, err error) error {
	if strings.Contains(err.Error(), "Cannot acquire directory lock") {
		return &host.Error{
			Code:    host.CodeStorage,
			Message: fmt.Sprintf("another host uses the data folder %s: stop it first, or give this one a data_dir of its own", dir),
			Path:    "host.data_dir", Err: err,
		}
	}
	return &host.Error{
		Code:    host.CodeStorage,
		Message: fmt.Sprintf("open the data folder %s: %v; if its files are damaged, restore a backup", dir, err),
		Path:    "host.data_dir", Err: err,
	}
}

// load checks the format and reads where the partitions stand.
func (e *Engine) load() (map[host.Partition]meta, error) {
	metas := map[host.Partition]meta{}
	empty := false
	err := e.db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(formatKey)
		if errors.Is(err, badger.ErrKeyNotFound) {
			empty = true
			return nil
		}
		if err != nil {
			return err
		}
		if err := item.Value(checkFormat); err != nil {
			return err
		}
		return e.loadMetas(txn, metas)
	})
	if err != nil || !empty {
		return metas, err
	}
	m, err := newMeta()
	if err != nil {
		return nil, err
	}
	metas[0] = m
	b, err := encodeJSON(m)
	if err != nil {
		return nil, err
	}
	return metas, e.db.Update(func(txn *badger.Txn) error {
		return errors.Join(txn.Set(formatKey, binary.BigEndian.AppendUint32(nil, format)), txn.Set(newKey(0, tableMeta), b))
	})
}

func checkFormat(b []byte) error {
	if len(b) != 4 {
		return errMalformed
	}
	if v := binary.BigEndian.Uint32(b); v > format {
		return host.Errorf(host.CodeStorage, "the data folder was written by a newer dinrail (format %d, this one knows %d): run that version, or restore a backup made by this one", v, format)
	}
	return nil
}

// loadMetas seeks from partition to partition: only few of them exist.
func (e *Engine) loadMetas(txn *badger.Txn, metas map[host.Partition]meta) error {
	it := txn.NewIterator(badger.IteratorOptions{})
	defer it.Close()
	for p := 0; p < 0xffff; p++ {
		it.Seek(newKey(host.Partition(p), 0))
		if !it.Valid() {
			return nil
		}
		p = int(binary.BigEndian.Uint16(it.Item().Key()))
		var m meta
		ok, err := view{txn, host.Partition(p)}.json(newKey(host.Partition(p), tableMeta), &m)
		if err != nil {
			return err
		}
		if ok {
			metas[host.Partition(p)] = m
		}
	}
	return nil
}

// newMeta begins a partition. Its epoch tells it from one that was restored or
// made elsewhere.
func newMeta() (meta, error) {
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		return meta{}, fmt.Errorf("choose an epoch: %w", err)
	}
	return meta{Epoch: binary.BigEndian.Uint32(b[:]) | 1, LastAt: noArrival}, nil
}

// noArrival is before every arrival.
const noArrival = -1 << 63

// enter counts a call in, so that Close waits for it.
func (e *Engine) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return state.ErrClosed
	}
	e.users.Add(1)
	return nil
}

// view runs read in a transaction of its own.
func (e *Engine) view(ctx context.Context, p host.Partition, read func(view) error) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.users.Done()
	txn := e.db.NewTransaction(false)
	defer txn.Discard()
	return read(view{txn, p})
}

// Close waits for the calls that are under way, ends the engine's goroutines
// and closes the files.
func (e *Engine) Close() error {
	e.closer.Do(func() {
		e.mu.Lock()
		e.closed = true
		e.mu.Unlock()
		e.stop()
		e.wakers.close()
		e.users.Wait()
		close(e.submit)
		e.done.Wait()
		if err := e.db.Close(); err != nil {
			e.err = fmt.Errorf("close the store in %s: %w", filepath.Base(e.dir), err)
		}
	})
	return e.err
}

// quiet hands Badger's own lines on: what it warns of as it is, everything else
// for those who look for it.
type quiet struct{ log hclog.Logger }

func (q quiet) Errorf(f string, a ...any) {
	q.log.Error("engine reports", "text", strings.TrimSpace(fmt.Sprintf(f, a...)))
}

func (q quiet) Warningf(f string, a ...any) {
	q.log.Debug("engine warns", "text", strings.TrimSpace(fmt.Sprintf(f, a...)))
}

func (q quiet) Infof(f string, a ...any) {
	if q.log.IsDebug() {
		q.log.Debug("engine tells", "text", strings.TrimSpace(fmt.Sprintf(f, a...)))
	}
}

// Debugf is too much for any log: Badger calls it for every write.
func (quiet) Debugf(string, ...any) {}

// houseEvery is how often the value log is looked through for what can go.
const houseEvery = 10 * time.Minute
