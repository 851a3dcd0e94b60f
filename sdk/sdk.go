// Package sdk is what the author of a connector sees: two interfaces to
// implement, a few more for optional powers, and Serve.
//
//	func main() { sdk.Serve(connector{}) }
//
// README.md beside it builds a first connector from nothing; Example is one in a
// screenful. This file has the two interfaces and what they are given; PageWriter
// takes the records of a read, Failure says what went wrong, sdk/model has the
// unified entities, sdk/sdktest tells whether the connector holds.
//
// It promises the author that pages are sent no faster than the host commits
// them, that whatever is printed goes to the log and never breaks the protocol,
// that a panic ends one call and not the program, that the HTTP client it hands
// out obeys the system's rate limits and the operator's network block, and that
// the program ends when its host does.
//
// It refuses to know the host: a connector sees what one connection needs.
package sdk

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Connector is a program that speaks to one or more systems. Its methods may
// be called concurrently.
type Connector interface {
	// Describe tells what the connector is; it calls nobody. The definition is
	// nil but for connectors that run definitions.
	Describe(ctx context.Context, definition *Definition) (Description, error)
	// Open prepares one connection. It checks settings and credentials for form
	// only; the login is tried by Check.
	Open(ctx context.Context, r OpenRequest) (Connection, error)
}

// Connection is one open connection. Its methods may be called concurrently.
type Connection interface {
	// Check logs in and proves that the system answers, with as few calls as it
	// can. A refused login is CodeAuthRequired, and is never tried again here.
	Check(ctx context.Context) (Identity, error)
	// Entities tells what this login sees, those that it may not read included,
	// with Denied saying why.
	Entities(ctx context.Context) ([]Entity, error)
	// Read sends the entity's records through w, page by page, and returns nil
	// only when nothing was left out: deletions are concluded from it.
	Read(ctx context.Context, r ReadRequest, w *PageWriter) error
	// Close releases what the connection holds.
	Close() error
}

// Definition is a system's file.
type Definition struct {
	Name    string
	Content []byte
	Files   map[string][]byte // beside it, that it reads
}

// Description is what a connector is.
type Description struct {
	Name    string
	Version string
	Systems []System
}

// System is a product that the connector can speak to.
type System struct {
	Name     string
	Label    string
	Vendor   string
	Category string // cmms eam erp wms mrp mes qms database machine other
	Website  string
	Guide    string // Markdown: how to make a login with the least rights
	Settings []Setting
	Auth     []AuthMethod
	Entities []Entity // those known before any login
	Proof    string   // what was run against which version
}

// Setting is one field that a person fills in.
type Setting struct {
	Name        string
	Type        string // string number bool url duration; empty: string
	Label       string
	Help        string
	Placeholder string
	Pattern     string // RE2, anchored
	Choices     []string
	Default     string
	Required    bool
	Secret      bool
}

// AuthMethod is a way to log in, with the credentials it asks for.
type AuthMethod struct {
	Name   string // basic api_key bearer oauth2 session none
	Label  string
	Fields []Setting
	OAuth  *OAuth // of oauth2
}

// OAuth is how the host gets access tokens for a system (RFC 6749). A
// connection is opened with the credential "access_token" alone. Its calls
// answer CodeTokenExpired where the system takes that no more; then Renew
// brings the next, and the call is repeated once.
type OAuth struct {
	// Grants are those that the system knows: authorization_code (with PKCE),
	// client_credentials, password.
	Grants []string
	// AuthorizeURL is where a person is sent, TokenURL where tokens come from.
	// {NAME} stands for the setting NAME.
	AuthorizeURL string
	TokenURL     string
	Scopes       []string
	Parameters   map[string]string // more of the authorization request, such as prompt = consent
}

// OpenRequest is one connection.
type OpenRequest struct {
	Connection  string // for logs
	System      string
	Settings    Settings
	Auth        string
	Credentials map[string]string
	Definition  *Definition
	// HTTP is the client for all calls of this connection. It reaches what the
	// operator lets the connection reach, by the network block's certificates and
	// proxy; bounds answers in time and size; follows no redirect to another host;
	// and reports each call under the name that WithPath gives it. It does not
	// wait: while the system wants fewer calls of this login, it answers
	// CodeRateLimited by itself.
	HTTP *http.Client
	// Dial and TLS are for connectors that speak another protocol than HTTP: how
	// connections are opened and certificates are checked, by the operator's
	// network block. TLS is the connection's own, and names no server.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	TLS  *tls.Config
	Log  hclog.Logger
}

// Settings are a connection's settings, checked against their declaration.
type Settings map[string]any

// String returns a setting's text; "" where it is not given.
func (s Settings) String(name string) string {
	switch v := s[name].(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64) // a million is 1000000, not 1e+06
	default:
		return fmt.Sprint(v)
	}
}

// Identity is whom a login is.
type Identity struct {
	Name    string // in words
	Version string // of the system
}

// Entity is one kind of thing in the system.
type Entity struct {
	Name           string // unified name, or native/NAME
	Label          string
	Key            []string
	Fields         []Field
	Incremental    bool
	TellsDeletions bool // incremental reads carry deletions
	Creatable      bool
	Updatable      bool
	Deletable      bool
	Actions        []string
	Watchable      bool
	Denied         string // why the login may not read it; empty: it may
}

// Field is a field that the connector fills.
type Field struct {
	Name     string
	Type     string // string number boolean timestamp date object array reference
	Writable bool
}

// ReadRequest names what to read.
type ReadRequest struct {
	Entity string
	// Full asks for everything, else for what changed since the checkpoint.
	Full bool
	// Checkpoint is what Flush was given with the last page that became durable:
	// of this read, if it was interrupted, or, for an incremental one, of the
	// last that reached its end. Empty: from nothing.
	Checkpoint []byte
	// Since bounds a first read: nothing older is wanted. Zero: all.
	Since time.Time
}

// Record is one record at its latest version.
type Record struct {
	ID        string
	CreatedAt time.Time // as the system tells; zero: it does not
	UpdatedAt time.Time
	Deleted   bool
	// Fields is the record in the entity's shape: a value that encodes as a JSON
	// object (for a unified entity its type of sdk/model), or a json.RawMessage of
	// one. Not used when Deleted.
	Fields any
	Raw    json.RawMessage // as received
}
