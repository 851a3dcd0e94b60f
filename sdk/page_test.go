package sdk

import (
	"context"
	"strings"
	"testing"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// sentPages collects what a PageWriter with a window without bounds sends.
func sentPages() (*PageWriter, *[]*connectorv1.ReadResponse) {
	var sent []*connectorv1.ReadResponse
	w := &PageWriter{ctx: context.Background(), window: 1 << 30, records: 1000, page: &connectorv1.Page{}, mark: []byte("start")}
	w.send = func(m *connectorv1.ReadResponse) error { sent = append(sent, m); return nil }
	return w, &sent
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A page that grows too large is sent early, with the checkpoint before it: the
// author's own is not true yet.
func TestFullPageIsSentWithTheCheckpointBeforeIt(t *testing.T) {
	for name, c := range map[string]struct {
		records, size, want int
	}{"by number": {2500, 10, 3}, "by size": {30, 100 << 10, 3}} {
		t.Run(name, func(t *testing.T) {
			w, sent := sentPages()
			for range c.records {
				must(t, w.Upsert(Record{ID: "x", Fields: map[string]string{"v": strings.Repeat("v", c.size)}}))
			}
			must(t, w.Flush([]byte("end")))
			must(t, w.end())
			if len(*sent) != c.want+1 {
				t.Fatalf("%d messages", len(*sent))
			}
			total := 0
			for i, m := range *sent {
				want := "start"
				if i == c.want-1 {
					want = "end"
				}
				if i < c.want && string(m.GetPage().GetCheckpoint()) != want {
					t.Errorf("page %d has checkpoint %q", i, m.GetPage().GetCheckpoint())
				}
				total += len(m.GetPage().GetRecords())
			}
			if end := (*sent)[c.want].GetEnd(); end.GetPages() != int64(c.want) || total != c.records {
				t.Errorf("end %v, %d records", end, total)
			}
		})
	}
}

func TestRecordThatCannotBeSentIsABadRecord(t *testing.T) {
	w, sent := sentPages()
	must(t, w.Upsert(Record{ID: "large", Fields: map[string]string{"v": strings.Repeat("v", 1<<20)}}))
	must(t, w.Upsert(Record{ID: "odd", Fields: map[string]any{"v": func() {}}}))
	must(t, w.Upsert(Record{Fields: map[string]any{}}))
	must(t, w.Upsert(Record{ID: "\xff", Fields: map[string]any{}}))
	must(t, w.Upsert(Record{ID: strings.Repeat("i", 513), Fields: map[string]any{}}))
	must(t, w.Upsert(Record{ID: "good", Fields: map[string]any{}}))
	must(t, w.Delete("gone"))
	must(t, w.end())
	page := (*sent)[0].GetPage()
	if len(page.GetBad()) != 5 || page.GetBad()[0].GetId() != "large" || page.GetBad()[1].GetId() != "odd" {
		t.Errorf("bad %v", page.GetBad())
	}
	if len(page.GetRecords()) != 2 || !page.GetRecords()[1].GetDeleted() {
		t.Errorf("records %v", page.GetRecords())
	}
}

func TestFlushWaitsForAcknowledgement(t *testing.T) {
	acks := make(chan int64, 1)
	w, sent := sentPages()
	w.window, w.acks = 2, acks
	must(t, w.Flush(nil))
	must(t, w.Flush(nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.ctx = ctx
	if err := w.Flush(nil); err == nil || len(*sent) != 2 {
		t.Fatalf("a third page was sent without an acknowledgement: %v", err)
	}
	acks <- 1
	w.ctx = t.Context()
	must(t, w.Flush(nil))
	if len(*sent) != 3 {
		t.Fatalf("%d pages", len(*sent))
	}
}
