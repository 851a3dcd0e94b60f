package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/config"
	"github.com/dinrail/dinrail/host/internal/state"
)

// moves finds which stored connections are to be renamed: those that a moved
// block names, whose own block is gone and whose new name is free. A move that
// was made before finds nothing to do.
func moves(stored []state.Versioned[host.Connection], cfg *config.Config) (todo []config.Move, refused []string) {
	there := map[host.ConnectionID]*host.Connection{}
	for i := range stored {
		there[stored[i].Value.ID] = &stored[i].Value
	}
	for _, m := range cfg.Moved {
		from, to := there[m.From], there[m.To]
		switch {
		case from == nil || from.ManagedBy != host.ManagedByFile:
		case to != nil:
			refused = append(refused, fmt.Sprintf("%s: the connection %s is not renamed, since there is a connection %s already; its data stays detached. Purge the one that is not wanted with: dinrail connection purge", m.Place(), m.From, m.To))
		default:
			todo = append(todo, m)
			there[m.To] = from // a chain of moves goes on from there
			delete(there, m.From)
		}
	}
	return todo, refused
}

// move renames connections, each in a step of its own.
func move(ctx context.Context, p Params, cfg *config.Config) error {
	for {
		stored, err := state.All[host.Connection](ctx, p.Store, state.KindConnection)
		if err != nil {
			return fmt.Errorf("read connections: %w", err)
		}
		todo, _ := moves(stored, cfg)
		if len(todo) == 0 {
			return nil
		}
		// One at a time: the next may go on from it.
		err = rename(ctx, p, todo[0])
		if err != nil && !errors.Is(err, state.ErrChanged) {
			return fmt.Errorf("rename connection %s to %s: %w", todo[0].From, todo[0].To, err)
		}
	}
}

// rename gives a connection its new name, and seals its credentials for it.
func rename(ctx context.Context, p Params, m config.Move) error {
	doc, _, err := state.Get[host.Connection](ctx, p.Store, state.KindConnection, string(m.From))
	if err != nil {
		return err
	}
	doc.ID = m.To
	for _, sealed := range []*[]byte{&doc.Credentials, &doc.FileCredentials} {
		if *sealed == nil {
			continue
		}
		plain, err := p.Sealer.Open("", *sealed, Place(m.From))
		if err != nil {
			return fmt.Errorf("open its credentials: %w", err)
		}
		if *sealed, err = p.Sealer.Seal("", plain, Place(m.To)); err != nil {
			return fmt.Errorf("seal its credentials: %w", err)
		}
	}
	key, err := p.Moved(ctx, m.From, m.To)
	if err != nil {
		return err
	}
	return p.Store.Rename(ctx, p.Now().UTC(), m.From, m.To, &doc, key, nil)
}
