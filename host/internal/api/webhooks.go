package api

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/sdk/reach"
)

// webhookRoutes are the calls about endpoints, events and deliveries.
func (a *API) webhookRoutes() []route {
	v, o, ad := host.RoleViewer, host.RoleOperator, host.RoleAdmin
	const all, one = "/v1/admin/webhooks", "/v1/admin/webhooks/{endpoint}"
	const deliveries, delivery = "/v1/admin/deliveries", "/v1/admin/deliveries/{delivery}"
	chosen := []string{"status", "endpoint", "connection", "event_type", "since", "until"}
	rs := []route{
		{method: "GET", path: all, role: v, whole: true, summary: "Endpoints", query: pages(), do: a.webhooks, answer: list[endpointView]{}},
		{method: "POST", audit: "endpoint.create", path: all, role: ad, whole: true, summary: "Make an endpoint; its signing secret is shown once", do: a.createWebhook, status: http.StatusCreated, body: endpointRequest{}, answer: endpointView{}},
		{method: "GET", path: one, role: v, whole: true, summary: "One endpoint", do: a.webhook, answer: endpointView{}},
		{method: "PATCH", audit: "endpoint.update", path: one, role: ad, whole: true, summary: "Change an endpoint", do: a.changeWebhook, body: endpointRequest{}, answer: endpointView{}},
		{method: "DELETE", audit: "endpoint.remove", path: one, role: ad, whole: true, summary: "Remove an endpoint; what it is owed is dead", do: a.removeWebhook, status: http.StatusNoContent},
		{method: "GET", audit: "endpoint.show_secret", path: one + "/secret", role: ad, whole: true, summary: "The signing secret", do: a.webhookSecret, answer: secretAnswer{}},
		{method: "POST", audit: "endpoint.test", path: one + "/test", role: o, whole: true, summary: "Send a test event", do: a.testWebhook, status: http.StatusAccepted, answer: eventAnswer{}},
		{method: "POST", audit: "endpoint.rotate_secret", path: one + "/rotate-secret", role: ad, whole: true, summary: "Mint a new signing secret; the old one signs along for 24 hours", do: a.rotateSecret, answer: secretAnswer{}},
		{method: "POST", audit: "endpoint.enable", path: one + "/enable", role: o, whole: true, summary: "Serve a disabled endpoint again; what it is owed goes out", do: a.enableWebhook, answer: endpointView{}},
		{method: "POST", audit: "endpoint.disable", path: one + "/disable", role: o, whole: true, summary: "Stop serving an endpoint; what it is owed is held", do: a.disableWebhook, answer: endpointView{}},

		{method: "POST", path: "/v1/admin/events", role: ad, summary: "Make a custom event", do: a.makeEvent, status: http.StatusAccepted, body: eventRequest{}, answer: eventAnswer{}},

		{method: "GET", path: deliveries, role: v, summary: "Deliveries, newest first", query: pages(chosen...), do: a.deliveries, answer: list[deliveryView]{}},
		{method: "GET", path: delivery, role: v, summary: "One delivery", do: a.delivery, answer: deliveryView{}},
		{method: "GET", path: delivery + "/attempts", role: v, summary: "A delivery's attempts, oldest first", query: pages(), do: a.attempts, answer: list[attemptView]{}},
		{method: "POST", audit: "delivery.retry", path: delivery + "/retry", role: o, summary: "Try a delivery again now", do: a.retry, status: http.StatusAccepted, answer: deliveryView{}},
		{method: "POST", audit: "delivery.retry_many", path: deliveries + "/retry", role: o, summary: "Try all that a filter chooses again, in the background", do: a.retryAll, status: http.StatusAccepted, body: retryRequest{}, answer: retryView{}},
		{method: "GET", path: "/v1/admin/retries/{wish}", role: v, summary: "How far a retry of many is", do: a.retryProgress, answer: retryView{}},
	}
	for i := range rs {
		rs[i].open = admin
	}
	return rs
}

