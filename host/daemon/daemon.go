package daemon

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/hcl/v2"
	"github.com/oklog/ulid/v2"

	"github.com/dinrail/dinrail/configs"
	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
	"github.com/dinrail/dinrail/host/internal/apply"
	"github.com/dinrail/dinrail/host/internal/auth"
	"github.com/dinrail/dinrail/host/internal/catalog"
	"github.com/dinrail/dinrail/host/internal/config"
	"github.com/dinrail/dinrail/host/internal/credential"
	"github.com/dinrail/dinrail/host/internal/event"
	"github.com/dinrail/dinrail/host/internal/expr"
	"github.com/dinrail/dinrail/host/internal/plugin"
	"github.com/dinrail/dinrail/host/internal/seal"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/badger"
	"github.com/dinrail/dinrail/host/internal/syncer"
	"github.com/dinrail/dinrail/host/internal/ui"
	"github.com/dinrail/dinrail/host/internal/webhook"
)

// Options say what to run.
type Options struct {
	Config  []string          // files and folders
	Strict  bool              // refuse to start on any mistake
	Version string            // of the program
	Log     io.Writer         // where the log goes
	Ready   func(addr string) // called once the API serves
}

// ErrConfig is returned when the configuration is why the host did not start.
// What is wrong was written to Options.Log.
var ErrConfig = errors.New("the configuration has mistakes")

// Daemon is a running host.
type Daemon struct {
	options Options
	log     hclog.Logger
	lines   *logBook
	store   *state.Store
	keys    *seal.Keys
	keyFile string // of the master key; "": it is given in another way
	// copyStore writes all that the store holds.
	copyStore func(context.Context, io.Writer) error
	plugins   *plugin.Host
	auth      *auth.Auth
	catalog   atomic.Pointer[catalog.Catalog]
	handlers  atomic.Pointer[api.API] // once it serves
	config    atomic.Pointer[config.Config]
	compiled  atomic.Pointer[[]event.Trigger]
	reload    sync.Mutex
	starts    time.Time
	metrics   *api.Metrics
	room      func() (free, low int64, err error) // of the disk
	lowRoom   bool                                // it was told that there is too little
	// fell is when processes ended last, as far as it was told.
	fell map[string]time.Time
}

// Run runs the host until the context ends or it cannot go on. It returns nil
// when the context ended it. SIGHUP reloads the configuration.
func Run(ctx context.Context, o Options) error {
	log := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: "dinrail", Output: o.Log, Level: hclog.Info, TimeFormat: host.TimeFormat, TimeFn: func() time.Time { return time.Now().UTC() }})
	cfg, diags := config.Load(o.Config)
	if cfg == nil || config.Fatal(diags) || o.Strict && diags.HasErrors() {
		return refuse(o, cfg, diags)
	}
	log.SetLevel(hclog.LevelFromString(cfg.Host.LogLevel))
	d := &Daemon{options: o, log: log, lines: newLogBook(log.GetLevel), starts: time.Now(), metrics: api.NewMetrics(), fell: map[string]time.Time{}}
	log.RegisterSink(d.lines)

	boundMemory()
	engine, err := badger.Open(badger.Params{Dir: filepath.Join(cfg.Host.DataDir, "store"), Logger: log.Named("state")})
	if err != nil {
		return err
	}
	defer func() {
		if err := engine.Close(); err != nil {
			log.Error("close the store", "error", err)
		}
	}()
	d.room, d.copyStore = engine.Room, engine.Backup
	if d.keys, d.keyFile, err = openKeys(ctx, cfg, state.NewShelf(engine)); err != nil {
		return err
	}
	d.store = state.NewStore(engine, d.keys)

	d.plugins, err = plugin.New(plugin.Params{
		Dir: cfg.Host.PluginDir, RunDir: filepath.Join(cfg.Host.DataDir, "run"), Log: log.Named("plugin"),
		Connectors: pluginOptions(cfg), Report: d.reportProcess, OnReport: d.onReport,
	})
	if err != nil {
		return err
	}
	if err := d.plugins.Start(ctx); err != nil {
		return err
	}
	defer d.plugins.Stop()
	systems, wrong := d.describe(ctx, cfg)
	d.catalog.Store(systems)
	diags = slices.Concat(diags, wrong, cfg.Check(systems.List()))
	if o.Strict && diags.HasErrors() {
		return refuse(o, cfg, diags)
	}
	d.tell(diags)
	if err := apply.Apply(ctx, d.applyParams(), cfg); err != nil {
		return fmt.Errorf("apply the configuration: %w", err)
	}
	d.config.Store(cfg)
	d.compileTriggers(cfg)
	return d.serve(ctx, cfg)
}

