package api

import (
	"bytes"
	"context"
	"errors"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// RecordJSON returns a record as this API answers it, for events.
func (a *API) RecordJSON(ctx context.Context, r *host.Record) ([]byte, error) {
	conn, err := a.memory.connection(ctx, a.Store, r.Connection)
	if err != nil && !errors.Is(err, state.ErrNotFound) { // removed meanwhile: there is no copy to look at
		return nil, err
	}
	var b bytes.Buffer
	fill := a.filling(ctx, &conn)
	writeRecord(&b, r, false, fill)
	return fill.fill(b.Bytes())
}