// retryTimes is when failed deliveries are tried again, as it is asked for and
// shown.
type retryTimes struct {
	First    string   `json:"first,omitempty"`
	Factor   float64  `json:"factor,omitempty"`
	Limit    string   `json:"limit,omitempty"`
	Schedule []string `json:"schedule,omitempty"`
}

// endpointRequest is an endpoint as it is asked for. What is left out of a
// change stays.
type endpointRequest struct {
	ID          host.EndpointID    `json:"id,omitempty"`
	URL         *string            `json:"url,omitempty"`
	Secret      *string            `json:"secret,omitempty"`
	Events      *[]string          `json:"events,omitempty"`
	Connections *[]string          `json:"connections,omitempty"`
	Headers     *map[string]string `json:"headers,omitempty"`
	Timeout     *string            `json:"timeout,omitempty"`
	Rate        *float64           `json:"rate,omitempty"` // attempts a second; 0: no limit
	EmptySyncs  *bool              `json:"empty_syncs,omitempty"`
	Retry       *retryTimes        `json:"retry,omitempty"`
}

// endpointView is an endpoint as it is shown.
type endpointView struct {
	ID           host.EndpointID               `json:"id"`
	URL          string                        `json:"url"`
	ManagedBy    host.ManagedBy                `json:"managed_by"`
	Status       string                        `json:"status"` // enabled, disabled
	Reason       string                        `json:"reason,omitempty"`
	DisabledAt   stamp                         `json:"disabled_at,omitzero"`
	Events       []string                      `json:"events"`
	Connections  []string                      `json:"connections"`
	Timeout      string                        `json:"timeout"`
	Rate         float64                       `json:"rate"`
	EmptySyncs   bool                          `json:"empty_syncs"`
	AllowPrivate bool                          `json:"allow_private"`
	Retry        retryTimes                    `json:"retry"`
	FailingSince stamp                         `json:"failing_since"`
	Deliveries   map[host.DeliveryStatus]int64 `json:"deliveries"`
	CreatedAt    stamp                         `json:"created_at"`
	Secret       string                        `json:"secret,omitempty"` // of a new one, once
}

func endpointViewOf(e *host.Endpoint, owed map[host.DeliveryStatus]int64) endpointView {
	v := endpointView{
		ID: e.ID, URL: e.URL, ManagedBy: e.ManagedBy, Status: "enabled", Events: append([]string{}, e.Events...), Connections: append([]string{}, e.Connections...),
		Timeout: e.Timeout.String(), Rate: e.Rate, EmptySyncs: e.EmptySyncs, AllowPrivate: e.AllowPrivate,
		FailingSince: stamp(e.FailingSince), Deliveries: owed, CreatedAt: stamp(e.CreatedAt),
	}
	if d := e.Disabled; d != nil {
		v.Status, v.Reason, v.DisabledAt = "disabled", d.Reason, stamp(d.At)
	}
	if v.Deliveries == nil {
		v.Deliveries = map[host.DeliveryStatus]int64{}
	}
	if len(v.Connections) == 0 {
		v.Connections = []string{"*"}
	}
	if len(e.Retry.Schedule) > 0 {
		for _, d := range e.Retry.Schedule {
			v.Retry.Schedule = append(v.Retry.Schedule, d.String())
		}
	} else {
		v.Retry = retryTimes{First: e.Retry.First.String(), Factor: e.Retry.Factor, Limit: e.Retry.Limit.String()}
	}
	return v
}

type secretAnswer struct {
	Secret string `json:"secret"`
}

func (a *API) webhooks(c *call) error {
	all, err := state.All[host.Endpoint](c.Context(), a.Store, state.KindEndpoint)
	if err != nil {
		return err
	}
	owed, err := a.Store.Owed(c.Context())
	if err != nil {
		return err
	}
	out := []endpointView{}
	for i := range all {
		out = append(out, endpointViewOf(&all[i].Value, owed[all[i].Value.ID]))
	}
	return pageOf(a, c, out, func(v endpointView) string { return string(v.ID) })
}

func (a *API) webhook(c *call) error {
	e, _, err := a.findEndpoint(c)
	if err != nil {
		return err
	}
	return a.answerEndpoint(c, http.StatusOK, &e, "")
}

