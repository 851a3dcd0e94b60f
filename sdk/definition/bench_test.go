package definition_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dinrail/dinrail/sdk/definition"
)

const benchRaw = `{"id":10042,"no":"WO-10042","title":"Quarterly pump inspection","text":"Check seals and bearings","state":"OPEN","prio":3,
	"asset":{"id":"P-101","name":"Boiler feed pump"},"created":"2026-05-04T07:30:00Z","changed":"2026-05-05T08:00:00Z","due":"2026-05-09T10:00:00Z",
	"start":"2026-05-08T06:00:00Z","end":"2026-05-08T09:00:00Z","minutes":90,"seconds":5400,"url":"https://x.example.com/10042","day":"2026-05-09",
	"begun":"2026-05-08T06:02:00Z","done":null,"down":12.5,"key":"4711"}`

const benchHead = `system "%s" {
  label     = "Bench"
  vendor    = "Nobody"
  category  = "cmms"
  connector = "rest"
  setting "url" {}
  auth "basic" {}
  request {
    base = setting.url
  }
  page "cursor" {
    send = { cursor = page.next }
    next = body.next
  }
  entity "work_orders" {
    id         = raw.id
    created_at = raw.created
    updated_at = raw.changed
    list {
      path    = "/workorders"
      records = body.items
    }
    since {
      send = { from = since }
    }
    get {
      path = "/workorders/${id}"
    }
    map {
%s
    }
  }
}
`

const benchPlain = `number = raw.no
name = raw.title
description = raw.text
status_native = raw.state
priority_native = raw.prio
external_reference = raw.key
url = raw.url
due_at = raw.due
due_on = raw.day
scheduled_start_at = raw.start
scheduled_end_at = raw.end
started_at = raw.begun
completed_at = raw.done
estimated_minutes = raw.minutes
downtime_minutes = raw.down`

const benchExpressions = `number = upper(raw.no)
name = "${raw.title} (${raw.no})"
description = trimspace(raw.text)
status = lookup({ OPEN = "open", DONE = "completed" }, raw.state, "unknown")
priority = raw.prio > 2 ? "high" : "low"
external_reference = replace(raw.key, "4", "5")
url = format("https://y.example.com/%s", raw.key)
due_at = timeadd(raw.due, "1h")
due_on = substr(raw.due, 0, 10)
scheduled_start_at = coalesce(raw.begin, raw.start)
scheduled_end_at = timeadd(raw.end, "30m")
asset = { id = lower(raw.asset.id), name = raw.asset.name }
tags = [raw.state, "x"]
estimated_minutes = raw.seconds / 60
downtime_minutes = raw.down * 2`

func benchSystem(b *testing.B, fields string) *definition.System {
	b.Helper()
	s, diags := definition.Read("bench.hcl", fmt.Appendf(nil, benchHead, "bench", fields), nil)
	if diags.HasErrors() {
		b.Fatal(told(diags))
	}
	return s
}

// BenchmarkMap measures a record of 15 fields, decoded, becoming the model's
// JSON; the aim is 10 µs where all fields are plain paths, 30 µs where all are
// expressions.
func BenchmarkMap(b *testing.B) {
	for name, fields := range map[string]string{"plain": benchPlain, "expressions": benchExpressions} {
		b.Run(name, func(b *testing.B) {
			m := benchSystem(b, fields).Entities[0].Mapper(nil)
			raw := decode(b, benchRaw)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Map(raw, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReadTwoThousand measures how long a catalog of 2,000 files takes to
// be read and checked on one core.
func BenchmarkReadTwoThousand(b *testing.B) {
	dir := b.TempDir()
	for i := range 2000 {
		name := fmt.Sprintf("bench-%d", i)
		text := fmt.Appendf(nil, benchHead, name, benchExpressions)
		if err := os.WriteFile(filepath.Join(dir, name+".hcl"), text, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		started := time.Now()
		files, err := os.ReadDir(dir)
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range files {
			content, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				b.Fatal(err)
			}
			if s, diags := definition.Read(f.Name(), content, definition.Beside(os.DirFS(dir), ".")); s == nil {
				b.Fatal(told(diags))
			}
		}
		b.ReportMetric(time.Since(started).Seconds(), "s/2000files")
	}
}
