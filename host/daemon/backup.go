package daemon

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host/internal/backup"
	"github.com/dinrail/dinrail/host/internal/config"
	"github.com/dinrail/dinrail/host/internal/state/badger"
)

// backup writes a backup of the running host, as it is at one moment.
func (d *Daemon) backup(ctx context.Context, to io.Writer) error {
	w, err := backup.NewWriter(to, d.options.Version, time.Now())
	if err != nil {
		return err
	}
	if err := d.copyStore(ctx, w); err != nil {
		return err
	}
	return w.Close()
}

// VerifyBackup reads a whole backup and says by which version and when it was
// written. The error says why it is none, or not whole.
func VerifyBackup(from io.Reader) (version string, at time.Time, err error) {
	h, err := backup.Verify(from)
	return h.Version, h.At, err
}

// Restore makes the store of a configuration's data folder, which has none, of a
// backup. Nothing is left of one that is damaged. It returns the data folder,
// and where the master key is expected ("": it is given in another way).
func Restore(paths []string, from io.Reader) (dataDir, keyFile string, err error) {
	cfg, diags := config.Load(paths)
	if cfg == nil || config.Fatal(diags) {
		return "", "", fmt.Errorf("%w:%s", ErrConfig, words(diags))
	}
	r, err := backup.NewReader(from)
	if err != nil {
		return "", "", err
	}
	dataDir = cfg.Host.DataDir
	if err := badger.Restore(filepath.Join(dataDir, "store"), r, hclog.NewNullLogger()); err != nil {
		return "", "", err
	}
	keyFile = cfg.Host.KeyFile
	if keyFile == "" && cfg.Host.Key.Empty() && len(cfg.Host.KeyCommand) == 0 {
		keyFile = filepath.Join(dataDir, "keys")
	}
	return dataDir, keyFile, nil
}