func (a *API) findEndpoint(c *call) (host.Endpoint, host.Sequence, error) {
	id := c.PathValue("endpoint")
	e, rev, err := state.Get[host.Endpoint](c.Context(), a.Store, state.KindEndpoint, id)
	if errors.Is(err, state.ErrNotFound) {
		return e, rev, host.Errorf(host.CodeNotFound, "there is no endpoint %q; /v1/admin/webhooks lists what there is", id)
	}
	return e, rev, err
}

func (a *API) answerEndpoint(c *call, status int, e *host.Endpoint, secret string) error {
	_, owed, err := a.Store.Deliveries(c.Context(), e.ID, "", "", 1)
	if err != nil {
		return err
	}
	v := endpointViewOf(e, owed)
	v.Secret = secret
	a.write(c, status, v)
	return nil
}

// createWebhook makes an endpoint.
func (a *API) createWebhook(c *call) error {
	var req endpointRequest
	if err := body(c, &req); err != nil {
		return err
	}
	if req.ID == "" {
		req.ID = host.EndpointID("hook-" + strings.ToLower(ulid.Make().String()[14:]))
	}
	e := host.Endpoint{
		ID: req.ID, ManagedBy: host.ManagedByAPI, Events: []string{"*"}, Timeout: host.DefaultTimeout, Retry: host.DefaultRetry(),
		EmptySyncs: true, CreatedAt: a.Clock().UTC(),
	}
	bad := req.into(&e, a.PrivateTargets())
	if !host.ValidID(string(req.ID)) {
		bad = append(bad, fault{"body.id", "it must have 1 to 64 characters of A-Z a-z 0-9 _ -"})
	}
	if req.URL == nil {
		bad = append(bad, fault{"body.url", "an endpoint needs the URL that events are sent to"})
	}
	if len(bad) > 0 {
		return bad
	}
	if err := a.sealHeaders(&e, req.Headers); err != nil {
		return err
	}
	secret, err := a.newSecret(&e, req.Secret)
	if err != nil {
		return err
	}
	put, err := state.PutOf(state.KindEndpoint, string(e.ID), state.Absent, &e)
	if err != nil {
		return err
	}
	_, err = a.Store.Commit(c.Context(), a.Clock(), []state.Put{put}, nil, nil)
	if errors.Is(err, state.ErrChanged) {
		return host.Errorf(host.CodeConflict, "there is an endpoint %q already", e.ID)
	}
	c.made.target = string(e.ID)
	if err != nil {
		return err
	}
	return a.answerEndpoint(c, http.StatusCreated, &e, secret)
}

// changeWebhook changes what is given of an endpoint that the API manages.
func (a *API) changeWebhook(c *call) error {
	var req endpointRequest
	if err := body(c, &req); err != nil {
		return err
	}
	var bad faults
	if req.ID != "" && string(req.ID) != c.PathValue("endpoint") {
		bad = append(bad, fault{"body.id", "an endpoint keeps its id; make another one"})
	}
	if req.Secret != nil {
		bad = append(bad, fault{"body.secret", "a secret changes by rotate-secret"})
	}
	return a.editEndpoint(c, true, func(e *host.Endpoint) ([]host.Event, error) {
		if wrong := append(bad, req.into(e, a.PrivateTargets())...); len(wrong) > 0 {
			return nil, wrong
		}
		return nil, a.sealHeaders(e, req.Headers)
	})
}

