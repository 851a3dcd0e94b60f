package connect

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"maps"
	"time"

	"github.com/dinrail/dinrail/host"
)

// Vendor is how a person logs in at their system's vendor, by OAuth 2.0.
type Vendor struct {
	// Asks says whether a login of the system is made there.
	Asks func(s *host.System, method string) bool
	// Depart returns where the person is sent for a connection that is not stored,
	// and how the code that they come back with is turned into its credentials.
	Depart func(c *host.Connection, state string) (to string, arrive Arrive, err error)
}

// Arrive turns the code that a person came back with into credentials.
type Arrive func(ctx context.Context, code string) (map[string]string, error)

// journeyLife bounds how long a person may take at the vendor's.
const journeyLife = 15 * time.Minute

// journey is a person's way to the vendor and back.
type journey struct {
	link    string
	session host.SessionID
	plan    plan
	to      string
	arrive  Arrive
	began   time.Time
	browser string // that it belongs to; "": none yet
	framed  bool   // it goes through a window of its own
}

// depart makes a session's attempt a journey. Nothing of it is kept but in
// memory.
func (c *Connect) depart(link string, id host.SessionID, p plan) error {
	state := rand.Text() + rand.Text()
	to, arrive, err := c.Vendor.Depart(&p.conn, state)
	if wrong, ok := errors.AsType[*host.Error](err); ok && wrong.Path != "" {
		return c.refuse(id, p.shown, []host.Fault{{Path: wrong.Path, Message: wrong.Message}})
	}
	if err != nil {
		return err
	}
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
	t.at = Attempt{Stage: StageAway, Given: p.shown, Label: p.system.Label}
	maps.DeleteFunc(c.journeys, func(_ string, j *journey) bool { return j.session == id || time.Since(j.began) > journeyLife })
	c.journeys[state] = &journey{link: link, session: id, plan: p, to: to, arrive: arrive, began: time.Now()}
	return nil
}

// Leave returns where a person is to go on at the vendor's: in the browser that
// the way belongs to. Where own is set, it belongs to this one from now on, and
// framed says that the page which waits for it is another window's. It returns
// "" where there is no such way, or it is another browser's.
func (c *Connect) Leave(ctx context.Context, link, browser string, own, framed bool) (string, error) {
	s, err := c.Session(ctx, link)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, j := range c.journeys {
		if j.session != s.ID || time.Since(j.began) > journeyLife {
			continue
		}
		if own {
			j.browser, j.framed = browser, framed
		}
		if j.browser == "" || subtle.ConstantTimeCompare([]byte(j.browser), []byte(browser)) != 1 {
			return "", nil
		}
		return j.to, nil
	}
	return "", nil
}

// Came is what a person comes back with.
type Came struct {
	State   string
	Browser string
	Code    string
	Error   string // what the vendor says where there is no code, in its words
	Refused bool   // the person, or the vendor, did not allow it
}

// Arrive takes up a person who comes back from the vendor, once: in the browser
// that they left with. It returns their session's link, and whether it is
// another window that waits. The error has host.CodeNotFound where nobody is
// waited for.
func (c *Connect) Arrive(ctx context.Context, came Came) (link string, framed bool, err error) {
	c.mu.Lock()
	j := c.journeys[came.State]
	if j == nil || time.Since(j.began) > journeyLife || j.browser == "" || subtle.ConstantTimeCompare([]byte(j.browser), []byte(came.Browser)) != 1 {
		c.mu.Unlock()
		return "", false, host.Errorf(host.CodeNotFound, "this login was begun in another browser, or long ago, or has been taken up already; open your link again")
	}
	delete(c.journeys, came.State)
	c.mu.Unlock()
	if came.Code == "" {
		problem := j.plan.system.Label + " did not let this host in: " + came.Error + "."
		if came.Refused {
			problem = "The access was not allowed at " + j.plan.system.Label + ". Nothing was kept; you can try again."
		}
		c.mu.Lock()
		if t := c.tries[j.session]; t != nil {
			t.at.Stage, t.at.Problem = StageFailed, problem
		}
		c.mu.Unlock()
		return j.link, j.framed, nil
	}
	run, number, err := c.begin(j.session, j.plan.shown, "Fetching the access from "+j.plan.system.Label)
	if err != nil {
		return "", false, err
	}
	c.work.Go(func() {
		p := j.plan
		credentials, err := j.arrive(run, came.Code)
		if err == nil {
			p.conn.Credentials, err = c.Seal(p.conn.ID, credentials)
		}
		if err != nil {
			c.Log.Warn("a vendor gave no access", "session", j.session, "system", p.system.Name, "error", err)
			c.tell(j.session, number, func(a *Attempt) {
				a.Stage, a.Problem = StageFailed, "No access came from "+p.system.Label+": "+host.MessageOf(err)+"."
			})
			return
		}
		c.carryOut(run, j.link, j.session, number, p)
	})
	return j.link, j.framed, nil
}
