package badger_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/badger"
)

// The kill test: a process writes pages, documents and events from several
// goroutines and says what was acknowledged; it is killed in the middle, again
// and again on the same folder; what it leaves is looked through each time.
const (
	kills       = 50
	killFolder  = "DINRAIL_TEST_KILL_FOLDER" // makes the test binary the process that is killed
	pageWriters = 4
	docWriters  = 3
	pageRecords = 25
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killFolder); dir != "" {
		if err := writeUntilKilled(dir); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func entityOf(w int) host.EntityName { return host.EntityName(fmt.Sprint("entity_", w)) }

func recordOf(page int64, i int) host.RecordID { return host.RecordID(fmt.Sprintf("%d.%d", page, i)) }

// counter is the document of a writer.
type counter struct {
	N int `json:"n"`
}

func writeUntilKilled(dir string) error {
	e, err := badger.Open(badger.Params{Dir: dir})
	if err != nil {
		return err
	}
	lines := make(chan string, 64)
	failed := make(chan error, pageWriters+docWriters)
	holder := fmt.Sprint("process ", os.Getpid())
	for w := range pageWriters {
		go func() { failed <- writePages(e, w, holder, lines) }()
	}
	for w := range docWriters {
		go func() { failed <- writeDocuments(e, w, lines) }()
	}
	fmt.Println("ready")
	for {
		select {
		case l := <-lines:
			fmt.Println(l) // a write of its own to the pipe
		case err := <-failed:
			return err
		}
	}
}

// writePages goes on with the run of its entity: each page brings new records
// and changes the first one of the page before.
func writePages(e *badger.Engine, w int, holder string, lines chan<- string) error {
	ctx := context.Background()
	run := host.Run{ID: host.RunID(fmt.Sprint("run_", w)), Connection: "plant", Entity: entityOf(w), Mode: host.Full}
	l, err := e.BeginRun(ctx, 0, state.Begin{Run: run, Holder: holder, At: time.Now()})
	if err != nil {
		return err
	}
	for n := l.Page + 1; ; n++ {
		s := state.PageStep{
			Connection: "plant", Entity: run.Entity, Run: run.ID, Fence: l.Fence, Number: n, At: time.Now(),
			Checkpoint: fmt.Append(nil, n), Total: -1, Counts: host.Counts{Read: pageRecords, Created: pageRecords},
		}
		for i := range pageRecords {
			body := strings.Repeat("x", 100+50*(i%8)) // some in the tables, some in the value log
			s.Records = append(s.Records, state.RecordPut{ID: recordOf(n, i), Operation: host.Created, Sealed: []byte(body)})
		}
		if n > 1 {
			ids := []host.RecordID{recordOf(n-1, 0)}
			heads, at, err := e.Heads(ctx, 0, "plant", run.Entity, ids)
			if err != nil {
				return err
			}
			s.ReadAt = at
			s.Counts.Updated = 1
			s.Records = append(s.Records, state.RecordPut{ID: ids[0], Expect: heads[0].Sequence, Operation: host.Updated, Sealed: fmt.Append(nil, n)})
		}
		if _, err := e.CommitPage(ctx, 0, s); err != nil {
			return err
		}
		lines <- fmt.Sprintf("page %d %d", w, n)
	}
}

// writeDocuments counts in a document, with an event for each number.
func writeDocuments(e *badger.Engine, w int, lines chan<- string) error {
	ctx := context.Background()
	id := fmt.Sprint("counter_", w)
	for {
		var c counter
		d, err := e.Document(ctx, 0, state.KindWish, id)
		if err == nil {
			err = json.Unmarshal(d.Body, &c)
		}
		if err != nil && !errors.Is(err, state.ErrNotFound) {
			return err
		}
		c.N++
		put, err := state.PutOf(state.KindWish, id, d.Revision, c)
		if err != nil {
			return err
		}
		event := state.Event{Event: host.Event{ID: host.EventID(fmt.Sprintf("evt_%d_%d", w, c.N)), Type: "custom.x"}, Sealed: make([]byte, 400)}
		if _, err := e.Commit(ctx, 0, state.Change{At: time.Now(), Puts: []state.Put{put}, Events: []state.Event{event}}); err != nil {
			return err
		}
		lines <- fmt.Sprintf("doc %d %d", w, c.N)
	}
}

// acknowledged is the last that each writer was told to be done.
type acknowledged struct {
	pages [pageWriters]int64
	docs  [docWriters]int
}

func TestKilledProcessKeepsWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var acks acknowledged
	for n := range kills {
		runAndKill(t, dir, time.Duration(rng.IntN(120_000))*time.Microsecond, &acks)
		e := open(t, dir)
		lookThrough(t, e, &acks)
		if err := e.Close(); err != nil {
			t.Fatalf("close after kill %d: %v", n, err)
		}
		if t.Failed() {
			t.Fatalf("after kill %d", n)
		}
	}
	total := int64(0)
	for _, n := range acks.pages {
		total += n
	}
	if total < kills {
		t.Fatalf("only %d pages were acknowledged in all", total)
	}
	t.Logf("%d pages and %v documents acknowledged over %d kills", total, acks.docs, kills)
}

