package apply

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/config"
	"github.com/dinrail/dinrail/host/internal/state"
)

// comparison collects the difference, connection by connection.
type comparison struct {
	Params
	difference
}

// add makes a connection that state does not have. again: one of another
// system had its id, and is purged first.
func (c *comparison) add(block *config.Connection, again bool) error {
	doc := block.Connection
	doc.Incarnation = c.NewID("inc_")
	doc.CreatedAt, doc.Since = c.at, c.at
	doc.Status = standing(&doc)
	doc.Reason, doc.ReasonCode = words(&doc)
	if block.Credentials != nil {
		sealed, err := c.seal(doc.ID, reveal(block.Credentials))
		if err != nil {
			return err
		}
		doc.Credentials, doc.FileCredentials, doc.CredentialsRevision = sealed, sealed, 1
	}
	if again {
		c.plan.Changed = append(c.plan.Changed, string(doc.ID))
		c.plan.Restarted = append(c.plan.Restarted, string(doc.ID))
		c.purge = append(c.purge, doc.ID)
	} else {
		c.plan.Added = append(c.plan.Added, string(doc.ID))
	}
	created := c.event(host.EventConnectionCreated, doc.ID, createdData{doc.System, doc.Label, ""})
	return c.put(&doc, state.Absent, created)
}

// present compares a stored connection with its block.
func (c *comparison) present(old *state.Versioned[host.Connection], block *config.Connection) error {
	was := &old.Value
	if was.ManagedBy != host.ManagedByFile {
		c.plan.Refused = append(c.plan.Refused, fmt.Sprintf("%s: a connection %q made by the API is there already; rename the block, or remove that one with: dinrail connection remove %s", block.Source, was.ID, was.ID))
		return nil
	}
	if block.Invalid != "" {
		return c.invalid(old, block.Invalid, block.Source)
	}
	if was.System != block.System && was.System != "" {
		return c.add(block, true)
	}
	doc := *was
	doc.System, doc.Label, doc.ManagedBy, doc.Settings, doc.Auth = block.System, block.Label, block.ManagedBy, block.Settings, block.Auth
	doc.Metadata, doc.Network, doc.Exclude, doc.Webhooks = block.Metadata, block.Network, block.Exclude, block.Webhooks
	doc.NoPrivate = block.NoPrivate
	doc.CheckEvery, doc.Syncs, doc.Paused, doc.Source = block.CheckEvery, block.Syncs, block.Paused, block.Source
	doc.Invalid, doc.DetachedAt = "", zero
	renewed, err := c.credentials(&doc, block)
	if err != nil {
		return err
	}
	opensAnew := renewed || !same(was.Settings, doc.Settings) || !same(was.Network, doc.Network) || was.Auth != doc.Auth || was.NoPrivate != doc.NoPrivate
	back := was.Invalid != "" || !was.DetachedAt.IsZero() || was.Paused && !doc.Paused
	if opensAnew {
		// Whatever kept it from its system may be gone: it is tried again.
		doc.CredentialsRevision++
		doc.Failures = 0
		doc.StaleSince = zero
	}
	switch {
	case doc.Paused:
		doc.Status = host.StatusPaused
	case opensAnew || back:
		doc.Status = host.StatusPending
	}
	return c.change(old, &doc, opensAnew)
}

// renamed takes a stored connection for what it will be.
func (c *comparison) renamed(doc *host.Connection, to host.ConnectionID) error {
	for _, sealed := range []*[]byte{&doc.Credentials, &doc.FileCredentials} {
		if *sealed == nil {
			continue
		}
		opened, err := c.open(doc.ID, *sealed)
		if err != nil {
			return err
		}
		if *sealed, err = c.seal(to, opened); err != nil {
			return err
		}
	}
	doc.ID = to
	return nil
}

// absent is for a stored connection of the files that no block makes.
func (c *comparison) absent(old *state.Versioned[host.Connection], cfg *config.Config) error {
	if reason, source, unknown := cfg.Unknown(old.Value.ID); unknown {
		return c.invalid(old, reason, source)
	}
	doc := old.Value
	if doc.DetachedAt.IsZero() {
		doc.DetachedAt, doc.Status = c.at, host.StatusDetached
		doc.Invalid = ""
		doc.Reason, doc.ReasonCode = "its block is gone from the configuration", host.CodeConnectionDetached
		c.plan.Removed = append(c.plan.Removed, string(doc.ID))
		return c.write(old, &doc)
	}
	if c.at.Sub(doc.DetachedAt) >= host.DetachedFor {
		c.purge = append(c.purge, doc.ID)
		c.plan.Purged = append(c.plan.Purged, string(doc.ID))
	}
	return nil
}

// invalid keeps a connection as it is but for the reason why its block cannot
// be used.
func (c *comparison) invalid(old *state.Versioned[host.Connection], reason, source string) error {
	doc := old.Value
	doc.Invalid, doc.Source, doc.Status, doc.DetachedAt = reason, source, host.StatusInvalid, zero
	doc.Reason, doc.ReasonCode = reason, host.CodeConnectionInvalid
	return c.change(old, &doc, false)
}