// into puts what is given into an endpoint and returns what is wrong with it.
func (r *endpointRequest) into(e *host.Endpoint, private []netip.Prefix) faults {
	var bad faults
	if r.URL != nil {
		e.URL = *r.URL
		if why := wrongTarget(*r.URL, private); why != "" {
			bad = append(bad, fault{"body.url", why})
		}
	}
	if r.Events != nil {
		e.Events = *r.Events
		bad = append(bad, wrongEvents("body.events", e.Events)...)
	}
	if r.Connections != nil {
		e.Connections = *r.Connections
	}
	if r.Timeout != nil {
		d, err := time.ParseDuration(*r.Timeout)
		if err != nil || d < time.Millisecond || d > 5*time.Minute {
			bad = append(bad, fault{"body.timeout", "it must be a duration from 1ms to 5m, as in 10s"})
		}
		e.Timeout = d
	}
	if r.Rate != nil {
		if e.Rate = *r.Rate; e.Rate < 0 {
			bad = append(bad, fault{"body.rate", "it must be attempts a second, or 0 for no limit"})
		}
	}
	if r.EmptySyncs != nil {
		e.EmptySyncs = *r.EmptySyncs
	}
	if r.Retry != nil {
		bad = append(bad, r.Retry.into(e)...)
	}
	if r.Secret != nil {
		if _, err := host.ParseSigningSecret(*r.Secret); err != nil {
			bad = append(bad, fault{"body.secret", host.MessageOf(err)})
		}
	}
	if r.Headers != nil {
		for name, v := range *r.Headers {
			canonical := textproto.CanonicalMIMEHeaderKey(name)
			if name == "" || strings.ContainsAny(name, " :\r\n\t") || strings.ContainsAny(v, "\r\n\x00") || strings.HasPrefix(canonical, "Webhook-") ||
				slices.Contains([]string{"Content-Type", "Content-Length", "User-Agent", "Connection", "Transfer-Encoding"}, canonical) {
				bad = append(bad, fault{"body.headers", fmt.Sprintf("%q cannot be set", name)})
			}
		}
	}
	return bad
}

func (t *retryTimes) into(e *host.Endpoint) faults {
	var bad faults
	duration := func(name, v string, def time.Duration) time.Duration {
		if v == "" {
			return def
		}
		d, err := time.ParseDuration(v)
		if err != nil || d < time.Millisecond || d > 30*24*time.Hour {
			bad = append(bad, fault{"body.retry." + name, "it must be a duration from 1ms to 720h, as in 30s"})
		}
		return d
	}
	if len(t.Schedule) > 0 {
		if t.First != "" || t.Factor != 0 || t.Limit != "" {
			bad = append(bad, fault{"body.retry", "give either schedule or first, factor and limit"})
		}
		e.Retry = host.Retry{}
		for _, v := range t.Schedule {
			e.Retry.Schedule = append(e.Retry.Schedule, duration("schedule", v, 0))
		}
		return bad
	}
	def := host.DefaultRetry()
	e.Retry = host.Retry{First: duration("first", t.First, def.First), Factor: def.Factor, Limit: duration("limit", t.Limit, def.Limit)}
	if t.Factor != 0 {
		e.Retry.Factor = t.Factor
	}
	if e.Retry.Factor < 1 || e.Retry.Factor > 100 {
		bad = append(bad, fault{"body.retry.factor", "it must be from 1 to 100"})
	}
	return bad
}

// wrongTarget says why events cannot be sent to a URL that somebody gave by the
// API. Where a name leads is looked at when it is called.
func wrongTarget(text string, private []netip.Prefix) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "it must be a URL that starts with https:// or http://"
	}
	if u.User != nil {
		return "it must not hold a user or password; give headers instead"
	}
	name := u.Hostname()
	if strings.EqualFold(name, "localhost") || strings.HasSuffix(strings.ToLower(name), ".localhost") {
		name = "127.0.0.1"
	}
	if addr, err := netip.ParseAddr(name); err == nil {
		return reach.Refused(addr, true, private...)
	}
	return ""
}

func (a *API) sealHeaders(e *host.Endpoint, headers *map[string]string) error {
	if headers == nil {
		return nil
	}
	canonical := map[string]string{}
	for name, v := range *headers {
		canonical[textproto.CanonicalMIMEHeaderKey(name)] = v
	}
	var err error
	e.Headers, err = a.Credentials.SealHeaders(e, canonical)
	return err
}

// newSecret makes a signing secret the endpoint's current one, the given one or
// a fresh one, and returns it as its receiver wants it.
func (a *API) newSecret(e *host.Endpoint, given *string) (string, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand
	if given != nil {
		var err error
		if key, err = host.ParseSigningSecret(*given); err != nil {
			return "", err
		}
	}
	sealed, err := a.Credentials.SealSigning(e, key)
	if err != nil {
		return "", err
	}
	e.Rotate(sealed, a.Clock().UTC())
	return host.FormatSigningSecret(key).Reveal(), nil
}

