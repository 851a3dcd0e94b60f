package host

import (
	"encoding/json"
	"strings"
	"time"
)

// ConnectionStatus is what a connection can be; each change is an event with a
// reason that a person understands.
//
//	pending ──► online ◄──► offline
//	   │          │  ▲
//	   │          ▼  │ new credentials, or a check that a person asked for
//	   └──► auth_required
//
// paused, invalid and detached are set from outside (a person or the
// configuration) and end when their cause ends.
type ConnectionStatus string

// The statuses of a connection.
const (
	StatusPending      ConnectionStatus = "pending"       // never checked yet, or waiting for someone to connect
	StatusOnline       ConnectionStatus = "online"        // the last check succeeded
	StatusOffline      ConnectionStatus = "offline"       // three checks in a row failed
	StatusAuthRequired ConnectionStatus = "auth_required" // the system refused the login twice; nothing tries it again
	StatusPaused       ConnectionStatus = "paused"        // a person paused it
	StatusInvalid      ConnectionStatus = "invalid"       // its block has a mistake; Reason says where and what
	StatusDetached     ConnectionStatus = "detached"      // its block is gone; kept for DetachedFor
)

// DetachedFor is how long data and tokens of a connection without a block stay.
const DetachedFor = 30 * 24 * time.Hour

// ManagedBy says who may change a connection.
type ManagedBy string

// Who manages a connection.
const (
	ManagedByFile ManagedBy = "file" // its HCL block; the API may renew its credentials only
	ManagedByAPI  ManagedBy = "api"  // API, CLI or connect page
)

// Connection is one login to one instance of a system, as state keeps it.
// What its HCL block says is written here by the daemon when configuration is
// loaded, so that stages and API need state alone.
type Connection struct {
	ID        ConnectionID      `json:"id"`
	System    SystemName        `json:"system"`
	Label     string            `json:"label"`
	ManagedBy ManagedBy         `json:"managed_by"`
	Settings  map[string]any    `json:"settings,omitempty"` // JSON values, no secrets; secret settings stand in Credentials
	Auth      string            `json:"auth,omitempty"`
	Metadata  map[string]string `json:"metadata,omitempty"`
	Network   *Network          `json:"network,omitempty"`
	// NoPrivate: its block says that the system may not stand in a private
	// network. PublicOnly tells what holds.
	NoPrivate bool     `json:"no_private,omitempty"`
	Exclude   []string `json:"exclude,omitempty"` // "entity.field": never stored
	// Webhooks are the event types that it asks for at an endpoint, in the place
	// of those that the endpoint asks for itself.
	Webhooks map[EndpointID][]string `json:"webhooks,omitempty"`

	// Credentials is a sealed JSON object of strings; nil while nobody has given
	// any. FileCredentials is the sealed form of what the file said when
	// Credentials were last taken from there: it tells a change of the file from
	// credentials that a person renewed.
	Credentials     []byte `json:"credentials,omitempty"`
	FileCredentials []byte `json:"file_credentials,omitempty"`
	// CredentialsRevision grows with each new set of credentials.
	CredentialsRevision uint64 `json:"credentials_revision"`

	CheckEvery  time.Duration        `json:"check_every"`
	Syncs       map[EntityName]Order `json:"syncs,omitempty"` // explicit orders; empty: every readable entity by default
	Paused      bool                 `json:"paused"`
	Invalid     string               `json:"invalid,omitempty"`    // reason with file:line; empty when valid
	DetachedAt  time.Time            `json:"detached_at,omitzero"` // zero while its block stands
	Source      string               `json:"source,omitempty"`     // file:line of its block
	CreatedAt   time.Time            `json:"created_at"`
	Status      ConnectionStatus     `json:"status"`
	Since       time.Time            `json:"since"`
	Reason      string               `json:"reason,omitempty"`
	ReasonCode  Code                 `json:"reason_code,omitempty"`
	Failures    int                  `json:"failures,omitempty"` // checks failed in a row
	CheckedAt   time.Time            `json:"checked_at,omitzero"`
	StaleSince  time.Time            `json:"stale_since,omitzero"` // last success before it went offline
	Entities    []Entity             `json:"entities,omitempty"`   // what the login sees, as last told
	Incarnation string               `json:"incarnation"`          // differs when the id was removed and made again
}

// Order is the standing order to keep one entity current.
type Order struct {
	Every   time.Duration `json:"every"`             // between incremental runs
	Full    time.Duration `json:"full"`              // between full runs; 0: never by itself
	History time.Duration `json:"history,omitempty"` // how far back the first run reads; 0: all
}

