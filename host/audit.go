package host

import "time"

// AuditEntry is one thing that somebody did to the host: who, from where, what
// to, and what became of it. It holds no secret.
type AuditEntry struct {
	ID  string    `json:"id"`
	At  time.Time `json:"at"`
	Who string    `json:"who"` // the name of a token; "local": the control socket; "host": itself; or a person
	// Via is how they came: token, socket, dashboard, connect_page, host.
	Via        string       `json:"via"`
	Role       Role         `json:"role,omitempty"`
	Address    string       `json:"address,omitempty"`    // of the network
	Action     string       `json:"action"`               // as in token.mint
	Connection ConnectionID `json:"connection,omitempty"` // that it was done to
	Target     string       `json:"target,omitempty"`     // what else it was done to: an id or a name
	RequestID  string       `json:"request_id,omitempty"`
	// Outcome is "" where it was begun and nothing is known of its end, "done", or
	// the code of the error that refused it.
	Outcome string `json:"outcome"`
}

// AuditDone is the outcome of what was done.
const AuditDone = "done"

// Bounds of the audit log: the older entries go.
const (
	AuditKeptFor = 365 * 24 * time.Hour
	AuditKept    = 20_000
)