// boundMemory asks the collector to keep the process near 384 MiB, unless the
// operator said otherwise by GOMEMLIMIT. Badger's tables and caches take about
// 150 MB of that, whatever the data; without a limit the heap doubles between
// collections while a large sync runs.
func boundMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(384 << 20)
	}
}

// refuse writes what is wrong with the configuration.
func refuse(o Options, cfg *config.Config, diags hcl.Diagnostics) error {
	var files map[string]*hcl.File
	if cfg != nil {
		files = cfg.Sources()
	}
	if err := config.Render(o.Log, diags, files); err != nil {
		return err
	}
	return ErrConfig
}

// openKeys opens the host's keyset where the configuration says it is, and
// returns the file that it stands in, if it does.
func openKeys(ctx context.Context, cfg *config.Config, shelf seal.Shelf) (*seal.Keys, string, error) {
	p := seal.Params{File: cfg.Host.KeyFile, Text: cfg.Host.Key, Shelf: shelf, Plain: !cfg.Host.EncryptData}
	if p.File == "" {
		p.File = filepath.Join(cfg.Host.DataDir, "keys")
	}
	if len(cfg.Host.KeyCommand) > 0 {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		out, err := exec.CommandContext(ctx, cfg.Host.KeyCommand[0], cfg.Host.KeyCommand[1:]...).Output()
		if err != nil {
			return nil, "", host.Errorf(host.CodeInvalid, "host.key_command did not print a key: %w", err)
		}
		p.Text = host.NewSecret(strings.TrimSpace(string(out)))
	}
	if !p.Text.Empty() {
		p.File = ""
	}
	keys, err := seal.Open(ctx, p)
	return keys, p.File, err
}

// purgeDetached removes the connections that have been detached for too long.
func (d *Daemon) purgeDetached(ctx context.Context) error {
	purged, err := apply.PurgeDetached(ctx, d.applyParams())
	for _, id := range purged {
		d.log.Info("a connection was removed that had been detached for long", "connection", id)
	}
	return err
}

func (d *Daemon) applyParams() apply.Params {
	return apply.Params{Store: d.store, Sealer: d.keys, Moved: d.keys.Moved, Now: time.Now, NewID: newID}
}

