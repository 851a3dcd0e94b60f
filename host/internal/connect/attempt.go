package connect

import (
	"context"
	"maps"
	"time"

	"github.com/dinrail/dinrail/host"
)

// Given is what a person filled in, as they typed it.
type Given struct {
	System      host.SystemName
	Label       string
	Auth        string // the way to log in; "": the first
	Settings    map[string]string
	Credentials map[string]string
}

// Stage is how far a login is.
type Stage string

// The stages of a login.
const (
	StageNone   Stage = ""
	StageAway   Stage = "away" // the person is at the vendor's, or about to go there
	StageTrying Stage = "trying"
	StageFailed Stage = "failed"
	StageDone   Stage = "done"
)

// Attempt is how far a session's login attempt is. One goes on at a time.
type Attempt struct {
	Stage  Stage
	Step   string       // what is being done, in words
	Given  Given        // without secret values
	Faults []host.Fault // mistakes, each at its field
	// Problem is a mistake that belongs to no field, for a person without IT
	// knowledge.
	Problem    string
	Connection host.ConnectionID // once done
	Label      string
	Entities   []host.Entity // what the login sees
	token      string        // the connection's, where the page is to show it
}

// try is an attempt and what goes on for it.
type try struct {
	at      Attempt
	started []time.Time // the last few
	done    time.Time   // when it came to success
	cancel  context.CancelFunc
	number  int // of the attempt: what an earlier one still tells is not heard
}

// TakeToken returns the token of what a session has made, where the page is to
// show it: once, and soon after success; "" otherwise.
func (c *Connect) TakeToken(ctx context.Context, link string) (string, error) {
	s, err := c.Session(ctx, link)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tries[s.ID]
	if t == nil {
		return "", nil
	}
	token := t.at.token
	if t.at.token = ""; time.Since(t.done) > tokenShownIn {
		return "", nil
	}
	return token, nil
}

// Attempt returns how far a session's login is.
func (c *Connect) Attempt(ctx context.Context, link string) (Attempt, error) {
	s, err := c.Session(ctx, link)
	if err != nil {
		return Attempt{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tries[s.ID]
	if t == nil {
		if s.Status(time.Now()) == host.SessionCompleted {
			return Attempt{Stage: StageDone, Connection: s.Made}, nil
		}
		return Attempt{}, nil
	}
	a := t.at
	a.token = ""
	return a, nil
}

var errTrying = &host.Error{Code: host.CodeConflict, Message: "this login is being tried already"}

// begin makes an attempt the session's one, and returns its number and the
// context in which it is carried out.
func (c *Connect) begin(id host.SessionID, g Given, step string) (context.Context, int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep()
	t := c.tries[id]
	if t == nil {
		t = &try{cancel: func() {}}
		c.tries[id] = t
	}
	now := time.Now()
	switch {
	case t.at.Stage == StageTrying:
		return nil, 0, errTrying
	case len(t.started) == triesInARow && now.Sub(t.started[0]) < triesPer:
		return nil, 0, host.Errorf(host.CodeRateLimited, "these were many attempts in a short time, and some systems lock a login after a few wrong passwords; wait a minute and look at the guide")
	}
	if t.started = append(t.started, now); len(t.started) > triesInARow {
		t.started = t.started[1:]
	}
	t.number++
	t.at = Attempt{Stage: StageTrying, Step: step, Given: g}
	ctx, cancel := context.WithTimeout(c.ctx, tryTimeout)
	t.cancel = cancel
	return ctx, t.number, nil
}

// tell changes an attempt, unless another has taken its place.
func (c *Connect) tell(id host.SessionID, number int, change func(*Attempt)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.tries[id]; t != nil && t.number == number {
		change(&t.at)
		if t.at.Stage == StageDone {
			t.done = time.Now()
		}
	}
}

// refuse says what is wrong with the form of what was given; nothing is tried.
func (c *Connect) refuse(id host.SessionID, g Given, faults []host.Fault) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tries[id]
	if t == nil {
		t = &try{cancel: func() {}}
		c.tries[id] = t
	}
	if t.at.Stage == StageTrying {
		return errTrying
	}
	t.at = Attempt{Stage: StageFailed, Given: g, Faults: faults}
	return nil
}

// sweep drops what nobody asks for any more.
func (c *Connect) sweep() {
	if len(c.tries) < 1000 {
		return
	}
	maps.DeleteFunc(c.tries, func(_ host.SessionID, t *try) bool {
		last := t.done
		if n := len(t.started); n > 0 && t.started[n-1].After(last) {
			last = t.started[n-1]
		}
		return t.at.Stage != StageTrying && time.Since(last) > tokenShownIn
	})
}
