package host

import "time"

// SignIn is a person at the dashboard: signed in, or about to be by a link that
// is good for one time. The secret in the cookie or link is kept as a hash
// alone.
type SignIn struct {
	ID   SignInID `json:"id"`
	Hash []byte   `json:"hash"`           // SHA-256 of the secret
	Link bool     `json:"link,omitempty"` // good once, to be signed in

	// Whose it is. Token names a stored admin token, TokenHash one of the
	// configuration; where there is neither it came over the control socket. It
	// ends with the token, whose role holds.
	Name      string  `json:"name"`
	Token     TokenID `json:"token,omitempty"`
	TokenHash []byte  `json:"token_hash,omitempty"`

	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Lives of a sign-in.
const (
	SignInLife     = 12 * time.Hour
	SignInLinkLife = 5 * time.Minute
)
