package plugin

import (
	"context"
	"strings"

	"github.com/dinrail/dinrail/host"
	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// Description is what a connector says of itself.
type Description struct {
	Name    string
	Version string
	Systems []host.System
	// Problems are its warnings, for people; a mistake of it is an error of
	// Describe instead.
	Problems []string
}

// Describe asks a connector what it is. The answer is kept, over restarts too,
// as long as its program's file stays as it is.
func (h *Host) Describe(ctx context.Context, name host.ConnectorName) (Description, error) {
	if d, ok, err := h.recall(name); ok || err != nil {
		return d, err
	}
	program, statErr := identify(h.path(name))
	s := newSlot(h, slotKey{connector: name, connection: "describe"}, false)
	s.silent = true
	h.mu.Lock()
	stopped := h.stopped
	h.describing[s] = true
	h.mu.Unlock()
	defer func() {
		s.retire("it was only asked what it is")
		h.mu.Lock()
		delete(h.describing, s)
		h.mu.Unlock()
	}()
	if stopped {
		return Description{}, host.Errorf(host.CodeCanceled, "the host stops")
	}
	l, err := s.ensure(ctx)
	if err != nil {
		return Description{}, err
	}
	c := &Conn{slot: s, live: l, id: "describe", name: name}
	var d Description
	err = c.call(func() error {
		res, err := l.rpc.Describe(ctx, &connectorv1.DescribeRequest{})
		if err != nil {
			return err
		}
		if err := diagnosed(res.GetDiagnostics()); err != nil {
			return err
		}
		d, err = descriptionOf(name, res)
		for _, w := range res.GetDiagnostics() {
			d.Problems = append(d.Problems, strings.TrimSuffix(w.GetSummary()+": "+w.GetDetail(), ": "))
		}
		return err
	})
	if err != nil {
		return Description{}, err
	}
	if statErr == nil {
		h.keep(name, program, d)
	}
	return d, nil
}

func descriptionOf(name host.ConnectorName, r *connectorv1.DescribeResponse) (Description, error) {
	d := Description{Name: r.GetName(), Version: r.GetVersion()}
	for _, s := range r.GetSystems() {
		entities, err := entitiesOf(name, s.GetEntities())
		if err != nil {
			return Description{}, err
		}
		system := host.System{
			Name: host.SystemName(s.GetName()), Label: s.GetLabel(), Vendor: s.GetVendor(), Category: s.GetCategory(),
			Website: s.GetWebsite(), Connector: name, Guide: s.GetGuide(), Settings: settingsOf(s.GetSettings()),
			Entities: entities, Proof: s.GetProof(),
		}
		for _, a := range s.GetAuth() {
			method := host.AuthMethod{Name: a.GetName(), Label: a.GetLabel(), Fields: settingsOf(a.GetFields())}
			if o := a.GetOauth(); o != nil {
				method.OAuth = &host.OAuth{Grants: o.GetGrants(), AuthorizeURL: o.GetAuthorizeUrl(), TokenURL: o.GetTokenUrl(), Scopes: o.GetScopes(), Parameters: o.GetParameters()}
			}
			system.Auth = append(system.Auth, method)
		}
		d.Systems = append(d.Systems, system)
	}
	return d, nil
}
