package web

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/dinrail/dinrail/sdk"
	"github.com/dinrail/dinrail/sdk/definition"
)

// checkpoint is where a read stands.
type checkpoint struct {
	Since   string    `json:"since,omitempty"`   // what this read asks for, before the overlap; "": all
	Until   string    `json:"until,omitempty"`   // end of the window
	Started string    `json:"started,omitempty"` // by the system's clock
	Latest  string    `json:"latest,omitempty"`  // change that this read saw
	Middle  bool      `json:"middle,omitempty"`  // the read goes on
	Deleted bool      `json:"deleted,omitempty"` // its list is done, it reads deletions
	List    position  `json:"list,omitzero"`
	Parents *position `json:"parents,omitempty"` // of each: the page of parents
	Skip    int       `json:"skip,omitempty"`    // so many of that page are done
	Next    string    `json:"next,omitempty"`    // where the next read asks from
	Done    bool      `json:"done,omitempty"`    // of a full read: nothing is left of it
}

// reading is one Read.
type reading struct {
	*Connection
	entity *definition.Entity
	mapper *definition.Mapper
	w      pages
	at     checkpoint
	full   bool
	queued int // records since the last Flush
}

// pages takes what is read; an sdk.PageWriter is one.
type pages interface {
	Upsert(r sdk.Record) error
	Bad(id, field, reason string) error
	Total(n int64)
	Flush(checkpoint []byte) error
}

// Read implements sdk.Connection.
func (c *Connection) Read(ctx context.Context, r sdk.ReadRequest, w *sdk.PageWriter) error {
	return c.readTo(ctx, r, w)
}

func (c *Connection) readTo(ctx context.Context, r sdk.ReadRequest, w pages) error {
	e, err := c.entity(r.Entity)
	if err != nil {
		return err
	}
	g := &reading{Connection: c, entity: e, mapper: e.Mapper(c.client.settings), w: w, full: r.Full}
	if len(r.Checkpoint) > 0 {
		if err := json.Unmarshal(r.Checkpoint, &g.at); err != nil {
			return &sdk.Failure{Code: sdk.CodeInvalid, Message: "the checkpoint is not one of this connector", Err: err}
		}
	}
	if r.Full && g.at.Done {
		return nil
	}
	if !g.at.Middle {
		since := g.at.Next
		if r.Full {
			since = ""
			if e.Since != nil {
				since = stamped(r.Since)
			}
		}
		g.at = checkpoint{Since: since, Next: g.at.Next, Middle: true}
		if r.Full {
			g.at.Next = ""
		}
	}
	if e.Each != "" {
		err = g.each(ctx)
	} else {
		err = g.windows(ctx)
	}
	if err != nil {
		return err
	}
	if e.Deletions != nil && g.at.Since != "" && !r.Full {
		if err := g.deletions(ctx); err != nil {
			return err
		}
	}
	return g.flush(checkpoint{Next: g.next(), Done: r.Full})
}

// next is where the next read asks from: the latest change that was seen, but
// not after this read began, since a page that was read may have changed while
// later ones came.
func (g *reading) next() string {
	if g.entity.Since == nil {
		return ""
	}
	latest := g.at.Latest
	if latest == "" {
		latest = g.at.Since
	}
	if g.at.Started != "" && g.at.Started < latest {
		return g.at.Started
	}
	return latest
}

func (g *reading) flush(at checkpoint) error {
	b, err := json.Marshal(at)
	if err != nil {
		return err
	}
	g.queued = 0
	return g.w.Flush(b)
}

// windows reads the list in one go, or window by window.
func (g *reading) windows(ctx context.Context) error {
	s := g.entity.Since
	if g.at.Deleted {
		return nil
	}
	if s == nil || s.Window == 0 || g.at.Since == "" {
		return g.list(ctx, g.at.Since, "")
	}
	end := time.Now()
	from, err := time.Parse(stamp, g.at.Since)
	if err != nil {
		return &sdk.Failure{Code: sdk.CodeInvalid, Message: "the checkpoint is not one of this connector", Err: err}
	}
	for {
		begin := from
		if g.at.Until != "" { // a window that was begun
			if t, err := time.Parse(stamp, g.at.Until); err == nil {
				begin = t.Add(-s.Window)
			}
		}
		until := begin.Add(s.Window)
		g.at.Until = stamped(until)
		if err := g.list(ctx, stamped(begin), stamped(until)); err != nil {
			return err
		}
		if !until.Before(end) {
			g.at.Until = ""
			return nil
		}
		g.at.Until, g.at.List = stamped(until.Add(s.Window)), position{}
	}
}

// given are the roots of a list's expressions.
func (g *reading) given(since, until string, parent any) definition.Given {
	out := definition.Given{"since": nil, "until": nil, "parent": parent}
	if since != "" {
		if t, err := time.Parse(stamp, since); err == nil {
			if !g.full {
				t = t.Add(-g.entity.Since.Overlap)
			}
			out["since"] = stamped(t)
		}
	}
	if until != "" {
		out["until"] = until
	}
	return out
}

