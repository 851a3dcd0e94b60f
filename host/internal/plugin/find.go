package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/dinrail/dinrail/host"
)

// binaryPrefix stands before the connector's name in its program's file name.
const binaryPrefix = "dinrail-plugin-"

// path returns where a connector's program should be.
func (h *Host) path(name host.ConnectorName) string {
	source := h.optionsOf(name).Source
	switch {
	case source == "":
		source = binaryPrefix + string(name)
	case strings.ContainsRune(source, filepath.Separator):
		return source
	}
	return filepath.Join(h.dir, source)
}

// Connectors returns the names of all connectors that there are: programs in
// the plugin folder, and those that the configuration names.
func (h *Host) Connectors() []host.ConnectorName {
	set := map[host.ConnectorName]bool{}
	entries, err := os.ReadDir(h.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		h.log.Error("read the plugin folder", "folder", h.dir, "error", err)
	}
	for _, e := range entries {
		if name, ok := strings.CutPrefix(e.Name(), binaryPrefix); ok && name != "" && !e.IsDir() {
			set[host.ConnectorName(name)] = true
		}
	}
	h.mu.Lock()
	for name := range h.options {
		set[name] = true
	}
	h.mu.Unlock()
	names := make([]host.ConnectorName, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool { return names[i] < names[j] })
	return names
}

// open opens a connector's program and proves that it is the one allowed. The
// file that it returns is the one that is run.
func (h *Host) open(name host.ConnectorName) (*os.File, error) {
	path := h.path(name)
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, host.Errorf(host.CodeInvalid, "the connector %q has no program: there is no file %s; put its plugin there or set plugin_dir", name, path)
		}
		return nil, host.Errorf(host.CodeInvalid, "open the program of connector %q: %w", name, err)
	}
	info, err := f.Stat()
	if err == nil && (info.IsDir() || info.Mode()&0o111 == 0) {
		err = host.Errorf(host.CodeInvalid, "%s is not an executable file; a plugin must be a program that may be run (chmod +x)", path)
	}
	if err == nil {
		err = h.verify(name, f, path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (h *Host) verify(name host.ConnectorName, f *os.File, path string) error {
	want := h.optionsOf(name).SHA256
	if want == "" {
		return nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return host.Errorf(host.CodeInvalid, "read the program of connector %q: %w", name, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); !strings.EqualFold(got, want) {
		return host.Errorf(host.CodeInvalid, "the program %s has the checksum %s, but the configuration allows only %s; put the right file there, or change sha256 if you trust this one", path, got, want)
	}
	return nil
}
