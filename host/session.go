package host

import "time"

// ConnectSession is short-lived permission for one person to create or renew
// one connection on the connect page. The link that opens it holds a secret, of
// which only a hash is kept. Success alone uses it up.
//
//	open ──► completed
//	  │  └─► canceled   (by the person, or by an administrator)
//	  └────► expired
type ConnectSession struct {
	ID   SessionID `json:"id"`
	Hash []byte    `json:"hash"` // SHA-256 of the secret in the link

	Systems    []SystemName   `json:"systems,omitempty"`       // that may be connected; empty: any
	Connection ConnectionID   `json:"connection_id,omitempty"` // to renew; empty: one is created
	New        *NewConnection `json:"new,omitempty"`           // what the created one has
	EndUser    *EndUser       `json:"end_user,omitempty"`

	RedirectURL    string       `json:"redirect_url,omitempty"`    // where the page leads at the end
	State          string       `json:"state,omitempty"`           // the integrator's own, handed back with RedirectURL
	AllowedOrigins []string     `json:"allowed_origins,omitempty"` // that may frame the page and are told of its outcome
	Deliver        DeliverToken `json:"deliver_token"`
	CreatedBy      string       `json:"created_by"` // name of the admin token, or SessionByHost
	CreatedAt      time.Time    `json:"created_at"`
	ExpiresAt      time.Time    `json:"expires_at"`

	CompletedAt time.Time    `json:"completed_at,omitzero"`
	CanceledAt  time.Time    `json:"canceled_at,omitzero"`
	Made        ConnectionID `json:"made,omitempty"`        // the connection that came of it
	ExchangedAt time.Time    `json:"exchanged_at,omitzero"` // its token was handed out
}

// NewConnection is what a session presets of the connection to be created.
type NewConnection struct {
	ID       ConnectionID      `json:"id,omitempty"`
	Label    string            `json:"label,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Settings map[string]any    `json:"settings,omitempty"`
	Locked   []string          `json:"locked,omitempty"` // settings that the person may not change
}

// EndUser is the person at the customer, as the integrator knows them.
type EndUser struct {
	ID    string `json:"id"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

// DeliverToken says who gets the token of a connection made in a session.
type DeliverToken string

// The ways of a session's token.
const (
	DeliverPage     DeliverToken = "page"     // shown to the person, once
	DeliverExchange DeliverToken = "exchange" // fetched by the integrator's back end, once
)

// SessionStatus is what a session can be.
type SessionStatus string

// The statuses of a session.
const (
	SessionOpen      SessionStatus = "open"
	SessionCompleted SessionStatus = "completed"
	SessionCanceled  SessionStatus = "canceled"
	SessionExpired   SessionStatus = "expired"
)

// SessionByHost is who made a session that an event leads to. Whoever may make
// sessions for its connection may see it and exchange its token.
const SessionByHost = "host"

// Lifetimes of a session.
const (
	DefaultSessionLife = time.Hour
	MinSessionLife     = time.Second
	MaxSessionLife     = 7 * 24 * time.Hour
	SessionKeptFor     = 30 * 24 * time.Hour // after it has ended
)

// Status returns what the session is at now.
func (s *ConnectSession) Status(now time.Time) SessionStatus {
	switch {
	case !s.CompletedAt.IsZero():
		return SessionCompleted
	case !s.CanceledAt.IsZero():
		return SessionCanceled
	case !now.Before(s.ExpiresAt):
		return SessionExpired
	}
	return SessionOpen
}
