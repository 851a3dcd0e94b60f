package plugin

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/dinrail/dinrail/host"
)

// described keeps what connectors said of themselves, over restarts too, so
// that a host starts without starting each of its connectors. What is kept
// counts as long as the connector's program and this one are the same files.

// cachedDescription is a description and the files that gave it.
type cachedDescription struct {
	Program     fileID      `json:"program"`
	Host        fileID      `json:"host"`
	Description Description `json:"description"`
}

// fileID tells whether a file is the one that it was.
type fileID struct {
	Path    string    `json:"path"`
	Size    int64     `json:"size"`
	Changed time.Time `json:"changed"` // its content or its place
	Inode   uint64    `json:"inode"`
}

func identify(path string) (fileID, error) {
	info, err := os.Stat(path)
	if err != nil {
		return fileID{}, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileID{}, errors.New("the file system tells no inodes")
	}
	return fileID{path, info.Size(), time.Unix(st.Ctim.Unix()).UTC(), st.Ino}, nil
}

const describedFile = "described.json"

// loadDescribed reads what an earlier host kept; a file that cannot be read is
// as good as none.
func (h *Host) loadDescribed() {
	self, err := os.Executable()
	if err == nil {
		h.self, err = identify(self)
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(filepath.Join(h.runDir, describedFile))
	}
	kept := map[host.ConnectorName]cachedDescription{}
	if err == nil {
		err = json.Unmarshal(b, &kept)
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			h.log.Warn("connectors are asked anew what they are", "reason", err)
		}
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.described = kept
}

// recall returns what a connector said, if it is still the same program and may
// be run. It is not an error to know nothing.
func (h *Host) recall(name host.ConnectorName) (Description, bool, error) {
	h.mu.Lock()
	c, ok := h.described[name]
	h.mu.Unlock()
	if !ok {
		return Description{}, false, nil
	}
	id, err := identify(h.path(name))
	if err != nil || id != c.Program || h.self != c.Host {
		return Description{}, false, nil //nolint:nilerr // starting it will tell
	}
	f, err := h.open(name) // it may not be allowed any more
	if err != nil {
		return Description{}, false, err
	}
	return c.Description, true, f.Close()
}

// keep remembers what a connector said.
func (h *Host) keep(name host.ConnectorName, program fileID, d Description) {
	h.mu.Lock()
	h.described[name] = cachedDescription{program, h.self, d}
	b, err := json.Marshal(h.described)
	h.mu.Unlock()
	file := filepath.Join(h.runDir, describedFile)
	if err == nil {
		err = os.WriteFile(file+".new", b, 0o600)
	}
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		h.log.Warn("what a connector said of itself was not kept; it is asked again at the next start", "connector", name, "error", err)
	}
}
