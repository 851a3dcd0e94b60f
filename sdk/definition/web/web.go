// Package web runs systems' files for systems that speak HTTP: it logs in,
// makes their calls, reads their answers, and is the whole of a connector but
// its name.
//
//	func main() { sdk.Serve(web.New("rest")) }
//
// It promises that a login which was refused is not tried again by itself; that a
// session which has ended is made anew once; that all that is open with a login
// keeps to one rate; that a read ends well only where nothing was left out, so
// that an answer which is no page, a list without an end and a page that comes
// twice are failures; that a record which cannot be read is told and passed by;
// and that every failure has the system's own words, where it has any.
//
// It refuses what a definition means: that is package definition's.
package web

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/time/rate"

	"github.com/dinrail/dinrail/sdk"
	"github.com/dinrail/dinrail/sdk/definition"
)

// Protocol is what a connector does otherwise than REST.
type Protocol struct {
	// Prepare turns a call into method, path, query, headers and body; nil: the
	// call's own. It may change what it is given.
	Prepare func(call *definition.Call, given definition.Given, r *Request) error
	// Unwrap turns an answer's body into what expressions see of it; nil: as it
	// is.
	Unwrap func(body any) (any, error)
}

// Connector runs definitions. It may be used concurrently.
type Connector struct {
	name     string
	protocol Protocol
	direct   func(settings sdk.Settings) *sdk.Definition // of a system without a file
	own      []sdk.System

	mu     sync.Mutex
	read   map[[sha256.Size]byte]*definition.System
	limits map[[sha256.Size]byte]*limit
}

// limit is the rate that all open connections of a login share.
type limit struct {
	*rate.Limiter
	users int
}

// New returns a connector of a name.
func New(name string, p Protocol) *Connector {
	return &Connector{name: name, protocol: p, read: map[[sha256.Size]byte]*definition.System{}, limits: map[[sha256.Size]byte]*limit{}}
}

// Direct lets the connector serve a system without a file: own describes it, and
// makes writes the file from a connection's settings.
func (c *Connector) Direct(own sdk.System, makes func(sdk.Settings) *sdk.Definition) *Connector {
	c.own, c.direct = append(c.own, own), makes
	return c
}

// Describe implements sdk.Connector.
func (c *Connector) Describe(_ context.Context, d *sdk.Definition) (sdk.Description, error) {
	out := sdk.Description{Name: c.name, Version: "1", Systems: c.own}
	if d == nil {
		return out, nil
	}
	s, err := c.system(d)
	if err != nil {
		return out, err
	}
	out.Systems = []sdk.System{Describe(s)}
	return out, nil
}

// mostRead bounds the compiled definitions that are kept.
const mostRead = 200

// system reads a definition; one that was read lately is not read again.
func (c *Connector) system(d *sdk.Definition) (*definition.System, error) {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q%q", d.Name, d.Content)
	for _, name := range slices.Sorted(maps.Keys(d.Files)) {
		fmt.Fprintf(sum, "%q%q", name, d.Files[name])
	}
	key := [sha256.Size]byte(sum.Sum(nil))
	c.mu.Lock()
	s := c.read[key]
	c.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, diags := definition.Read(d.Name, d.Content, definition.FromFiles(d.Files))
	if diags.HasErrors() {
		return nil, sdk.Failf(sdk.CodeInvalid, "the definition %s has mistakes: %s", d.Name, words(diags))
	}
	if s.Connector != c.name {
		return nil, sdk.Failf(sdk.CodeInvalid, "the definition %s is for the connector %s, and this is %s", d.Name, s.Connector, c.name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.read) >= mostRead {
		clear(c.read)
	}
	c.read[key] = s
	return s, nil
}

// words tells mistakes, each with its line.
func words(diags hcl.Diagnostics) string {
	var out []string
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		line := 0
		if d.Subject != nil {
			line = d.Subject.Start.Line
		}
		out = append(out, fmt.Sprintf("line %d: %s: %s", line, d.Summary, d.Detail))
	}
	return strings.Join(out[:min(len(out), 3)], " ")
}

// Open implements sdk.Connector.
func (c *Connector) Open(_ context.Context, r sdk.OpenRequest) (sdk.Connection, error) {
	d := r.Definition
	if d == nil && c.direct != nil {
		d = c.direct(r.Settings)
	}
	if d == nil {
		return nil, sdk.Failf(sdk.CodeInvalid, "the connector %s runs definitions, and the system %s came without one", c.name, r.System)
	}
	s, err := c.system(d)
	if err != nil {
		return nil, err
	}
	l, leave, err := c.limit(s, r)
	if err != nil {
		return nil, err
	}
	client, err := newClient(s, c.protocol, r, l)
	if err != nil {
		leave()
		return nil, err
	}
	return &Connection{system: s, client: client, leave: leave}, nil
}

// limit returns the rate of a login; leave gives it back.
func (c *Connector) limit(s *definition.System, r sdk.OpenRequest) (*rate.Limiter, func(), error) {
	if s.Request.Rate <= 0 {
		return rate.NewLimiter(rate.Inf, 1), func() {}, nil
	}
	login, err := json.Marshal([]any{r.System, r.Settings, r.Auth, r.Credentials}) // maps are sorted
	if err != nil {
		return nil, nil, err
	}
	key := sha256.Sum256(login)
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.limits[key]
	if l == nil {
		l = &limit{Limiter: rate.NewLimiter(rate.Limit(s.Request.Rate), max(1, int(s.Request.Rate)))}
		c.limits[key] = l
	}
	l.users++
	return l.Limiter, sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if l.users--; l.users == 0 && c.limits[key] == l {
			delete(c.limits, key)
		}
	}), nil
}

// Describe is a compiled definition as the SDK tells systems.
func Describe(s *definition.System) sdk.System {
	out := sdk.System{
		Name: s.Name, Label: s.Label, Vendor: s.Vendor, Category: s.Category, Website: s.Website, Guide: s.Guide,
		Settings: fields(s.Settings), Entities: entities(s), Proof: s.Proof.String(),
	}
	for _, a := range s.Auth {
		m := sdk.AuthMethod{Name: a.Kind, Label: a.Label, Fields: fields(a.Fields)}
		if o := a.OAuth; o != nil {
			m.OAuth = &sdk.OAuth{Grants: o.Grants, AuthorizeURL: s.Template(o.AuthorizeURL), TokenURL: s.Template(o.TokenURL), Scopes: o.Scopes, Parameters: o.Parameters}
		}
		out.Auth = append(out.Auth, m)
	}
	return out
}

func fields(all []definition.Field) []sdk.Setting {
	out := make([]sdk.Setting, len(all))
	for i, f := range all {
		out[i] = sdk.Setting(f)
	}
	return out
}

func entities(s *definition.System) []sdk.Entity {
	out := make([]sdk.Entity, len(s.Entities))
	for i, e := range s.Entities {
		out[i] = sdk.Entity{
			Name: e.Name, Label: e.Label, Key: []string{"id"}, Incremental: e.Incremental(), TellsDeletions: e.TellsDeletions(),
			Creatable: e.Create != nil, Updatable: e.Update != nil, Deletable: e.Delete != nil,
		}
		for _, f := range e.Fields() {
			out[i].Fields = append(out[i].Fields, sdk.Field{Name: f.Name, Type: f.Type, Writable: f.Writable})
		}
	}
	return out
}

// stamp is how times stand in checkpoints and in expressions.
const stamp = "2006-01-02T15:04:05.000Z"

func stamped(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(stamp)
}
