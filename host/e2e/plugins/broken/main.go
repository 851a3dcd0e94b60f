// Command broken is a connector for tests that breaks one promise: the one that
// stands in the name under which it is started, after "broken-". Started under
// its own name it breaks none.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/sdk"
)

// The records that it has, and how many stand on a page.
const records, perPage = 50, 10

// fault is the promise that is broken; empty: none.
var fault string

func main() {
	_, fault, _ = strings.Cut(filepath.Base(os.Args[0]), "broken-")
	switch {
	case fault == "noise":
		fmt.Println("starting up")
	case fault == "needy" && os.Getenv("PATH") == "":
		fmt.Fprintln(os.Stderr, "PATH is not set")
		os.Exit(1)
	}
	sdk.Serve(&connector{})
}

// connector breaks what concerns the program as a whole.
type connector struct {
	mu    sync.Mutex
	shut  bool           // a connection of a leaky connector was closed
	marks map[string]int // checkpoints of a volatile connector
}

func (*connector) Describe(context.Context, *sdk.Definition) (sdk.Description, error) {
	d := sdk.Description{Name: "broken", Version: "1", Systems: []sdk.System{{
		Name: "broken", Label: "Broken", Category: "other",
		Auth: []sdk.AuthMethod{{Name: "bearer", Label: "Token", Fields: []sdk.Setting{{Name: "token", Label: "Token", Required: true, Secret: true}}}},
	}}}
	switch fault {
	case "changing":
		d.Version = strconv.Itoa(rand.Int())
	case "systemless":
		d.Systems = nil
	case "told": // its secret has a default
		d.Systems[0].Auth[0].Fields[0].Default = "letmein"
	}
	return d, nil
}

func (c *connector) Open(_ context.Context, r sdk.OpenRequest) (sdk.Connection, error) {
	return &connection{connector: c, token: r.Credentials["token"], http: r.HTTP, log: r.Log}, nil
}

type connection struct {
	connector *connector
	token     string
	http      *http.Client
	log       hclog.Logger
}

func (c *connection) Check(ctx context.Context) (sdk.Identity, error) {
	if fault == "stubborn" && c.token != "right" {
		for range 3 { // the system says no each time
			if err := c.knock(ctx); err != nil {
				return sdk.Identity{}, err
			}
		}
	}
	c.connector.mu.Lock()
	defer c.connector.mu.Unlock()
	switch {
	case c.connector.shut && fault == "leaky":
		return sdk.Identity{}, sdk.Failf(sdk.CodeUnavailable, "it is closed")
	case c.token != "right" && fault == "wordless":
		return sdk.Identity{}, fmt.Errorf("status 401")
	case c.token != "right" && fault != "trusting":
		return sdk.Identity{}, sdk.Failf(sdk.CodeAuthRequired, "the token is wrong")
	}
	return sdk.Identity{Name: "Ann"}, nil
}

// knock calls a system that refuses everybody.
func (c *connection) knock(ctx context.Context) error {
	system := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer system.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, system.URL, nil)
	if err != nil {
		return err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// Get implements sdk.Getter; it has nothing to hand out.
func (c *connection) Get(_ context.Context, entity, id string) (sdk.Record, error) {
	switch fault {
	case "brittle":
		os.Exit(1)
	case "obliging":
		return sdk.Record{ID: id, Fields: json.RawMessage("{}")}, nil
	}
	return sdk.Record{}, sdk.Failf(sdk.CodeNotFound, "there is no %s %s", entity, id)
}

func (*connection) Entities(context.Context) ([]sdk.Entity, error) {
	return []sdk.Entity{{Name: "items", Label: "Items", Incremental: true}}, nil
}

func (c *connection) Close() error {
	c.connector.mu.Lock()
	defer c.connector.mu.Unlock()
	c.connector.shut = true
	return nil
}

// Read sends the records from the checkpoint on, which is how many there were.
func (c *connection) Read(_ context.Context, r sdk.ReadRequest, w *sdk.PageWriter) error {
	if r.Entity != "items" {
		if fault == "deadly" {
			os.Exit(1)
		}
		return sdk.Failf(sdk.CodeNotFound, "there is no entity %s", r.Entity)
	}
	start, err := c.start(string(r.Checkpoint))
	if err != nil {
		return err
	}
	if fault == "telling" { // past the SDK, which would hide it
		_, _ = syscall.Write(2, []byte("logged in with "+c.token+"\n"))
	}
	for i := start; i < records; i++ {
		for n := 0; fault == "flooding" && n < 20; n++ {
			c.log.Info("looked at a record", "record", i)
		}
		rec := sdk.Record{ID: strconv.Itoa(i), Fields: json.RawMessage(`{"number":"I-1"}`)}
		if fault == "array" && i == 25 {
			rec.Fields = json.RawMessage(`["number"]`)
		}
		if err := w.Upsert(rec); err != nil {
			return err
		}
		if (i+1)%perPage == 0 {
			if err := w.Flush(c.mark(i + 1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// start reads a checkpoint.
func (c *connection) start(mark string) (int, error) {
	if mark == "" || fault == "forgetful" {
		return 0, nil
	}
	if fault == "volatile" {
		c.connector.mu.Lock()
		defer c.connector.mu.Unlock()
		n, ok := c.connector.marks[mark]
		if !ok && !strings.HasPrefix(mark, "v-") {
			return 0, sdk.Failf(sdk.CodeInvalid, "the checkpoint is none of this connector's")
		}
		if !ok {
			return records, nil // whatever is left is left out
		}
		return n, nil
	}
	n, err := strconv.Atoi(mark)
	switch {
	case err != nil && fault == "fragile":
		os.Exit(1)
	case err != nil && fault == "careless":
		return records, nil // nothing is left, it thinks
	case err != nil:
		return 0, &sdk.Failure{Code: sdk.CodeInvalid, Message: "the checkpoint is none of this connector's", Err: err}
	}
	if fault == "lossy" {
		n++
	}
	return n, nil
}

// mark writes a checkpoint.
func (c *connection) mark(n int) []byte {
	if fault != "volatile" {
		return []byte(strconv.Itoa(n))
	}
	c.connector.mu.Lock()
	defer c.connector.mu.Unlock()
	if c.connector.marks == nil {
		c.connector.marks = map[string]int{}
	}
	mark := "v-" + strconv.FormatUint(rand.Uint64(), 36)
	c.connector.marks[mark] = n
	return []byte(mark)
}
