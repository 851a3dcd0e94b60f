package daemon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/hcl/v2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/apply"
	"github.com/dinrail/dinrail/host/internal/auth"
	"github.com/dinrail/dinrail/host/internal/catalog"
	"github.com/dinrail/dinrail/host/internal/config"
	"github.com/dinrail/dinrail/host/internal/expr"
	"github.com/dinrail/dinrail/host/internal/plugin"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Plan tells what a reload would do.
func (d *Daemon) Plan(ctx context.Context) (any, error) {
	cfg, _, err := d.load(ctx)
	if err != nil {
		return nil, err
	}
	plan, err := apply.MakePlan(ctx, d.applyParams(), cfg)
	if err != nil {
		return nil, err
	}
	plan.Restart = needsRestart(d.config.Load(), cfg)
	return plan, nil
}

// needsRestart names the attributes of the host block that differ and are read
// at the start alone.
func needsRestart(was, is *config.Config) []string {
	running, next := &was.Host, &is.Host
	out := []string{}
	for _, a := range []struct {
		name   string
		differ bool
	}{
		{"host.data_dir", running.DataDir != next.DataDir},
		{"host.drain", running.Drain != next.Drain},
		{"host.encrypt_data", running.EncryptData != next.EncryptData},
		{"host.key", running.Key != next.Key || running.KeyFile != next.KeyFile || !slices.Equal(running.KeyCommand, next.KeyCommand)},
		{"host.listen", running.Listen != next.Listen},
		{"host.plugin_dir", running.PluginDir != next.PluginDir},
		{"host.rate", running.RatePerSecond != next.RatePerSecond},
		{"listener", !reflect.DeepEqual(published(was), published(is))},
	} {
		if a.differ {
			out = append(out, a.name)
		}
	}
	return out
}

// published are the listener blocks, whose order does not matter.
func published(cfg *config.Config) map[string]config.Listener {
	out := map[string]config.Listener{}
	for _, l := range cfg.Listeners {
		if l.Name != "" {
			out[l.Name] = l
		}
	}
	return out
}

// keepUntilRestart sets in what is next what the running host goes on with.
func keepUntilRestart(is, was *config.Config) {
	next, running := &is.Host, &was.Host
	is.Listeners = was.Listeners
	next.DataDir, next.Listen, next.PluginDir = running.DataDir, running.Listen, running.PluginDir
	next.Drain, next.EncryptData, next.RatePerSecond = running.Drain, running.EncryptData, running.RatePerSecond
	next.Key, next.KeyFile, next.KeyCommand = running.Key, running.KeyFile, running.KeyCommand
}

// Reload reads the configuration again and brings the host in line with it. A
// mistake keeps the running configuration whole.
func (d *Daemon) Reload(ctx context.Context) (any, error) {
	d.reload.Lock()
	defer d.reload.Unlock()
	cfg, systems, err := d.load(ctx)
	if err != nil {
		return nil, err
	}
	running := d.config.Load()
	plan, err := apply.MakePlan(ctx, d.applyParams(), cfg)
	if err != nil {
		return nil, err
	}
	if plan.Restart = needsRestart(running, cfg); len(plan.Restart) > 0 {
		d.log.Warn("some of the configuration takes effect when the host is started again", "attributes", plan.Restart)
		keepUntilRestart(cfg, running)
	}
	d.plugins.Configure(pluginOptions(cfg))
	before := d.catalog.Load()
	d.catalog.Store(systems)
	if err := apply.Apply(ctx, d.applyParams(), cfg); err != nil {
		return nil, err
	}
	d.auth.SetAdminTokens(adminTokens(cfg))
	d.config.Store(cfg)
	if !slices.Equal(cfg.Host.PrivateTargets, running.Host.PrivateTargets) {
		// What is open goes by what was allowed when it was opened.
		if err := d.openAnew(ctx, "host.private_targets changed; it is checked again", (*host.Connection).PublicOnly); err != nil {
			return nil, err
		}
	}
	if err := d.openAnew(ctx, "its system's file changed; it is checked again", func(c *host.Connection) bool {
		return !before.Definition(c.System).Equal(systems.Definition(c.System))
	}); err != nil {
		return nil, err
	}
	d.compileTriggers(cfg)
	d.log.SetLevel(hclog.LevelFromString(cfg.Host.LogLevel))
	d.log.Info("configuration reloaded", "connections", len(cfg.Connections))
	return plan, nil
}

// openAnew lets the connections that are chosen be opened anew.
func (d *Daemon) openAnew(ctx context.Context, why string, chosen func(*host.Connection) bool) error {
	all, err := state.All[host.Connection](ctx, d.store, state.KindConnection)
	if err != nil {
		return fmt.Errorf("read the connections: %w", err)
	}
	for i := range all {
		if !chosen(&all[i].Value) {
			continue
		}
		if err := d.reopen(ctx, host.ConnectionID(all[i].ID), why); err != nil {
			return fmt.Errorf("open connection %s anew: %w", all[i].ID, err)
		}
	}
	return nil
}

