package daemon

import (
	"context"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
	"github.com/dinrail/dinrail/host/internal/auth"
	"github.com/dinrail/dinrail/host/internal/connect"
	"github.com/dinrail/dinrail/host/internal/ui"
)

// attempts are the connect stage in the words of the pages.
type attempts struct{ *connect.Connect }

func (a attempts) Preset(ctx context.Context, s *host.ConnectSession) (ui.Filled, []string, error) {
	g, locked, err := a.Connect.Preset(ctx, s)
	return ui.Filled(g), locked, err
}

func (a attempts) Begin(ctx context.Context, link string, f ui.Filled) error {
	return a.Connect.Begin(ctx, link, connect.Given(f))
}

func (a attempts) Look(ctx context.Context, link string) (ui.Attempt, error) {
	at, err := a.Attempt(ctx, link)
	return ui.Attempt{
		Stage: string(at.Stage), Step: at.Step, Filled: ui.Filled(at.Given), Faults: at.Faults, Problem: at.Problem,
		Connection: at.Connection, Label: at.Label, Entities: at.Entities,
	}, err
}

func (a attempts) Arrive(ctx context.Context, came ui.Came) (string, bool, error) {
	return a.Connect.Arrive(ctx, connect.Came(came))
}

// desk lets people in to the dashboard.
type desk struct {
	*auth.Auth
	api *api.API
}

func (d desk) SignedIn(ctx context.Context, cookie string) (ui.Person, error) {
	who, err := d.Auth.SignedIn(ctx, cookie)
	if err != nil {
		return ui.Person{}, err
	}
	return ui.Person{Name: who.Name, Role: who.Role, Limited: who.Limited(), API: d.api.As(who)}, nil
}
