// Package definition is the language in which a system is described by one HCL
// file: how to log in, how to ask for records, how to page, what changed since
// when, and what becomes what. configs/systems/README.md teaches it.
//
// It promises that a file is checked whole when it is read: every block and
// attribute, every variable and function that an expression names, every field
// and word of the model that a mapping fills. Each mistake has its file and
// line, what to do, and the nearest name that exists. What was compiled may be
// used by many goroutines at once.
//
// It refuses calls: it opens no connection and knows neither host nor wire.
// sdk/definition/web runs what it compiled for systems that speak HTTP. It
// refuses the surroundings, too: a file reads guides and tables that stand beside
// it, no environment, no programs; and secrets stand where they are sent, in auth
// and in headers, nowhere else.
package definition

import (
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/dinrail/dinrail/sdk/expr"
)

// System is a system's file, compiled.
type System struct {
	Name      string
	Label     string
	Vendor    string
	Category  string
	Website   string
	Connector string
	Guide     string // Markdown
	Proof     Proof
	Settings  []Field
	Auth      []*Auth
	Request   Request
	Check     *Call // proves a login; nil: the first entity's list does
	Identity  *Expr // of Check's answer, whom the login is
	Errors    []ErrorRule
	Retry     Retry
	Entities  []*Entity // in the file's order
	// Files are the files beside the definition that it read, by name.
	Files map[string][]byte
	// Range is where the system block stands.
	Range hcl.Range
}

// Entity finds an entity by its name.
func (s *System) Entity(name string) (*Entity, bool) {
	for _, e := range s.Entities {
		if e.Name == name {
			return e, true
		}
	}
	return nil, false
}

// Method finds an auth method by its kind.
func (s *System) Method(kind string) (*Auth, bool) {
	for _, a := range s.Auth {
		if a.Kind == kind {
			return a, true
		}
	}
	return nil, false
}

// Proof is what was done to know that the definition is right.
type Proof struct {
	State  string // one of proofs
	Source string // where the system's description was read
	Date   string // 2006-01-02
	Note   string
}

// String is the proof in one line.
func (p Proof) String() string {
	out := p.State
	for _, part := range []string{p.Date, p.Source, p.Note} {
		if part != "" {
			out += "; " + part
		}
	}
	return out
}

// Field is one that a person fills in: a setting, or a part of a login.
type Field struct {
	Name        string
	Type        string // string number bool url duration
	Label       string
	Help        string
	Placeholder string
	Pattern     string
	Choices     []string
	Default     string
	Required    bool
	Secret      bool
}

// Auth is a way to log in.
type Auth struct {
	Kind    string // basic api_key bearer oauth2 session none
	Label   string
	Fields  []Field
	Headers *Expr  // an object: sent with each call
	Query   *Expr  // the same
	Login   *Login // of a session
	OAuth   *OAuth // of oauth2
	Range   hcl.Range
}

// Login is the call that begins a session.
type Login struct {
	Call
	Token   *Expr // of the answer; session.token in the auth block's headers and query
	Cookies bool  // the answer's cookies are sent with each call
	Expired *Expr // whether an answer says that the session has ended; nil: 401 does
}

// OAuth is how tokens are got. The host does it; a connector is given the access
// token, as credential.access_token.
type OAuth struct {
	Grants       []string // authorization_code client_credentials password
	AuthorizeURL *Expr
	TokenURL     *Expr
	Scopes       []string
	Parameters   map[string]string // more of the authorization request
}

// Request is what all calls have in common.
type Request struct {
	Base    *Expr
	Headers *Expr // an object
	Query   *Expr // an object
	Rate    float64
	Timeout time.Duration
	Answer  string // json or xml
	Charset string // of answers that do not say
}

// Call is one call to the system. What a connector asks in other words than
// HTTP's (a table, a method of RPC) stands in Words.
type Call struct {
	Method  string
	Path    *Path
	Query   *Expr
	Headers *Expr
	Body    *Expr
	BodyAs  string // json form xml
	Words   map[string]*Expr
	Range   hcl.Range
}

