package config

import (
	"maps"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/expr"
)

// Webhook is one webhook block: an endpoint. Of the embedded endpoint are set:
// ID, URL, ManagedBy, Events, Connections, Timeout, Rate, Retry, EmptySyncs,
// AllowPrivate, Network, Source.
type Webhook struct {
	host.Endpoint
	Secret  host.Secret // empty: one is minted
	Headers map[string]host.Secret
	Range   hcl.Range
}

var (
	webhookSchema = schema("url! secret events connections headers timeout rate empty_syncs allow_private network", hcl.BlockHeaderSchema{Type: "retry"})
	retrySchema   = schema("first factor limit schedule")
	hookSchema    = schema("events!")
)

// Bounds of endpoints, wide enough for any receiver.
const (
	longestTimeout = 5 * time.Minute
	longestLimit   = 30 * 24 * time.Hour
	mostFactor     = 100
)

func (l *loader) webhooks() {
	for _, b := range l.unique("webhook", false) {
		r := open(b.Body, b.DefRange, b.ctx, webhookSchema)
		r.id(b.Labels[0], "The name of a webhook")
		w := Webhook{Range: b.DefRange, Endpoint: host.Endpoint{
			ID: host.EndpointID(b.Labels[0]), ManagedBy: host.ManagedByFile, Source: b.place(),
			URL: r.url("url", "https", "http"), Events: []string{"*"}, Connections: r.patterns("connections"),
			Timeout: r.duration("timeout", host.DefaultTimeout, time.Millisecond), Rate: r.rate("rate"),
			EmptySyncs: r.flag("empty_syncs", true), AllowPrivate: r.flag("allow_private", true),
		}}
		if w.Timeout > longestTimeout {
			r.wrong("timeout", "Duration too long", `"timeout" must be at most %s.`, longestTimeout)
		}
		if r.has("events") {
			w.Events = r.eventPatterns("events")
		}
		w.Secret = r.secret("secret")
		if r.has("secret") && !w.Secret.Empty() {
			if _, err := host.ParseSigningSecret(w.Secret.Reveal()); err != nil {
				r.wrong("secret", "Wrong signing secret", "%s.", capital(host.MessageOf(err)))
			}
		}
		w.Headers = r.headers()
		w.Network = l.networkOf(r)
		w.Retry = r.retry()
		l.report(b.name(), false, r.diags)
		if !r.diags.HasErrors() {
			l.cfg.Webhooks = append(l.cfg.Webhooks, w)
		} else {
			l.cfg.brokenWebhooks = append(l.cfg.brokenWebhooks, w.ID)
		}
	}
}

// capital gives words a capital letter.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// eventPatterns reads types of events.
func (r *reader) eventPatterns(name string) []string {
	all := r.strings(name)
	known := []string{"sync.*", "connection.*", "record.*", "custom.*", "trigger.*", "endpoint.*", "system.*"}
	for _, t := range host.EventTypes() {
		known = append(known, string(t))
	}
	for _, p := range all {
		if !host.ValidEventPattern(p) {
			r.wrong(name, "Unknown event type", "There is no event of type %q.%s", p, didYouMean(p, known))
		}
	}
	return all
}

// headers reads headers that go with each attempt; they may be secret.
func (r *reader) headers() map[string]host.Secret {
	v, ok := r.value("headers", cty.Map(cty.String))
	if !ok {
		return nil
	}
	v, marks := v.Unmark()
	out := map[string]host.Secret{}
	values := v.AsValueMap()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		e := values[name]
		s := expr.Secret(e)
		switch canonical := textproto.CanonicalMIMEHeaderKey(name); {
		case !validHeader(name):
			r.wrong("headers", "Wrong header", "%q is not the name of an HTTP header.", name)
		case strings.HasPrefix(canonical, "Webhook-") || slices.Contains([]string{"Content-Type", "Content-Length", "User-Agent", "Connection", "Transfer-Encoding"}, canonical):
			r.wrong("headers", "Header not allowed", "%s is set by the host itself.", canonical)
		case strings.ContainsAny(s.Reveal(), "\r\n\x00"):
			r.wrong("headers", "Wrong header", "The value of %s has a line break.", canonical)
		default:
			if secretName.MatchString(name) && len(marks) == 0 && !expr.IsSensitive(e) && literal(r.content.Attributes["headers"].Expr, e) {
				r.literalSecret(r.place("headers"), name)
			}
			out[canonical] = s
		}
	}
	return out
}

// validHeader says whether a name is a token of RFC 9110, section 5.6.2.
func validHeader(name string) bool {
	for _, c := range name {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", c)) {
			return false
		}
	}
	return name != ""
}

// retry reads the retry block, or answers the default.
func (r *reader) retry() host.Retry {
	def := host.DefaultRetry()
	out := def
	for i, b := range r.content.Blocks.OfType("retry") {
		if i > 0 {
			r.diags = append(r.diags, twice("retry", b.DefRange, r.content.Blocks.OfType("retry")[0].DefRange))
			continue
		}
		rr := open(b.Body, b.DefRange, r.ctx, retrySchema)
		if rr.has("schedule") {
			out = host.Retry{}
			if rr.has("first") || rr.has("factor") || rr.has("limit") {
				rr.wrong("schedule", "One of two", `Give either "schedule" or "first", "factor" and "limit".`)
			}
			for _, s := range rr.strings("schedule") {
				d, err := host.ParseDuration(s)
				switch {
				case err != nil:
					rr.wrong("schedule", "Wrong duration", `"schedule" has an entry that is %s.`, err)
				case d < time.Millisecond || d > longestLimit:
					rr.wrong("schedule", "Wrong duration", `An entry of "schedule" must be between 1ms and %s.`, longestLimit)
				default:
					out.Schedule = append(out.Schedule, d)
				}
			}
			if len(out.Schedule) == 0 && !rr.diags.HasErrors() {
				rr.wrong("schedule", "Empty schedule", `"schedule" names the delay before each attempt after the first.`)
			}
		} else {
			out.First = rr.duration("first", def.First, time.Millisecond)
			out.Limit = rr.duration("limit", def.Limit, time.Millisecond)
			if v, ok := rr.shown("factor", cty.Number); ok {
				out.Factor, _ = v.AsBigFloat().Float64()
			}
			if out.Factor < 1 || out.Factor > mostFactor {
				rr.wrong("factor", "Wrong factor", `"factor" must be between 1 and %d.`, mostFactor)
			}
			if out.Limit > longestLimit {
				rr.wrong("limit", "Duration too long", `"limit" must be at most %s.`, longestLimit)
			}
		}
		r.diags = append(r.diags, rr.diags...)
	}
	return out
}

// hooks reads a connection's own choice of events at endpoints.
func (l *loader) hooks(r *reader, c *Connection) {
	places := map[host.EndpointID]hcl.Range{}
	for _, b := range r.content.Blocks.OfType("webhook") {
		id := host.EndpointID(b.Labels[0])
		if prior, ok := places[id]; ok {
			r.diags = append(r.diags, twice("webhook \""+string(id)+"\"", b.DefRange, prior))
			continue
		}
		places[id] = b.DefRange
		hr := open(b.Body, b.DefRange, r.ctx, hookSchema)
		events := hr.eventPatterns("events")
		r.diags = append(r.diags, hr.diags...)
		if c.Webhooks == nil {
			c.Webhooks = map[host.EndpointID][]string{}
		}
		c.Webhooks[id] = append([]string{}, events...)
	}
}