// Defaults of a sync and of a connection.
const (
	DefaultEvery      = 15 * time.Minute
	DefaultFull       = 24 * time.Hour
	DefaultCheckEvery = 5 * time.Minute
	RetryCheckAfter   = 10 * time.Second // the next check after a failed one
	OfflineAfter      = 3                // failed checks in a row
)

// Network says how the systems of a connection are reached.
type Network struct {
	Name        string   `json:"name"`
	CA          string   `json:"ca,omitempty"` // PEM text
	Proxy       string   `json:"proxy,omitempty"`
	NoProxy     []string `json:"no_proxy,omitempty"`
	Fingerprint string   `json:"fingerprint,omitempty"` // "sha256:hex" of a pinned certificate
}

// Entity is one kind of thing that a login sees in a system.
type Entity struct {
	Name        EntityName `json:"name"`
	Label       string     `json:"label,omitempty"`
	Unified     bool       `json:"unified"`
	Key         []string   `json:"key,omitempty"`
	Fields      []Field    `json:"fields,omitempty"`
	Incremental bool       `json:"incremental"`
	// TellsDeletions: incremental runs carry deletions, so that full runs need
	// not find them.
	TellsDeletions bool     `json:"tells_deletions,omitempty"`
	Creatable      bool     `json:"creatable"`
	Updatable      bool     `json:"updatable"`
	Deletable      bool     `json:"deletable"`
	Actions        []string `json:"actions,omitempty"`
	Watchable      bool     `json:"watchable"`
	// Denied says why the login may not read it; empty when it may. A denied
	// entity is left out of the default set.
	Denied string `json:"denied,omitempty"`
}

// Field is a field of an entity that the connector fills.
type Field struct {
	Name     string `json:"name"`
	Type     string `json:"type"` // string, number, boolean, timestamp, date, object, array, reference
	Readable bool   `json:"readable"`
	Writable bool   `json:"writable"`
}

// OrderFor returns the standing order for an entity and whether there is one:
// the explicit order, else the default one where no order is explicit and the
// login may read the entity.
func (c *Connection) OrderFor(e Entity) (Order, bool) {
	if len(c.Syncs) > 0 {
		o, ok := c.Syncs[e.Name]
		return o, ok
	}
	if e.Denied != "" {
		return Order{}, false
	}
	return Order{Every: DefaultEvery, Full: DefaultFull}, true
}

// Runnable says whether syncs and scheduled checks may run now.
func (c *Connection) Runnable() bool {
	return !c.Paused && c.Invalid == "" && c.DetachedAt.IsZero() && c.Credentials != nil &&
		(c.Status == StatusPending || c.Status == StatusOnline || c.Status == StatusOffline)
}

// PublicOnly says whether the system may not stand in a private network, but
// for those that host.private_targets names: so for every connection that the
// API or the connect page made.
func (c *Connection) PublicOnly() bool { return c.NoPrivate || c.ManagedBy == ManagedByAPI }

// CredentialsFrom decodes an opened credentials blob.
func CredentialsFrom(opened []byte) (map[string]string, error) {
	m := map[string]string{}
	if len(opened) == 0 {
		return m, nil
	}
	err := json.Unmarshal(opened, &m)
	return m, err
}

// SettingPrefix stands before the names of settings that are kept among the
// credentials, sealed, because they are secret.
const SettingPrefix = "setting."

// OpenedSettings puts the secret settings among opened credentials back to
// their place: it returns what the connector is given as settings and as
// credentials. Its arguments stay as they are.
func OpenedSettings(settings map[string]any, credentials map[string]string) (map[string]any, map[string]string) {
	all, login := make(map[string]any, len(settings)), make(map[string]string, len(credentials))
	for name, v := range settings {
		all[name] = v
	}
	for name, v := range credentials {
		if setting, ok := strings.CutPrefix(name, SettingPrefix); ok {
			all[setting] = v
		} else {
			login[name] = v
		}
	}
	return all, login
}

// Fresh makes a connection that has other settings or credentials than before
// pending, where nothing else holds it.
func (c *Connection) Fresh(reason string, now time.Time) {
	c.Failures = 0
	if c.Invalid == "" && c.DetachedAt.IsZero() && !c.Paused {
		c.Status, c.Reason, c.ReasonCode, c.Since = StatusPending, reason, "", now
	}
}
