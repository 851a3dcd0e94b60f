package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/dinrail/dinrail/host"
)

// Trigger is a condition on records that makes events, compiled.
type Trigger struct {
	Name        string
	Entity      host.EntityName
	Connections []string      // patterns; empty: all
	Level       bool          // fires for each change while it holds, not only when it begins to
	Initial     bool          // the records of a first run fire too
	Limit       int           // events a run, at most
	Every       time.Duration // looked at by time too; 0: at changes only
	Source      string        // file:line of its block
	// When and Data evaluate its expressions. Values holds what they name:
	// record, old, connection.
	When func(values map[string]any, now time.Time) (bool, error)
	Data func(values map[string]any, now time.Time) ([]byte, error)
}

func (t *Trigger) covers(c host.ConnectionID) bool {
	return len(t.Connections) == 0 || slices.ContainsFunc(t.Connections, func(p string) bool {
		ok, err := path.Match(p, string(c))
		return ok && err == nil
	})
}

// subject is a record at a change, as triggers see it.
type subject struct {
	connection  any
	record, old any // decoded; old is nil where there was none
}

func (s *subject) values() map[string]any {
	return map[string]any{"record": s.record, "old": s.old, "connection": s.connection}
}

// before is the subject as it was: the old record in the place of the new.
func (s *subject) before() map[string]any {
	return map[string]any{"record": s.old, "old": nil, "connection": s.connection}
}

// fires says whether a change fires the trigger: the condition holds now and
// did not for the version before.
func (t *Trigger) fires(s *subject, now time.Time) (bool, error) {
	holds, err := t.When(s.values(), now)
	if err != nil || !holds || t.Level || s.old == nil {
		return holds, err
	}
	held, err := t.When(s.before(), now)
	return !held && err == nil, err
}

// begun says whether the condition began to hold for a record by the passing of
// time alone, between two times.
func (t *Trigger) begun(s *subject, from, to time.Time) (bool, error) {
	holds, err := t.When(s.values(), to)
	if err != nil || !holds {
		return false, err
	}
	held, err := t.When(s.values(), from)
	return !held && err == nil, err
}

// event is what the trigger tells of a record: which one, and its data beside.
func (t *Trigger) event(id host.EventID, r *host.Record, s *subject, now time.Time) (host.Event, error) {
	data := map[string]json.RawMessage{}
	if t.Data != nil {
		b, err := t.Data(s.values(), now)
		if err != nil {
			return host.Event{}, err
		}
		if json.Unmarshal(b, &data) != nil || data == nil {
			data = map[string]json.RawMessage{"value": b}
		}
	}
	for name, v := range map[string]string{"entity": string(r.Entity), "id": string(r.ID)} {
		b, err := json.Marshal(v)
		if err != nil {
			return host.Event{}, err
		}
		data[name] = b
	}
	b, err := json.Marshal(data)
	if err != nil {
		return host.Event{}, fmt.Errorf("encode the data: %w", err)
	}
	if len(b) > host.MaxEventBytes-headroom {
		return host.Event{}, fmt.Errorf("the data has %d bytes; at most %d are sent", len(b), host.MaxEventBytes-headroom)
	}
	return host.Event{ID: id, Type: host.EventType(host.TriggerPrefix + t.Name), Time: now.UTC(), Connection: r.Connection, Data: b}, nil
}

// headroom is what stands around an event's data in a delivery.
const headroom = 4 << 10

// decoded returns JSON as expressions read it, with the digits as they stand.
func decoded(b []byte) any {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// troubles remembers what was told of late: each once an hour.
type troubles struct {
	mu   sync.Mutex
	kept map[string]*trouble
}

type trouble struct {
	first, told time.Time
	count       int
}

const tellEvery = time.Hour

// tell counts a trouble and says whether it is to be told now.
func (t *troubles) tell(key string, now time.Time) (trouble, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.kept[key]
	if k == nil || now.Sub(k.told) > 24*time.Hour {
		k = &trouble{first: now}
		t.kept[key] = k
	}
	k.count++
	if !k.told.IsZero() && now.Sub(k.told) < tellEvery {
		return *k, false
	}
	k.told = now
	return *k, true
}

// failed is the event that tells of a trigger that cannot be evaluated, once an
// hour.
func (d *Dispatcher) failed(t *Trigger, r *host.Record, cause error, now time.Time) (host.Event, bool) {
	key := "trigger/" + t.Name
	k, tell := d.troubles.tell(key, now)
	if !tell {
		return host.Event{}, false
	}
	message := fmt.Sprintf("the trigger %q (%s) cannot be evaluated on %s %q of connection %s: %s", t.Name, t.Source, r.Entity, r.ID, r.Connection, cause)
	d.Log.Warn("trigger failed", "trigger", t.Name, "connection", r.Connection, "entity", r.Entity, "record", r.ID, "error", cause)
	data, err := json.Marshal(map[string]any{
		"key": key, "severity": "error", "component": "trigger", "code": host.CodeInvalid, "message": message,
		"connections": []host.ConnectionID{r.Connection}, "first_seen": host.FormatTime(k.first), "count": k.count,
	})
	if err != nil {
		return host.Event{}, false
	}
	// A host that was started again within the hour makes the same event, which
	// is there already.
	id := host.EventID("evt_" + idOf(now.Truncate(tellEvery), key))
	return host.Event{ID: id, Type: host.EventSystemError, Time: now.UTC(), Connection: r.Connection, Data: data}, true
}
