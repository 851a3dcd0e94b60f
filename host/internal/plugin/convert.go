package plugin

import (
	"time"

	"github.com/dinrail/dinrail/host"
	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// pageOf takes a page as it came; it refuses what no connector may send.
func pageOf(name host.ConnectorName, p *connectorv1.Page) (host.Page, error) {
	if n := len(p.GetRecords()); n > host.MaxPageRecords {
		return host.Page{}, host.Errorf(host.CodeInternal, "the connector %q sent a page of %d records; at most %d are allowed", name, n, host.MaxPageRecords)
	}
	page := host.Page{Checkpoint: p.GetCheckpoint(), Total: -1, Records: make([]host.Received, len(p.GetRecords()))}
	if p.Total != nil {
		page.Total = p.GetTotal()
	}
	size := 0
	for i, r := range p.GetRecords() {
		if size > host.MaxPageBytes {
			return host.Page{}, host.Errorf(host.CodeInternal, "the connector %q went on with a page after its %d bytes were full", name, host.MaxPageBytes)
		}
		size += len(r.GetRecord()) + len(r.GetRaw())
		page.Records[i] = received(r)
		if err := checkReceived(name, page.Records[i]); err != nil {
			return host.Page{}, err
		}
	}
	for _, b := range p.GetBad() {
		page.Bad = append(page.Bad, host.BadRecord{ID: host.RecordID(b.GetId()), Field: b.GetField(), Reason: b.GetReason()})
	}
	return page, nil
}

// checkReceived refuses what makes a record none at all. Whether a record can
// be kept is the syncer's to say: one that cannot is a bad record, no fault of
// its connector.
func checkReceived(name host.ConnectorName, r host.Received) error {
	if body := r.Body; !r.Deleted && (len(body) < 2 || body[0] != '{' || body[len(body)-1] != '}') {
		return host.Errorf(host.CodeInternal, "the connector %q sent a record %q that is not a JSON object", name, r.ID)
	}
	return nil
}

func received(r *connectorv1.Record) host.Received {
	return host.Received{
		ID: host.RecordID(r.GetId()), CreatedAt: micro(r.GetCreatedAt()), UpdatedAt: micro(r.GetUpdatedAt()),
		Deleted: r.GetDeleted(), Body: r.GetRecord(), Raw: r.GetRaw(),
	}
}

func micro(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func entitiesOf(name host.ConnectorName, es []*connectorv1.Entity) ([]host.Entity, error) {
	out := make([]host.Entity, 0, len(es))
	seen := map[string]bool{}
	for _, e := range es {
		if e.GetName() == "" || len(e.GetName()) > host.MaxRecordID || seen[e.GetName()] {
			return nil, host.Errorf(host.CodeInternal, "the connector %q names an entity %q that is empty, too long or named twice", name, e.GetName())
		}
		seen[e.GetName()] = true
		en := host.Entity{
			Name: host.EntityName(e.GetName()), Label: e.GetLabel(), Key: e.GetKey(),
			Incremental: e.GetIncremental(), TellsDeletions: e.GetTellsDeletions(),
			Creatable: e.GetCreatable(), Updatable: e.GetUpdatable(), Deletable: e.GetDeletable(),
			Actions: e.GetActions(), Watchable: e.GetWatchable(), Denied: e.GetDenied(),
		}
		en.Unified = !en.Name.Native()
		for _, f := range e.GetFields() {
			en.Fields = append(en.Fields, host.Field{Name: f.GetName(), Type: f.GetType(), Readable: f.GetReadable(), Writable: f.GetWritable()})
		}
		out = append(out, en)
	}
	return out, nil
}

func settingsOf(ss []*connectorv1.Setting) []host.Setting {
	out := make([]host.Setting, 0, len(ss))
	for _, s := range ss {
		out = append(out, host.Setting{
			Name: s.GetName(), Type: s.GetType(), Label: s.GetLabel(), Help: s.GetHelp(), Placeholder: s.GetPlaceholder(),
			Pattern: s.GetPattern(), Choices: s.GetChoices(), Default: s.GetDefault(), Required: s.GetRequired(), Secret: s.GetSecret(),
		})
	}
	return out
}