// runAndKill starts the process, reads what it acknowledges, and kills it some
// time after it is ready.
func runAndKill(t *testing.T, dir string, after time.Duration, acks *acknowledged) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), killFolder+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err != nil || first != "ready\n" {
		rest, _ := io.ReadAll(lines)
		t.Fatalf("the process says %q, %v\n%s", first, err, rest)
	}
	var killer sync.WaitGroup
	killer.Go(func() {
		time.Sleep(after) // the moment of the kill is what is random
		_ = cmd.Process.Kill()
	})
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // a line that was cut was not said
		}
		var w, n int
		switch {
		case scan(line, "page %d %d", &w, &n):
			acks.pages[w] = int64(n)
		case scan(line, "doc %d %d", &w, &n):
			acks.docs[w] = n
		default:
			t.Fatalf("the process says %q", line)
		}
	}
	killer.Wait()
	_ = cmd.Wait() // killed
}

func scan(line, format string, w, n *int) bool {
	_, err := fmt.Sscanf(line, format, w, n)
	return err == nil
}

// lookThrough expects every acknowledged step, whole steps only, and counts,
// heads and checkpoints that agree with a walk over the records.
func lookThrough(t *testing.T, e *badger.Engine, acks *acknowledged) {
	t.Helper()
	syncs, err := e.Syncs(t.Context(), 0, "plant")
	if err != nil {
		t.Fatal(err)
	}
	for w := range pageWriters {
		var s host.Sync
		for _, found := range syncs {
			if found.Entity == entityOf(w) {
				s = found
			}
		}
		if s.Page < acks.pages[w] {
			t.Errorf("entity %d: page %d was acknowledged, %d is there", w, acks.pages[w], s.Page)
		}
		if s.Page > 0 && string(s.Pass.Checkpoint) != fmt.Sprint(s.Page) {
			t.Errorf("entity %d: checkpoint %s after page %d", w, s.Pass.Checkpoint, s.Page)
		}
		lookThroughRecords(t, e, w, &s)
	}
	events := map[host.EventID]bool{}
	for after := host.Sequence(0); ; {
		part, err := e.Events(t.Context(), 0, after, host.MaxListLimit)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range part {
			if events[ev.ID] {
				t.Errorf("event %s is there twice", ev.ID)
			}
			events[ev.ID], after = true, ev.Sequence
		}
		if len(part) == 0 {
			break
		}
	}
	total := 0
	for w := range docWriters {
		var c counter
		d, err := e.Document(t.Context(), 0, state.KindWish, fmt.Sprint("counter_", w))
		if err == nil {
			err = json.Unmarshal(d.Body, &c)
		}
		if c.N < acks.docs[w] {
			t.Errorf("document %d: %d was acknowledged, %d is there (%v)", w, acks.docs[w], c.N, err)
		}
		for n := range c.N {
			if !events[host.EventID(fmt.Sprintf("evt_%d_%d", w, n+1))] {
				t.Errorf("document %d is at %d without event %d", w, c.N, n+1)
			}
		}
		total += c.N
	}
	if len(events) != total {
		t.Errorf("%d events for %d changes", len(events), total)
	}
}

func lookThroughRecords(t *testing.T, e *badger.Engine, w int, s *host.Sync) {
	t.Helper()
	type seen struct {
		sequence host.Sequence
		op       host.Operation
	}
	found := map[host.RecordID]seen{}
	err := e.Feed(t.Context(), 0, state.Feed{Connection: "plant", Entities: []host.EntityName{entityOf(w)}}, func(st *state.Stored) (bool, error) {
		if _, twice := found[st.ID]; twice {
			t.Errorf("entity %d: record %s is in the feed twice", w, st.ID)
		}
		found[st.ID] = seen{st.Sequence, st.Operation}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := int(s.Page) * pageRecords; len(found) != want || int(s.Records) != want {
		t.Errorf("entity %d: %d records and a count of %d after page %d, want %d", w, len(found), s.Records, s.Page, want)
	}
	for n := int64(1); n <= s.Page; n++ {
		ids := make([]host.RecordID, pageRecords)
		for i := range ids {
			ids[i] = recordOf(n, i)
		}
		heads, _, err := e.Heads(t.Context(), 0, "plant", entityOf(w), ids)
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range ids {
			want := host.Created
			if i == 0 && n < s.Page {
				want = host.Updated // by the page after
			}
			if got := found[id]; got.op != want || got.sequence != heads[i].Sequence {
				t.Fatalf("entity %d: record %s is %+v in the feed, head %+v, want %s", w, id, got, heads[i], want)
			}
		}
	}
	if s.Run == "" {
		return
	}
	r, err := e.Run(t.Context(), 0, "plant", s.Run)
	if err != nil {
		t.Fatal(err)
	}
	if r.Counts.Created != s.Page*pageRecords || r.Pages != s.Page {
		t.Errorf("entity %d: the run counts %d created in %d pages after page %d", w, r.Counts.Created, r.Pages, s.Page)
	}
}
