package definition

// The words that attributes choose from.
var (
	categories = []string{"cmms", "eam", "erp", "wms", "mrp", "mes", "qms", "database", "machine", "other"}
	authKinds  = []string{"basic", "api_key", "bearer", "oauth2", "session", "none"}
	grants     = []string{"authorization_code", "client_credentials", "password"}
	fieldTypes = []string{"string", "number", "bool", "url", "duration"}
	methods    = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
	codes      = []string{"auth_required", "token_expired", "permission_denied", "rate_limited", "unavailable", "not_found", "invalid", "conflict", "unsupported", "internal"}
	// proofs, from nothing to all.
	proofs = []string{"untested", "read from the documentation", "checked against description", "run against a mock of the description", "run against the product"}
)

// PageKinds are the ways in which a list goes on, each with the attributes that
// it takes.
var pageKinds = map[string]string{
	"cursor": "send! next! total",      // the answer names the next page
	"offset": "send! size total more",  // so many records were read
	"page":   "send! first total more", // pages have numbers
	"keyset": "send! more",             // the last record says where to go on
	"url":    "send next! total",       // the answer has the next page's address
	"link":   "send total",             // the header Link has it (RFC 8288)
	"odata":  "send total",             // @odata.nextLink, odata.nextLink or d.__next has it
	"none":   "",                       // one answer has all
}

// dialect is what a connector's calls are made of.
type dialect struct {
	http   bool     // method, path, query, headers, body
	call   string   // attributes of its own of a call
	since  string   // attributes of its own of since
	page   []string // page kinds that it has; nil: none, it pages by itself
	format bool     // request.answer may be xml
}

// dialects are the connectors that run definitions.
var dialects = map[string]dialect{
	"rest":    {http: true, page: []string{"cursor", "offset", "page", "keyset", "url", "link", "odata", "none"}, format: true},
	"jsonrpc": {http: true, call: "call params", page: []string{"cursor", "offset", "page", "keyset", "none"}},
	"odata":   {http: true, call: "set filter expand select orderby", since: "property"},
	"sql":     {call: "table sql params", since: "column"},
}

// roots are the variables that expressions may name, by place.
var roots = map[string][]string{
	"base":    {"setting"},
	"request": {"setting", "credential"}, // headers alone
	"auth":    {"credential", "setting", "session", "request"},
	"login":   {"credential", "setting"},
	"answer":  {"body", "headers", "status"},
	"list":    {"setting", "since", "until", "page", "parent"},
	"detail":  {"setting", "raw", "id", "key"},
	"get":     {"setting", "id", "key"},
	"write":   {"record", "setting", "id", "key", "expect", "idempotency_key"},
	"record":  {"raw", "setting", "parent"},
}
