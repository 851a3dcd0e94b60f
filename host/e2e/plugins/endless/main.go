// Command endless is a connector for tests and benchmarks: it makes as many
// records as its settings say, of about 300 bytes, always the same ones, and
// misbehaves in the ways that its settings name.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

func main() {
	fmt.Fprintln(os.Stderr, "endless starts")
	sdk.Serve(connector{})
}

type connector struct{}

func (connector) Describe(context.Context, *sdk.Definition) (sdk.Description, error) {
	system := func(name string) sdk.System {
		return sdk.System{
			Name: name, Label: "Endless", Category: "other",
			Settings: []sdk.Setting{
				{Name: "records", Type: "number", Label: "Records", Default: "1000"},
				{Name: "page", Type: "number", Label: "Records a page", Default: "100"},
				{Name: "delay", Type: "duration", Label: "Time between pages"},
				{Name: "crash_at", Type: "number", Label: "Crash before this record"},
				{Name: "fault", Label: "How it misbehaves", Choices: []string{"hang", "memory", "flood", "noise", "nonsense", "panic", "tell"}},
				{Name: "url", Type: "url", Label: "Called by each check"},
				{Name: "pin", Label: "A secret setting", Secret: true},
			},
			Auth: []sdk.AuthMethod{{Name: "basic", Label: "User and password", Fields: []sdk.Setting{
				{Name: "username", Label: "User name", Required: true}, {Name: "password", Label: "Password", Required: true, Secret: true},
			}}},
		}
	}
	return sdk.Description{Name: "endless", Version: "1", Systems: []sdk.System{system("endless"), system("endless-other")}}, nil
}

func (connector) Open(_ context.Context, r sdk.OpenRequest) (sdk.Connection, error) {
	c := &connection{records: number(r.Settings, "records", 1000), page: number(r.Settings, "page", 100), crashAt: number(r.Settings, "crash_at", -1), fault: r.Settings.String("fault")}
	c.delay, _ = time.ParseDuration(r.Settings.String("delay"))
	c.wrong = r.Credentials["password"] == "wrong"
	c.http, c.url = r.HTTP, r.Settings.String("url")
	if c.fault == "tell" {
		r.Log.Info("logged in", "password", r.Credentials["password"])
		fmt.Println("the pin is", r.Settings.String("pin"))
	}
	if c.fault == "noise" {
		fmt.Println("this stands on standard output")
	}
	return c, nil
}

func number(s sdk.Settings, name string, otherwise int) int {
	if n, err := strconv.Atoi(s.String(name)); err == nil {
		return n
	}
	return otherwise
}

type connection struct {
	records, page, crashAt int
	delay                  time.Duration
	fault                  string
	wrong                  bool
	http                   *http.Client
	url                    string
}

func (c *connection) Check(ctx context.Context) (sdk.Identity, error) {
	if c.wrong {
		return sdk.Identity{}, sdk.Failf(sdk.CodeAuthRequired, "wrong user name or password")
	}
	if c.url == "" {
		return sdk.Identity{Name: "endless"}, nil
	}
	req, err := http.NewRequestWithContext(sdk.WithPath(ctx, "/me/{id}"), http.MethodGet, c.url+"/me/7", nil)
	if err != nil {
		return sdk.Identity{}, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return sdk.Identity{}, err
	}
	defer res.Body.Close() // read only
	name, err := io.ReadAll(res.Body)
	return sdk.Identity{Name: string(name)}, err
}

func (c *connection) Entities(context.Context) ([]sdk.Entity, error) {
	return []sdk.Entity{{Name: "items", Label: "Items", Key: []string{"id"}, Incremental: true}}, nil
}

func (c *connection) Close() error { return nil }

// Read makes the records from the checkpoint on; the checkpoint is how many
// there were.
func (c *connection) Read(ctx context.Context, r sdk.ReadRequest, w *sdk.PageWriter) error {
	if r.Entity != "items" {
		return sdk.Failf(sdk.CodeNotFound, "there is no entity %s", r.Entity)
	}
	start, _ := strconv.Atoi(string(r.Checkpoint))
	w.Total(int64(c.records))
	for i := start; i < c.records; i++ {
		if i == c.crashAt {
			os.Exit(1)
		}
		if i == c.records/2 {
			if c.fault == "nonsense" {
				return w.Upsert(sdk.Record{ID: "x", Fields: json.RawMessage("no object")})
			}
			if err := c.misbehave(ctx); err != nil {
				return err
			}
		}
		if err := w.Upsert(record(i)); err != nil {
			return err
		}
		if (i+1)%c.page == 0 {
			if err := w.Flush([]byte(strconv.Itoa(i + 1))); err != nil {
				return err
			}
			if c.delay > 0 {
				select {
				case <-time.After(c.delay):
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
	}
	return w.Flush([]byte(strconv.Itoa(c.records)))
}

func (c *connection) misbehave(ctx context.Context) error {
	switch c.fault {
	case "hang":
		<-ctx.Done()
		return ctx.Err()
	case "memory":
		var hog [][]byte
		for ctx.Err() == nil {
			b := make([]byte, 16<<20)
			for i := range b {
				b[i] = byte(i)
			}
			hog = append(hog, b)
			time.Sleep(20 * time.Millisecond)
		}
		return fmt.Errorf("held %d", len(hog))
	case "flood":
		line := strings.Repeat("flood ", 100)
		for range 20000 {
			fmt.Fprintln(os.Stderr, line)
		}
	case "panic":
		panic("on purpose")
	}
	return nil
}

var note = strings.Repeat("pump ", 36)

func record(i int) sdk.Record {
	id := strconv.Itoa(i)
	body := make([]byte, 0, 320)
	body = append(body, `{"number":"I-`...)
	body = append(body, id...)
	body = append(body, `","name":"Item `...)
	body = append(body, id...)
	body = append(body, `","kind":"stock","uom":"unit","active":true,"description":"`...)
	body = append(body, note...)
	body = append(body, `"}`...)
	return sdk.Record{ID: id, UpdatedAt: time.Unix(1_700_000_000+int64(i), 0), Fields: json.RawMessage(body)}
}