// change writes a document that differs.
func (c *comparison) change(old *state.Versioned[host.Connection], doc *host.Connection, restarted bool) error {
	was := &old.Value
	if doc.Status != was.Status && doc.Status != host.StatusInvalid {
		doc.Reason, doc.ReasonCode = words(doc)
	}
	if same(was, doc) {
		return nil
	}
	if onlySourceDiffers(was, doc) {
		return c.write(old, doc) // the block moved in its file: nothing that a person would call a change
	}
	c.plan.Changed = append(c.plan.Changed, string(doc.ID))
	if restarted {
		c.plan.Restarted = append(c.plan.Restarted, string(doc.ID))
	}
	return c.write(old, doc)
}

func onlySourceDiffers(a, b *host.Connection) bool {
	moved := *a
	moved.Source = b.Source
	return same(&moved, b)
}

// write puts the document, with an event where the status changed.
func (c *comparison) write(old *state.Versioned[host.Connection], doc *host.Connection) error {
	if doc.Status == old.Value.Status {
		return c.put(doc, old.Revision)
	}
	doc.Since = c.at
	return c.put(doc, old.Revision, c.event(host.EventConnectionStatusChanged, doc.ID,
		statusData{old.Value.Status, doc.Status, doc.Reason, host.FormatTime(c.at)}))
}

func (c *comparison) put(doc *host.Connection, expect host.Sequence, events ...host.Event) error {
	put, err := state.PutOf(state.KindConnection, string(doc.ID), expect, doc)
	if err != nil {
		return err
	}
	c.steps = append(c.steps, step{put, events})
	return nil
}

// credentials takes the file's credentials over if the file itself changed, and
// says whether it did. What a person renewed stays otherwise.
func (c *comparison) credentials(doc *host.Connection, block *config.Connection) (bool, error) {
	before, err := c.open(doc.ID, doc.FileCredentials)
	if err != nil {
		return false, err
	}
	if (doc.FileCredentials == nil) == (block.Credentials == nil) && maps.Equal(before, reveal(block.Credentials)) {
		return false, nil
	}
	if block.Credentials == nil {
		// The block gives none any more: what is there stays, and is a person's.
		doc.FileCredentials = nil
		return false, nil
	}
	current, err := c.open(doc.ID, doc.Credentials)
	if err != nil {
		return false, err
	}
	file := reveal(block.Credentials)
	sealed, err := c.seal(doc.ID, file)
	if err != nil {
		return false, err
	}
	doc.Credentials, doc.FileCredentials = sealed, sealed
	if !settingsAlone(file) {
		return true, nil
	}
	// The file changed a secret setting and gives no login: a person's stays.
	for name, v := range current {
		if _, ofFile := before[name]; !ofFile && !strings.HasPrefix(name, host.SettingPrefix) {
			file[name] = v
		}
	}
	doc.Credentials, err = c.seal(doc.ID, file)
	return true, err
}

// settingsAlone says whether there are secret settings and no login.
func settingsAlone(credentials map[string]string) bool {
	for name := range credentials {
		if !strings.HasPrefix(name, host.SettingPrefix) {
			return false
		}
	}
	return len(credentials) > 0
}

func (c *comparison) open(id host.ConnectionID, sealed []byte) (map[string]string, error) {
	if sealed == nil {
		return nil, nil
	}
	plain, err := c.Sealer.Open("", sealed, Place(id))
	if err != nil {
		return nil, fmt.Errorf("open the credentials of connection %s: %w", id, err)
	}
	m, err := host.CredentialsFrom(plain)
	if err != nil {
		return nil, fmt.Errorf("read the credentials of connection %s: %w", id, err)
	}
	return m, nil
}

func (c *comparison) seal(id host.ConnectionID, credentials map[string]string) ([]byte, error) {
	plain, err := json.Marshal(credentials)
	if err != nil {
		return nil, fmt.Errorf("encode the credentials of connection %s: %w", id, err)
	}
	sealed, err := c.Sealer.Seal("", plain, Place(id))
	if err != nil {
		return nil, fmt.Errorf("seal the credentials of connection %s: %w", id, err)
	}
	return sealed, nil
}

func reveal(credentials map[string]host.Secret) map[string]string {
	out := make(map[string]string, len(credentials))
	for k, v := range credentials {
		out[k] = v.Reveal()
	}
	return out
}

// standing is the status of a connection that has not been tried.
func standing(doc *host.Connection) host.ConnectionStatus {
	switch {
	case doc.Invalid != "":
		return host.StatusInvalid
	case doc.Paused:
		return host.StatusPaused
	}
	return host.StatusPending
}

// words is the reason of a status that configuration gave.
func words(doc *host.Connection) (string, host.Code) {
	switch doc.Status {
	case host.StatusInvalid:
		return doc.Invalid, host.CodeConnectionInvalid
	case host.StatusPaused:
		return "paused in the configuration", ""
	case host.StatusPending:
		return "", ""
	}
	return doc.Reason, doc.ReasonCode
}

// same compares as what is stored compares: an empty map is none, and a number
// is a number.
func same(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	if errA != nil || errB != nil {
		return reflect.DeepEqual(a, b)
	}
	return string(x) == string(y) || empty(string(x)) && empty(string(y))
}

func empty(s string) bool { return s == "null" || s == "{}" || s == "[]" }
