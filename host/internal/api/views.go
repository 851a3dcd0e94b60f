package api

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/sdk/model"
)

// Views are what is answered: the nouns with times in milliseconds, durations
// in words, and nothing sealed.

// stamp is a time as it is answered: RFC 3339 in UTC with milliseconds, null
// for none.
type stamp time.Time

// MarshalJSON implements json.Marshaler.
func (s stamp) MarshalJSON() ([]byte, error) { return timeOrNull(nil, time.Time(s)), nil }

// IsZero lets omitzero leave it out.
func (s stamp) IsZero() bool { return time.Time(s).IsZero() }

// recordView documents a record; it is written by writeRecord, field by field.
type recordView struct {
	ID        host.RecordID   `json:"id"`
	Entity    host.EntityName `json:"entity"`
	Sequence  host.Sequence   `json:"sequence"`
	Version   string          `json:"version"`
	CreatedAt *stamp          `json:"created_at"`
	UpdatedAt *stamp          `json:"updated_at"`
	SyncedAt  *stamp          `json:"synced_at"`
	Deleted   bool            `json:"deleted"`
	DeletedAt *stamp          `json:"deleted_at"`
	Custom    map[string]any  `json:"custom,omitempty"`
	Raw       any             `json:"raw,omitempty"`
}

// changeView documents an entry of the feed.
type changeView struct {
	Sequence  host.Sequence   `json:"sequence"`
	Operation host.Operation  `json:"operation"`
	Entity    host.EntityName `json:"entity"`
	Record    recordView      `json:"record"`
}

// connectionView is a connection as a data token sees it.
type connectionView struct {
	ID        host.ConnectionID     `json:"id"`
	Label     string                `json:"label"`
	System    host.SystemName       `json:"system"`
	Status    host.ConnectionStatus `json:"status"`
	Since     stamp                 `json:"since"`
	Reason    string                `json:"reason"`
	ManagedBy host.ManagedBy        `json:"managed_by"`
	Metadata  map[string]string     `json:"metadata"`
	Entities  []host.EntityName     `json:"entities"`
}

func viewOf(c *host.Connection) connectionView {
	status, reason := statusOf(c)
	v := connectionView{
		ID: c.ID, Label: c.Label, System: c.System, Status: status, Since: stamp(c.Since),
		Reason: reason, ManagedBy: c.ManagedBy, Metadata: c.Metadata, Entities: []host.EntityName{},
	}
	if v.Metadata == nil {
		v.Metadata = map[string]string{}
	}
	for _, e := range c.Entities {
		v.Entities = append(v.Entities, e.Name)
	}
	return v
}

// statusOf is the status with what a person has just asked for: pausing and
// resuming hold at once, and are written down with their event a moment later.
func statusOf(c *host.Connection) (host.ConnectionStatus, string) {
	switch {
	case c.Invalid != "" || !c.DetachedAt.IsZero():
	case c.Paused && c.Status != host.StatusPaused:
		return host.StatusPaused, "paused by a person"
	case !c.Paused && c.Status == host.StatusPaused:
		return host.StatusPending, "to be checked"
	}
	return c.Status, c.Reason
}

// orderView is a standing order in words.
type orderView struct {
	Every   string `json:"every,omitempty"`
	Full    string `json:"full,omitempty"`
	History string `json:"history,omitempty"`
}

// hookView is what a connection asks for at an endpoint, in the place of what the
// endpoint asks for itself.
type hookView struct {
	Events []string `json:"events"`
}

// adminView is a connection as administration sees it.
type adminView struct {
	connectionView
	Settings   map[string]any                `json:"settings"`
	Auth       string                        `json:"auth"`
	Sync       map[host.EntityName]orderView `json:"sync,omitempty"`
	Webhooks   map[host.EndpointID]hookView  `json:"webhooks,omitempty"`
	CheckEvery string                        `json:"check_every"`
	Paused     bool                          `json:"paused"`
	Source     string                        `json:"source,omitempty"`
	CreatedAt  stamp                         `json:"created_at"`
	Token      string                        `json:"token,omitempty"` // shown once
}

func adminViewOf(c *host.Connection) adminView {
	v := adminView{
		connectionView: viewOf(c), Settings: c.Settings, Auth: c.Auth, CheckEvery: c.CheckEvery.String(),
		Paused: c.Paused, Source: c.Source, CreatedAt: stamp(c.CreatedAt),
	}
	if v.Settings == nil {
		v.Settings = map[string]any{}
	}
	for e, o := range c.Syncs {
		if v.Sync == nil {
			v.Sync = map[host.EntityName]orderView{}
		}
		ov := orderView{Every: o.Every.String(), Full: o.Full.String()}
		if o.History > 0 {
			ov.History = o.History.String()
		}
		v.Sync[e] = ov
	}
	for e, types := range c.Webhooks {
		if v.Webhooks == nil {
			v.Webhooks = map[host.EndpointID]hookView{}
		}
		v.Webhooks[e] = hookView{append([]string{}, types...)}
	}
	if c.Invalid != "" {
		v.Reason = c.Invalid
	}
	return v
}

// entityView is an entity with what is kept of it.
type entityView struct {
	host.Entity
	Actions []string `json:"actions"`
	Records int64    `json:"records"`
	Schema  *string  `json:"schema"` // where it is described; null for a native entity
}

