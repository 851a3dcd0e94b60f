package ui

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
)

// dataPath is where an entity's records are.
func dataPath(e host.EntityName, id string) string {
	path := "/v1/" + url.PathEscape(string(e))
	if name, native := strings.CutPrefix(string(e), host.NativePrefix); native {
		path = "/v1/native/" + url.PathEscape(name)
	}
	if id != "" {
		path += "/" + url.PathEscape(id)
	}
	return path
}

// recordRow is a record in a list.
type recordRow struct {
	ID        string    `json:"id"`
	Number    scalar    `json:"number"`
	Name      scalar    `json:"name"`
	Status    scalar    `json:"status"`
	UpdatedAt time.Time `json:"updated_at"`
	SyncedAt  time.Time `json:"synced_at"`
	Deleted   bool      `json:"deleted"`
	Sequence  uint64    `json:"sequence"`
}

// recordsPage is a part of an entity's records, or one record.
type recordsPage struct {
	*connectionPage
	Entity  host.EntityName
	List    list[recordRow]
	NextURL string
	Deleted bool
	ID      string

	Mapped, Raw string
	Row         recordRow
}

func (a *at) recordsOf() (*recordsPage, error) {
	c, err := a.findConnection("syncs")
	if err != nil {
		return nil, err
	}
	return &recordsPage{connectionPage: c, Entity: host.EntityName(a.URL.Query().Get("entity")), ID: a.URL.Query().Get("id")}, nil
}

// records shows records in the order in which they arrived, and leads to one by
// its id.
func (u *UI) records(a *at) error {
	p, err := a.recordsOf()
	if err != nil {
		return err
	}
	if p.ID != "" {
		return a.back(with(p.Where+"/record", "entity", string(p.Entity), "id", p.ID), "")
	}
	q := a.URL.Query()
	include := ""
	if p.Deleted = q.Get("deleted") != ""; p.Deleted {
		include = "deleted"
	}
	if err := a.ask(http.MethodGet, with(dataPath(p.Entity, ""), "limit", rowsShown, "include", include, "cursor", q.Get("cursor")), p.connection.ID, nil, &p.List); err != nil {
		return err
	}
	p.NextURL = with(p.Where+"/records", "entity", string(p.Entity), "deleted", q.Get("deleted"), "cursor", p.List.Next)
	return a.show("records", sheet{Title: string(p.Entity) + " of " + p.Label, Tab: "connections", Body: p})
}

// record shows one record: as it is answered, and beside it as the system has it,
// to those who may see that.
func (u *UI) record(a *at) error {
	p, err := a.recordsOf()
	if err != nil {
		return err
	}
	include := ""
	if a.who.Can(host.RoleOperator) {
		include = "raw"
	}
	var fields json.RawMessage
	if err := a.ask(http.MethodGet, with(dataPath(p.Entity, p.ID), "include", include), p.connection.ID, nil, &fields); err != nil {
		return err
	}
	if err := json.Unmarshal(fields, &p.Row); err != nil {
		return err
	}
	members, err := membersOf(fields)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(members, func(m member) bool { return m.name == "raw" }); i >= 0 {
		p.Raw = indented(members[i].value)
		members = slices.Delete(members, i, i+1)
	}
	p.Mapped = objectOf(members)
	return a.show("record", sheet{Title: p.ID + " of " + string(p.Entity), Tab: "connections", Body: p})
}