// serve runs the stages and the API until the context ends or one of them
// fails, and stops them in order: API, connect, syncer, event, webhook.
func (d *Daemon) serve(ctx context.Context, cfg *config.Config) error {
	credentials := credential.New(d.keys)
	tokens, err := d.oauthTokens(credentials)
	if err != nil {
		return err
	}
	defer tokens.Stop()
	open := &opener{d.store, d.plugins, credentials, tokens, d.catalog.Load, d.mapping, d.privateTargets}
	d.auth, err = auth.New(auth.Params{Store: d.store, AdminTokens: adminTokens(cfg), Clock: time.Now, Locked: d.lockedOut})
	if err != nil {
		return err
	}
	handlers, err := api.New(api.Params{
		Store: d.store, Auth: d.auth, Credentials: credentials,
		Systems: func() []host.System { return d.catalog.Load().List() },
		Reload:  d.Reload, Plan: d.Plan, RotateKeys: d.RotateKeys, Backup: d.backup, Live: open.live, Metrics: d.metrics, PrivateTargets: d.privateTargets, PageURL: d.pageURL, Room: d.room, Logs: d.lines,
		Version: d.options.Version, Rate: cfg.Host.RatePerSecond, Clock: time.Now, Log: d.log.Named("api"),
	})
	if err != nil {
		return err
	}
	d.handlers.Store(handlers)
	events, err := event.New(event.Params{
		Store: d.store, NewID: newID, Record: handlers.RecordJSON, Triggers: d.triggers, Log: d.log.Named("event"),
	})
	if err != nil {
		return err
	}
	hooks, err := webhook.New(webhook.Params{
		Store: d.store, Secrets: credentials.OpenEndpoint, NewID: newID, Attempted: d.metrics.Attempted, PrivateTargets: d.privateTargets,
		Version: d.options.Version, Drain: cfg.Host.Drain, Log: d.log.Named("webhook"),
	})
	if err != nil {
		return err
	}
	syncs, err := syncer.New(syncer.Params{
		Store: d.store, Open: open.session, NewID: newID, Mapping: d.mapping,
		Cursor: handlers.Cursor, Follows: events.Follows, Reconnect: d.reconnect, Log: d.log.Named("syncer"),
	})
	if err != nil {
		return err
	}
	people, err := d.connector(credentials, open)
	if err != nil {
		return err
	}
	pages, err := ui.New(ui.Params{Sessions: people, Attempts: attempts{people}, AtVendor: tokens.ByCode, Desk: desk{d.auth, handlers}, Log: d.log.Named("ui")})
	if err != nil {
		return err
	}
	servers, err := d.listen(ctx, cfg, handlers, pages)
	if err != nil {
		return err
	}
	stages := []*stage{{run: people.Run}, {run: syncs.Run}, {run: events.Run}, {run: hooks.Run}}
	failed := make(chan error, len(stages)+len(servers))
	for _, s := range stages {
		s.start(context.WithoutCancel(ctx), failed)
	}
	var running sync.WaitGroup
	for _, s := range servers {
		running.Go(func() { failed <- s.serve() })
	}
	hangups, stopHangups := context.WithCancel(ctx)
	running.Go(func() { d.onHangup(hangups) })
	running.Go(func() { d.watchConditions(hangups) })
	running.Go(func() { d.onChange(hangups) })
	running.Go(func() { d.onDetached(hangups) })
	running.Go(func() { d.resealAtStart(hangups) })
	d.log.Info("serving", "address", servers[0].addr(), "connections", len(cfg.Connections), "took", time.Since(d.starts).Round(time.Millisecond))
	if d.options.Ready != nil {
		d.options.Ready(servers[0].addr())
	}
	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	}
	d.log.Info("stopping")
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Host.Drain)
	defer cancel()
	for _, s := range servers {
		s.shutdown(drain)
	}
	stopHangups()
	running.Wait()
	for _, s := range stages { // as data flows: each finds what the one before left
		s.stop()
	}
	return err
}

// stage is a part of the host that runs until it is stopped.
type stage struct {
	run    func(context.Context) error
	cancel context.CancelCauseFunc
	done   chan struct{}
}

func (s *stage) start(ctx context.Context, failed chan<- error) {
	ctx, s.cancel = context.WithCancelCause(ctx)
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		failed <- s.run(ctx)
	}()
}

// stop stops the stage and waits until it has.
func (s *stage) stop() {
	s.cancel(errStopping)
	<-s.done
}

// privateTargets are the private networks that what the API made may reach.
func (d *Daemon) privateTargets() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range d.config.Load().Host.PrivateTargets {
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p)
		} else if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return out
}

// lockedOut tells that somebody guesses tokens.
func (d *Daemon) lockedOut(source string, until time.Time) {
	d.metrics.LockedOut()
	d.log.Warn("somebody shows one wrong token after another, and is not listened to for a while", "address", source, "until", host.FormatTime(until))
	d.audit(context.Background(), &host.AuditEntry{Action: "source.lock_out", Address: source, Outcome: host.AuditDone})
}

// pageURL is where people reach the connect page: the first listener that has a
// public_url, or else the first.
func (d *Daemon) pageURL() string {
	first := ""
	for _, l := range d.config.Load().Listeners {
		switch {
		case !l.Serves(config.ServeConnect):
		case l.PublicURL != "":
			return l.PublicURL
		case first == "":
			first = l.URL()
		}
	}
	return first
}