// Word returns an attribute of a connector's own as text; "" where it is left
// out. given is by the roots that its place has.
func (c *Call) Word(name string, given Given) (string, error) {
	x := c.Words[name]
	if x == nil {
		return "", nil
	}
	text, _, err := x.Text(given)
	return text, err
}

// ErrorRule says what an answer means that is none.
type ErrorRule struct {
	When    *Expr  // nil: any answer whose status is 400 or above
	Code    string // "": as the status says
	Message *Expr
}

// Retry is how often a call is made again that the system could not answer.
type Retry struct {
	Attempts int
	First    time.Duration
}

// Entity is one kind of thing, where it is, and what becomes of it.
type Entity struct {
	Name      string // unified name, or native/NAME
	Label     string
	ID        *Expr
	CreatedAt *Expr
	UpdatedAt *Expr
	Deleted   *Expr
	Readable  *Expr  // of the check's answer, whether the login may read it
	Each      string // entity whose records this one is read for, one by one
	List      *List
	Since     *Since
	Deletions *Deletions
	Details   []Detail
	Get       *Get
	Create    *Write
	Update    *Write
	Delete    *Write
	Map       *Mapping // nil: a native entity as it is
	Range     hcl.Range
	composite bool // its id is made of several parts
}

// List asks for records.
type List struct {
	Call
	Records *Expr
	Page    *Page
}

// Since asks for what changed.
type Since struct {
	Send    *Expr // an object
	Overlap time.Duration
	Ordered bool          // records come by the time of their change
	Window  time.Duration // at most so much is asked for at once; 0: all
	Words   map[string]*Expr
	Range   hcl.Range
}

// Deletions is the call that tells what was deleted.
type Deletions struct {
	List
	ID *Expr
}

// Detail is a call for each record, whose answer becomes a part of it.
type Detail struct {
	Call
	Name  string // raw.NAME
	Value *Expr  // of the answer; nil: its body
}

// Get asks for one record.
type Get struct {
	Call
	Record *Expr // of the answer; nil: its body
}

// Write creates, updates or deletes one record.
type Write struct {
	Call
	Record *Expr // of the answer, where it has the record; nil: its body
	ID     *Expr // of the answer of a create; nil: the entity's id of the record
}

// Page is how a list goes on. Kind is one of kinds.
type Page struct {
	Kind  string
	Send  *Expr // an object
	Next  *Expr // cursor, url: what comes next; null ends
	More  *Expr // offset, page, keyset: whether there is more
	Total *Expr // how many records there are
	Size  int   // page.size
	First int   // of page: the number of the first
	Range hcl.Range
}

// Given is what expressions of a call are evaluated for, by root.
type Given map[string]any

// Expr is a compiled expression of the file.
type Expr struct {
	*expr.Expression
	scope *expr.Scope
}

// Frame is a frame of the expression's scope.
func (x *Expr) frame(g Given) *expr.Frame {
	f := x.scope.Frame(time.Now())
	for root, v := range g {
		f.Set(root, v)
	}
	return f
}

// Value evaluates the expression; see expr.Expression. A nil Expr is null.
func (x *Expr) Value(g Given) (any, error) {
	if x == nil {
		return nil, nil
	}
	return x.Expression.Value(x.frame(g))
}

// Text evaluates the expression as text.
func (x *Expr) Text(g Given) (string, bool, error) {
	if x == nil {
		return "", false, nil
	}
	return x.Expression.Text(x.frame(g))
}

// Holds evaluates the expression as a condition.
func (x *Expr) Holds(g Given) (bool, error) {
	if x == nil {
		return false, nil
	}
	return x.Expression.Holds(x.frame(g))
}

// There says whether something stands where the expression reads; see
// expr.Expression.
func (x *Expr) There(g Given) (there, known bool) { return x.Expression.There(x.frame(g)) }

// Template returns what the expression of an OAuth endpoint is made of, with
// {NAME} in the place of the setting NAME; "" where it is nil or cannot be told.
func (s *System) Template(x *Expr) string {
	names := map[string]any{}
	for _, f := range s.Settings {
		names[f.Name] = "{" + f.Name + "}"
	}
	text, _, err := x.Text(Given{"setting": names})
	if err != nil {
		return ""
	}
	return text
}
