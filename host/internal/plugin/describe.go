package plugin

import (
	"context"
	"os"
	"strings"
	"time"

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

// cachedDescription is a description and the file that gave it.
type cachedDescription struct {
	description Description
	modified    time.Time
	size        int64
}

// Describe asks a connector what it is. The answer is kept as long as its
// program's file stays as it is.
func (h *Host) Describe(ctx context.Context, name host.ConnectorName) (Description, error) {
	info, statErr := os.Stat(h.path(name))
	if statErr == nil {
		h.mu.Lock()
		c, ok := h.described[name]
		h.mu.Unlock()
		if ok && c.modified.Equal(info.ModTime()) && c.size == info.Size() {
			return c.description, nil
		}
	}
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
		h.mu.Lock()
		h.described[name] = cachedDescription{d, info.ModTime(), info.Size()}
		h.mu.Unlock()
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
			system.Auth = append(system.Auth, host.AuthMethod{Name: a.GetName(), Label: a.GetLabel(), Fields: settingsOf(a.GetFields())})
		}
		d.Systems = append(d.Systems, system)
	}
	return d, nil
}
