package badger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
)

// Backup writes all that the engine holds to w, as it is at one moment; steps go
// on meanwhile. What is sealed stays so. It returns w's error as it is.
func (e *Engine) Backup(ctx context.Context, w io.Writer) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.users.Done()
	stream := e.db.NewStream()
	stream.NumGo = 2 // the host goes on
	stream.LogPrefix = "backup"
	if _, err := stream.Backup(stopped{ctx, w}, 0); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	return nil
}

// stopped is a writer that ends with a context: Badger's stream has none.
type stopped struct {
	ctx context.Context //nolint:containedctx // of one call
	to  io.Writer
}

func (s stopped) Write(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.to.Write(b)
}

// Restore makes a folder of what Backup wrote. The folder must not be there, and
// appears whole or not at all: from must end with io.EOF only where all was
// right. Its partitions begin new epochs, so that no cursor of before goes on.
func Restore(dir string, from io.Reader, log hclog.Logger) error {
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		return host.Errorf(host.CodeConflict, "there is a store in %s already: restore into an empty data_dir", filepath.Dir(dir))
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return host.Errorf(host.CodeStorage, "make the data folder %s: %w; choose a data_dir that this user may write to", filepath.Dir(dir), cause(err))
	}
	made, err := os.MkdirTemp(filepath.Dir(dir), ".restore-*")
	if err != nil {
		return host.Errorf(host.CodeStorage, "write to the data folder %s: %w", filepath.Dir(dir), cause(err))
	}
	if err := restore(made, from, log); err != nil {
		return errors.Join(err, os.RemoveAll(made))
	}
	if err := os.Rename(made, dir); err != nil {
		return errors.Join(host.Errorf(host.CodeStorage, "put the restored store in its place: %w", cause(err)), os.RemoveAll(made))
	}
	return syncDir(filepath.Dir(dir))
}

func restore(dir string, from io.Reader, log hclog.Logger) error {
	o := settings(dir, log)
	o.SyncWrites = false // it is synced at its end, or thrown away
	db, err := badger.Open(o)
	if err != nil {
		return openError(dir, err)
	}
	err = db.Load(from, 256)
	if err == nil {
		err = beginEpochs(db)
	}
	return errors.Join(err, db.Sync(), db.Close())
}

// beginEpochs checks that a store was loaded that this program knows, and gives
// its partitions new epochs.
func beginEpochs(db *badger.DB) error {
	e := &Engine{db: db}
	metas := map[host.Partition]meta{}
	err := db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(formatKey)
		if err != nil {
			return host.Errorf(host.CodeInvalid, "the backup holds no store of dinrail")
		}
		return errors.Join(item.Value(checkFormat), e.loadMetas(txn, metas))
	})
	if err != nil {
		return err
	}
	return db.Update(func(txn *badger.Txn) error {
		for p, m := range metas {
			fresh, err := newMeta()
			if err != nil {
				return err
			}
			m.Epoch = fresh.Epoch
			b, err := encodeJSON(m)
			if err == nil {
				err = txn.Set(newKey(p, tableMeta), b)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
