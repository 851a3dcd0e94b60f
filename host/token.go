package host

import "time"

// Access is what a connection token opens.
type Access string

// The accesses of a connection token.
const (
	AccessRead  Access = "read"
	AccessWrite Access = "write"
)

// Role is what an admin token opens.
type Role string

// The roles of an admin token.
const (
	RoleViewer    Role = "viewer"    // read, no raw, no bodies
	RoleOperator  Role = "operator"  // viewer and check, pause, sync, retry, reconnect
	RoleConnector Role = "connector" // connect sessions only
	RoleAdmin     Role = "admin"     // everything
)

// Token is a bearer secret of our API: all but the secret, of which only a hash
// is kept.
type Token struct {
	ID         TokenID      `json:"id"`
	Name       string       `json:"name"`
	Hash       []byte       `json:"hash"`                    // SHA-256 of the whole token
	Connection ConnectionID `json:"connection_id,omitempty"` // empty: an admin token
	Access     Access       `json:"access,omitempty"`
	Role       Role         `json:"role,omitempty"`
	Scope      []string     `json:"connections,omitempty"` // patterns an admin token is limited to; empty: all
	CreatedAt  time.Time    `json:"created_at"`
	ExpiresAt  time.Time    `json:"expires_at,omitzero"`
}

// Expired says whether the token opens nothing any more at now.
func (t *Token) Expired(now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}