// list reads a list to its end, page by page.
func (g *reading) list(ctx context.Context, since, until string) error {
	w := g.walk(g.entity, g.given(since, until, nil))
	w.at = g.at.List
	for {
		r, err := w.request()
		if err != nil {
			return err
		}
		b, err := w.next(ctx, r)
		if err != nil {
			return err
		}
		g.began(b.answer)
		if b.total >= 0 && until == "" {
			g.w.Total(b.total)
		}
		if err := g.take(ctx, b, nil); err != nil {
			return err
		}
		if b.last {
			g.at.List = position{}
			return nil
		}
		g.at.List = w.at
		mark := g.at
		if g.entity.Since != nil && g.entity.Since.Ordered && g.at.Latest != "" && until == "" && !g.full {
			mark.Since, mark.List = g.next(), position{} // what comes next is later than all that came
		}
		if err := g.flush(mark); err != nil {
			return err
		}
	}
}

// began notes the system's clock at the first answer.
func (g *reading) began(a *Answer) {
	if g.at.Started != "" {
		return
	}
	at := a.at
	if at.IsZero() {
		at = time.Now()
	}
	g.at.Started = stamped(at)
}

// take maps the records of a page.
func (g *reading) take(ctx context.Context, b *batch, parent any) error {
	for i, v := range b.values {
		rec, err := g.record(ctx, g.entity, g.mapper, v, b.raws[i], parent)
		if m, ok := errors.AsType[*definition.Misfit](err); ok {
			err = g.w.Bad(m.ID, m.Field, m.Reason)
		} else if err == nil {
			if at := stamped(rec.UpdatedAt); at > g.at.Latest {
				g.at.Latest = at
			}
			err = g.w.Upsert(rec)
		}
		if err != nil {
			return err
		}
		g.queued++
	}
	return nil
}

// enough is after how many records of single parents a page is sent.
const enough = 500

// each reads the list of every record of another entity.
func (g *reading) each(ctx context.Context) error {
	if g.at.Deleted {
		return nil
	}
	parent, err := g.Connection.entity(g.entity.Each)
	if err != nil {
		return err
	}
	parents := g.walk(parent, g.given("", "", nil))
	if g.at.Parents != nil {
		parents.at = *g.at.Parents
	}
	for {
		here := parents.at
		r, err := parents.request()
		if err != nil {
			return err
		}
		b, err := parents.next(ctx, r)
		if err != nil {
			return err
		}
		g.began(b.answer)
		for i, value := range b.values {
			if i < g.at.Skip {
				continue
			}
			if err := g.children(ctx, value); err != nil {
				return err
			}
			g.at.Parents, g.at.Skip, g.at.List = &here, i+1, position{}
			if g.queued >= enough {
				if err := g.flush(g.at); err != nil {
					return err
				}
			}
		}
		if b.last {
			return nil
		}
		at := parents.at
		g.at.Parents, g.at.Skip = &at, 0
		if err := g.flush(g.at); err != nil {
			return err
		}
	}
}

// children reads the list of one parent. A parent that went in between has none.
func (g *reading) children(ctx context.Context, parent any) error {
	w := g.walk(g.entity, g.given(g.at.Since, "", parent))
	w.at = g.at.List
	for {
		r, err := w.request()
		if err != nil {
			return err
		}
		b, err := w.next(ctx, r)
		if code(err) == sdk.CodeNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		if err := g.take(ctx, b, parent); err != nil {
			return err
		}
		if b.last {
			return nil
		}
		if g.at.List = w.at; g.queued >= enough && g.at.Parents != nil {
			if err := g.flush(g.at); err != nil {
				return err
			}
		}
	}
}

// deletions reads what was deleted.
func (g *reading) deletions(ctx context.Context) error {
	if !g.at.Deleted {
		g.at.Deleted, g.at.List = true, position{}
	}
	d := g.entity.Deletions
	w := &walk{client: g.client, list: &d.List, given: g.given(g.at.Since, "", nil), at: g.at.List}
	if !d.Names("since") {
		w.since = g.entity.Since
	}
	only := *g.entity
	only.ID = d.ID
	m := only.Mapper(g.client.settings)
	for {
		r, err := w.request()
		if err != nil {
			return err
		}
		b, err := w.next(ctx, r)
		if err != nil {
			return err
		}
		for _, v := range b.values {
			id, err := m.ID(v, nil)
			if bad, ok := errors.AsType[*definition.Misfit](err); ok {
				err = g.w.Bad(bad.ID, "id", "of a deletion: "+bad.Reason)
			} else if err == nil {
				err = g.w.Upsert(sdk.Record{ID: id, Deleted: true})
			}
			if err != nil {
				return err
			}
		}
		if b.last {
			return nil
		}
		g.at.List = w.at
		if err := g.flush(g.at); err != nil {
			return err
		}
	}
}
