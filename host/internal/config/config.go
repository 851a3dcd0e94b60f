// Package config turns HCL into plain, checked structs.
//
// Load reads files and folders and reports every mistake at once, each with
// file, line, what is wrong and what to do. There are three kinds: one in the
// host or a listener block, or a file that does not parse, is fatal; any other
// wrong block is left out, or, where it is a connection, kept as an invalid one
// with the reason; and a block that has no effect yet is a warning. Check holds
// the connections against the systems that the connectors describe.
//
// It promises that whatever it renders shows no secret, be it literal or from a
// function: values never stand in diagnostics, and source lines are printed
// with their secret strings masked.
//
// It refuses state and processes: apply brings state in line, daemon runs
// things.
package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/expr"
)

// Config is what all files together say.
type Config struct {
	Host        HostBlock
	AdminTokens []AdminToken
	Networks    map[string]*host.Network
	Connectors  map[host.ConnectorName]Connector
	// OAuthClients are the host's registrations at providers.
	OAuthClients map[host.SystemName]host.OAuthClient
	Listeners    []Listener   // host.listen first, where it is served
	Connections  []Connection // by id, for_each expanded
	Webhooks     []Webhook
	Triggers     []Trigger
	Moved        []Move
	Files        []string // every file read, sorted
	Problems     []Problem

	sources    map[string]*hcl.File
	unexpanded []unexpanded
	// brokenWebhooks are left out for a mistake: what stands of them in state
	// stays as it is.
	brokenWebhooks []host.EndpointID
}

// HostBlock is the host block, with the defaults where it is silent.
type HostBlock struct {
	Listen         string
	DataDir        string
	PluginDir      string
	SystemsDir     string
	KeyFile        string      // empty: data_dir/keys
	Key            host.Secret // empty: KeyFile
	KeyCommand     []string    // its output is the key; empty: KeyFile
	RatePerSecond  float64     // calls a second of one connection token; 0: no limit
	EncryptData    bool
	Drain          time.Duration
	Watch          bool
	LogLevel       string
	PrivateTargets []string // prefixes that connections made by the API may reach
}

// DefaultHost is the host block of a configuration without one.
func DefaultHost() HostBlock {
	return HostBlock{
		Listen: "127.0.0.1:7420", DataDir: "./data", PluginDir: "./bin/plugins", SystemsDir: "./systems",
		EncryptData: true, Drain: 20 * time.Second, LogLevel: "info",
	}
}

// AdminToken is a token for administration that the configuration names.
type AdminToken struct {
	Name        string
	Value       host.Secret // empty where SHA256 is given
	SHA256      string      // of the token, lower-case hexadecimal
	Role        host.Role
	Connections []string // patterns it is limited to; empty: all
}

// Connector is how one connector's plugin is found and run.
type Connector struct {
	Name      host.ConnectorName
	Source    string   // path, or name in the plugin_dir
	SHA256    string   // refuse any other binary; empty: any
	Env       []string // variables that it may see
	Memory    int64    // bytes; 0: the plugin stage's default
	Isolation string   // system, shared or connection
	Range     hcl.Range
}

// The isolations of a connector.
const (
	IsolationSystem     = "system"
	IsolationShared     = "shared"
	IsolationConnection = "connection"
)

// Connection is one connection block, or one part of it where it has for_each.
// Of the embedded connection are set: ID, System, Label, ManagedBy, Settings,
// Auth, Metadata, Network, NoPrivate, Exclude, CheckEvery, Syncs, Paused, Invalid, Source.
type Connection struct {
	host.Connection
	// Credentials are nil where the block has none. Sensitive settings stand
	// here too, as host.SettingPrefix and their name.
	Credentials map[string]host.Secret
	Map         map[host.EntityName]*expr.Mapping

	Range       hcl.Range
	credentials hcl.Range            // of the attribute, or the block where it has none
	settings    hcl.Range            // of the attribute, or the block where it has none
	literals    map[string]hcl.Range // literal credentials, by name
	fields      map[string]hcl.Range // where a setting or credential stands: "settings.url"
}

// Move renames a connection.
type Move struct {
	From, To host.ConnectionID
	Range    hcl.Range
}

// Place returns file:line of the block.
func (m Move) Place() string { return fmt.Sprintf("%s:%d", m.Range.Filename, m.Range.Start.Line) }

// Problem is a mistake and what it costs.
type Problem struct {
	Block   string // `connection "plant-7"`; empty: no single block
	Summary string
	Detail  string
	File    string
	Line    int
	Fatal   bool // the host cannot start with it
}

// unexpanded is a connection block whose for_each could not be evaluated: which
// connections it makes is not known.
type unexpanded struct {
	prefix, reason, source string
}

// Unknown says whether id may belong to a for_each block that has a mistake: it
// must not be taken for one whose block is gone. It returns the reason and the
// block's place.
func (c *Config) Unknown(id host.ConnectionID) (reason, source string, ok bool) {
	for _, u := range c.unexpanded {
		if len(id) > len(u.prefix) && string(id[:len(u.prefix)]) == u.prefix {
			return u.reason, u.source, true
		}
	}
	return "", "", false
}

// Sources returns the parsed files by name, for Render.
func (c *Config) Sources() map[string]*hcl.File { return c.sources }

// BrokenWebhook says whether an endpoint's block has a mistake: it must not be
// taken for one whose block is gone.
func (c *Config) BrokenWebhook(id host.EndpointID) bool { return slices.Contains(c.brokenWebhooks, id) }