// systemView is a system with how much of the common model it fills.
type systemView struct {
	host.System
	Vendor   string                       `json:"vendor"`
	Guide    string                       `json:"guide"`
	Proof    string                       `json:"proof"`
	Settings []host.Setting               `json:"settings"`
	Auth     []host.AuthMethod            `json:"auth"`
	Entities []host.Entity                `json:"entities"`
	Coverage map[host.EntityName]coverage `json:"coverage"`
}

// coverage tells which fields of a unified entity a connector fills.
type coverage struct {
	Filled  []string `json:"filled"`
	Missing []string `json:"missing"`
}

func systemViewOf(s host.System) systemView {
	v := systemView{
		System: s, Vendor: s.Vendor, Guide: s.Guide, Proof: s.Proof, Settings: append([]host.Setting{}, s.Settings...),
		Auth: append([]host.AuthMethod{}, s.Auth...), Entities: append([]host.Entity{}, s.Entities...), Coverage: map[host.EntityName]coverage{},
	}
	for i := range s.Entities {
		e := &s.Entities[i]
		unified, ok := model.Lookup(string(e.Name))
		if !ok || len(e.Fields) == 0 {
			continue // what it fills is told after the login alone
		}
		c := coverage{Filled: []string{}, Missing: []string{}}
		for _, f := range unified.Fields {
			if slices.ContainsFunc(e.Fields, func(x host.Field) bool { return x.Name == f.Name }) {
				c.Filled = append(c.Filled, f.Name)
			} else {
				c.Missing = append(c.Missing, f.Name)
			}
		}
		v.Coverage[e.Name] = c
	}
	return v
}

// syncView is how an entity's sync stands.
type syncView struct {
	Entity        host.EntityName `json:"entity"`
	Status        host.SyncStatus `json:"status"`
	LastSuccessAt stamp           `json:"last_success_at"`
	LastRun       host.RunID      `json:"last_run"`
	Run           host.RunID      `json:"run,omitempty"`
	Progress      *progressView   `json:"progress"` // of the run that runs; null where none does
	Records       int64           `json:"records"`
	NextRunAt     stamp           `json:"next_run_at"`
	Error         *host.Problem   `json:"error"`
}

// progressView is how far a run is.
type progressView struct {
	Read  int64  `json:"read"`  // records so far
	Total *int64 `json:"total"` // null where the system does not tell
}

func totalOf(r *host.Run) *int64 {
	if r.Total < 0 {
		return nil
	}
	return &r.Total
}

// runView is a run.
type runView struct {
	host.Run
	Total     *int64 `json:"total"` // null where the system does not tell
	QueuedAt  stamp  `json:"queued_at"`
	StartedAt stamp  `json:"started_at,omitzero"`
	EndedAt   stamp  `json:"ended_at,omitzero"`
}

func runViewOf(r host.Run) runView {
	return runView{r, totalOf(&r), stamp(r.QueuedAt), stamp(r.StartedAt), stamp(r.EndedAt)}
}

// processView is a connector's process.
type processView struct {
	host.Process
	Since stamp `json:"since"`
}

// eventView is an event.
type eventView struct {
	ID         host.EventID      `json:"id"`
	Type       host.EventType    `json:"type"`
	Time       stamp             `json:"timestamp"`
	Connection host.ConnectionID `json:"connection_id,omitempty"`
	Data       json.RawMessage   `json:"data"`
}

// tokenView is a token as it is listed.
type tokenView struct {
	ID          host.TokenID `json:"id"`
	Name        string       `json:"name"`
	Access      host.Access  `json:"access,omitempty"`
	Role        host.Role    `json:"role,omitempty"`
	Connections []string     `json:"connections,omitempty"`
	CreatedAt   stamp        `json:"created_at"`
	ExpiresAt   stamp        `json:"expires_at,omitzero"`
}

// tokenAnswer shows a token, once.
type tokenAnswer struct {
	Token string `json:"token"`
}

// checkView is the outcome of a check that a person asked for.
type checkView struct {
	ID     host.ConnectionID     `json:"id"`
	OK     bool                  `json:"ok"`
	Error  *host.Problem         `json:"error"`
	Status host.ConnectionStatus `json:"status"`
	Reason string                `json:"reason"`
}

// need is something that waits for a person.
type need struct {
	Code       string            `json:"code"` // auth_required, credentials, offline, pending, invalid, crashed, endpoint_disabled, disk
	Connection host.ConnectionID `json:"connection_id,omitempty"`
	Label      string            `json:"label,omitempty"` // of the connection
	Connector  string            `json:"connector,omitempty"`
	Endpoint   host.EndpointID   `json:"endpoint,omitempty"`
	Since      stamp             `json:"since"`
	What       string            `json:"what"`
	Do         string            `json:"do"`
}

// statusView is how the host is.
type statusView struct {
	Version     string                        `json:"version"`
	Connections map[host.ConnectionStatus]int `json:"connections"`
	Syncs       syncTally                     `json:"syncs"`
	Deliveries  map[host.DeliveryStatus]int64 `json:"deliveries"` // null for a token that is limited to some connections
	Disk        *diskView                     `json:"disk"`       // null where it is not known
	Needs       []need                        `json:"needs"`
}

// diskView is the room on the disk of the data folder, in bytes.
type diskView struct {
	Free int64 `json:"free"`
	Low  int64 `json:"low"` // below this it is too little
}