// editEndpoint changes an endpoint and answers it; own: only one that the API
// manages.
func (a *API) editEndpoint(c *call, own bool, edit func(*host.Endpoint) ([]host.Event, error)) error {
	for {
		e, rev, err := a.findEndpoint(c)
		if err != nil {
			return err
		}
		if own && e.ManagedBy == host.ManagedByFile {
			return host.Errorf(host.CodeConflict, "the endpoint %s stands in the configuration (%s); change it there", e.ID, e.Source)
		}
		events, err := edit(&e)
		if err != nil {
			return err
		}
		put, err := state.PutOf(state.KindEndpoint, string(e.ID), rev, &e)
		if err != nil {
			return err
		}
		_, err = a.Store.Commit(c.Context(), a.Clock(), []state.Put{put}, events, nil)
		if errors.Is(err, state.ErrChanged) {
			continue
		}
		if err != nil {
			return err
		}
		return a.answerEndpoint(c, http.StatusOK, &e, "")
	}
}

func (a *API) removeWebhook(c *call) error {
	e, rev, err := a.findEndpoint(c)
	if err != nil {
		return err
	}
	if e.ManagedBy == host.ManagedByFile {
		return host.Errorf(host.CodeConflict, "the endpoint %s stands in the configuration (%s); remove it there", e.ID, e.Source)
	}
	if _, err := a.Store.Commit(c.Context(), a.Clock(), []state.Put{state.Delete(state.KindEndpoint, string(e.ID), rev)}, nil, nil); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) webhookSecret(c *call) error {
	e, _, err := a.findEndpoint(c)
	if err != nil {
		return err
	}
	keys, _, err := a.Credentials.OpenEndpoint(&e)
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, secretAnswer{host.FormatSigningSecret(keys[len(keys)-1]).Reveal()})
	return nil
}

func (a *API) rotateSecret(c *call) error {
	for {
		e, rev, err := a.findEndpoint(c)
		if err != nil {
			return err
		}
		secret, err := a.newSecret(&e, nil)
		if err != nil {
			return err
		}
		put, err := state.PutOf(state.KindEndpoint, string(e.ID), rev, &e)
		if err != nil {
			return err
		}
		_, err = a.Store.Commit(c.Context(), a.Clock(), []state.Put{put}, nil, nil)
		if errors.Is(err, state.ErrChanged) {
			continue
		}
		if err != nil {
			return err
		}
		a.write(c, http.StatusOK, secretAnswer{secret})
		return nil
	}
}

func (a *API) enableWebhook(c *call) error {
	return a.editEndpoint(c, false, func(e *host.Endpoint) ([]host.Event, error) {
		if e.Disabled != nil {
			e.Disabled, e.Recovering, e.FailingSince = nil, true, time.Time{}
		}
		return nil, nil
	})
}

func (a *API) disableWebhook(c *call) error {
	return a.editEndpoint(c, false, func(e *host.Endpoint) ([]host.Event, error) {
		if e.Disabled != nil {
			return nil, nil
		}
		e.Disabled = &host.Disabled{At: a.Clock().UTC(), Reason: "disabled by a person", Asked: true}
		event, err := a.newEvent(host.EventEndpointDisabled, "", map[string]any{"endpoint": e.ID, "reason": e.Disabled.Reason})
		event.Endpoint = e.ID
		return []host.Event{event}, err
	})
}

func (a *API) testWebhook(c *call) error {
	e, _, err := a.findEndpoint(c)
	if err != nil {
		return err
	}
	event, err := a.newEvent(host.EventWebhookTest, "", struct{}{})
	if err != nil {
		return err
	}
	event.Endpoint = e.ID
	if _, err := a.Store.Commit(c.Context(), a.Clock(), nil, []host.Event{event}, nil); err != nil {
		return err
	}
	a.write(c, http.StatusAccepted, eventAnswer{event.ID})
	return nil
}