func (d *Daemon) reopen(ctx context.Context, id host.ConnectionID, why string) error {
	for {
		c, rev, err := state.Get[host.Connection](ctx, d.store, state.KindConnection, string(id))
		if errors.Is(err, state.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		now := time.Now()
		c.CredentialsRevision++
		if c.Status != host.StatusAuthRequired { // its login was refused, and is not tried again for this
			c.Fresh(why, now)
		}
		put, err := state.PutOf(state.KindConnection, string(id), rev, &c)
		if err == nil {
			_, err = d.store.Commit(ctx, now, []state.Put{put}, nil, nil)
		}
		if !errors.Is(err, state.ErrChanged) {
			return err
		}
	}
}

// load reads the configuration and the systems' files for a reload: any mistake
// refuses it.
func (d *Daemon) load(ctx context.Context) (*config.Config, *catalog.Catalog, error) {
	cfg, diags := config.Load(d.options.Config)
	var systems *catalog.Catalog
	if cfg != nil && !config.Fatal(diags) {
		var wrong hcl.Diagnostics
		systems, wrong = d.describe(ctx, cfg)
		diags = slices.Concat(diags, wrong, cfg.Check(systems.List()))
	}
	if diags.HasErrors() || systems == nil {
		return nil, nil, host.Errorf(host.CodeInvalid, "the configuration has mistakes; the running one stays: %s", words(diags))
	}
	return cfg, systems, nil
}

// words puts mistakes on one line each.
func words(diags hcl.Diagnostics) string {
	text := ""
	for _, g := range diags {
		if g.Severity != hcl.DiagError {
			continue
		}
		if g.Subject != nil {
			text += fmt.Sprintf("\n%s:%d: ", g.Subject.Filename, g.Subject.Start.Line)
		} else {
			text += "\n"
		}
		text += g.Summary
		if g.Detail != "" {
			text += "; " + g.Detail
		}
	}
	return text
}

// Validate reads the configuration, asks the connectors what they are, and
// writes every mistake to out. It changes nothing. It says whether there was
// none.
func Validate(ctx context.Context, o Options, out io.Writer) (bool, error) {
	cfg, diags := config.Load(o.Config)
	if cfg != nil && !config.Fatal(diags) {
		systems, wrong, err := describeFor(ctx, cfg)
		if err != nil {
			return false, err
		}
		diags = slices.Concat(diags, wrong, cfg.Check(systems.List()))
	}
	var sources map[string]*hcl.File
	if cfg != nil {
		sources = cfg.Sources()
	}
	if err := config.Render(out, diags, sources); err != nil {
		return false, err
	}
	return !diags.HasErrors(), nil
}

// describeFor starts the connectors of a configuration for as long as it takes
// to ask them what they are.
func describeFor(ctx context.Context, cfg *config.Config) (*catalog.Catalog, hcl.Diagnostics, error) {
	dir, err := os.MkdirTemp("", "dinrail-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	plugins, err := plugin.New(plugin.Params{Dir: cfg.Host.PluginDir, RunDir: dir, Log: hclog.NewNullLogger(), Connectors: pluginOptions(cfg)})
	if err != nil {
		return nil, nil, err
	}
	if err := plugins.Start(ctx); err != nil {
		return nil, nil, err
	}
	defer plugins.Stop()
	d := &Daemon{plugins: plugins, log: hclog.NewNullLogger()}
	systems, wrong := d.describe(ctx, cfg)
	return systems, wrong, nil
}

// Format returns HCL in its canonical form.
func Format(src []byte) []byte { return config.Format(src) }

// Functions returns the names of the functions that configuration may call.
func Functions() []string { return expr.Names() }

// Socket returns the control socket of the host that a configuration runs.
func Socket(paths []string) (string, error) {
	cfg, diags := config.Load(paths)
	if cfg == nil {
		return "", fmt.Errorf("%w:%s", ErrConfig, words(diags))
	}
	return filepath.Join(cfg.Host.DataDir, socketName), nil
}

func pluginOptions(cfg *config.Config) map[host.ConnectorName]plugin.Options {
	out := make(map[host.ConnectorName]plugin.Options, len(cfg.Connectors))
	for name, c := range cfg.Connectors {
		out[name] = plugin.Options{Source: c.Source, SHA256: c.SHA256, Env: c.Env, Memory: c.Memory, Isolation: c.Isolation}
	}
	return out
}

func adminTokens(cfg *config.Config) []auth.AdminToken {
	out := make([]auth.AdminToken, 0, len(cfg.AdminTokens))
	for _, t := range cfg.AdminTokens {
		a := auth.AdminToken{Name: t.Name, Role: t.Role, Connections: t.Connections}
		if t.SHA256 != "" {
			b, _ := hex.DecodeString(t.SHA256) // its form was checked when it was loaded
			copy(a.Hash[:], b)
		} else {
			a.Hash = sha256.Sum256([]byte(t.Value.Reveal()))
		}
		out = append(out, a)
	}
	return out
}
