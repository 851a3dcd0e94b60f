package host

import "time"

// Wish is something that the API, the CLI or the dashboard wants done by a
// stage. It is written into state; the stage does it and writes the outcome;
// whoever waits reads it there.
type Wish struct {
	ID         WishID       `json:"id"`
	Kind       WishKind     `json:"kind"`
	Connection ConnectionID `json:"connection_id"`
	MadeAt     time.Time    `json:"made_at"`
	DoneAt     time.Time    `json:"done_at,omitzero"`
	Error      *Problem     `json:"error,omitempty"`

	Retry *DeliveryFilter `json:"retry,omitempty"` // of WishRetry: which deliveries
	Count int64           `json:"count,omitempty"` // how many they were when the wish was made
	Done  int64           `json:"done,omitempty"`  // how many are pending again
}

// WishKind is what a wish asks for.
type WishKind string

// The kinds of wishes. A wish for a run is a queued Run instead.
const (
	WishCheck WishKind = "check" // check the connection now, also when it is auth_required
	WishRetry WishKind = "retry" // try deliveries again that have ended
)