// triggers are those of the configuration as it is now.
func (d *Daemon) triggers() []event.Trigger { return *d.compiled.Load() }

// compileTriggers takes the triggers of a configuration.
func (d *Daemon) compileTriggers(cfg *config.Config) {
	out := make([]event.Trigger, len(cfg.Triggers))
	for i := range cfg.Triggers {
		t := &cfg.Triggers[i]
		out[i] = event.Trigger{
			Name: t.Name, Entity: t.Entity, Connections: t.Connections, Level: t.Level, Initial: t.Initial,
			Limit: t.Limit, Every: t.Every, Source: t.Source,
			When: func(values map[string]any, now time.Time) (bool, error) {
				return t.When.Holds(expr.Given{Values: values, Now: now})
			},
		}
		if t.Data != nil {
			out[i].Data = func(values map[string]any, now time.Time) ([]byte, error) {
				return t.Data.JSON(expr.Given{Values: values, Now: now})
			}
		}
	}
	d.compiled.Store(&out)
}

var errStopping = errors.New("the host stops")

// onHangup reloads the configuration on SIGHUP.
func (d *Daemon) onHangup(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-hup:
			d.reloadItself(ctx, "a signal")
		case <-ctx.Done():
			return
		}
	}
}

// describe asks every connector what it is, side by side: the plugin host bounds
// how many start at once.
func (d *Daemon) describe(ctx context.Context, cfg *config.Config) (*catalog.Catalog, hcl.Diagnostics) {
	names := d.plugins.Connectors()
	told := make([]*catalog.Described, len(names))
	var asking sync.WaitGroup
	for i, name := range names {
		asking.Go(func() {
			desc, err := d.plugins.Describe(ctx, name)
			if err != nil {
				d.log.Error("a connector was left out", "connector", name, "error", err)
				return
			}
			told[i] = &catalog.Described{Connector: name, Version: desc.Version, Systems: desc.Systems}
		})
	}
	asking.Wait()
	var described []catalog.Described
	for _, t := range told {
		if t != nil {
			described = append(described, *t)
		}
	}
	embedded, diags := catalog.Read(configs.Systems(), "configs/systems")
	own, wrong := catalog.Read(os.DirFS(cfg.Host.SystemsDir), filepath.ToSlash(cfg.Host.SystemsDir))
	c, problems := catalog.New(described, embedded, own)
	for _, p := range problems {
		d.log.Warn("catalog", "code", p.Code, "problem", p.Message)
	}
	for _, s := range own {
		if slices.ContainsFunc(c.Missing(), func(m host.System) bool { return m.Name == s.System.Name }) {
			d.log.Warn("a system was left out, since the connector that runs its file is not in the plugin_dir", "system", s.System.Name, "connector", s.System.Connector)
		}
	}
	return c, append(diags, wrong...)
}

// tell logs the mistakes of the configuration, each with its place.
func (d *Daemon) tell(diags hcl.Diagnostics) {
	for _, g := range diags {
		place := ""
		if g.Subject != nil {
			place = fmt.Sprintf("%s:%d", g.Subject.Filename, g.Subject.Start.Line)
		}
		if g.Severity == hcl.DiagError {
			d.log.Error("configuration", "at", place, "mistake", g.Summary, "detail", g.Detail)
		} else {
			d.log.Warn("configuration", "at", place, "warning", g.Summary, "detail", g.Detail)
		}
	}
}

func (d *Daemon) mapping(c host.ConnectionID, e host.EntityName) syncer.Mapping {
	cfg := d.config.Load()
	for i := range cfg.Connections {
		if cfg.Connections[i].ID == c {
			if m := cfg.Connections[i].Map[e]; m != nil {
				return m.Apply
			}
		}
	}
	return nil
}

// newID returns a ULID with a prefix: unique, and sorted by its time.
func newID(prefix string) string {
	return prefix + ulid.MustNew(ulid.Now(), rand.Reader).String()
}
