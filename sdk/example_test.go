package sdk_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

// A connector is one program. This one reads the parts of a small stock
// system; it is complete but for the package clause of main.
func Example() {
	sdk.Serve(stock{})
}

type stock struct{}

// Describe is what people see before anyone has logged in.
func (stock) Describe(context.Context, *sdk.Definition) (sdk.Description, error) {
	return sdk.Description{Name: "stock", Version: "1", Systems: []sdk.System{{
		Name: "stock", Label: "Stock", Vendor: "Example", Category: "wms",
		Settings: []sdk.Setting{{Name: "url", Type: "url", Label: "Address", Placeholder: "https://stock.example.com", Required: true}},
		Auth: []sdk.AuthMethod{{Name: "bearer", Label: "Token", Fields: []sdk.Setting{
			{Name: "token", Label: "Token", Required: true, Secret: true},
		}}},
	}}}, nil
}

// Open looks at the form of what it is given, and calls nobody.
func (stock) Open(_ context.Context, r sdk.OpenRequest) (sdk.Connection, error) {
	base := strings.TrimRight(r.Settings.String("url"), "/")
	if base == "" {
		return nil, &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings.url", Message: "the address of the stock system is missing"}
	}
	return &stockConnection{http: r.HTTP, base: base, token: r.Credentials["token"]}, nil
}

type stockConnection struct {
	http        *http.Client
	base, token string
}

// Check proves with one call that the login works.
func (c *stockConnection) Check(ctx context.Context) (sdk.Identity, error) {
	var me struct{ Name string }
	if err := c.call(ctx, "/me", nil, &me); err != nil {
		return sdk.Identity{}, err
	}
	return sdk.Identity{Name: me.Name}, nil
}

// Entities says what this login sees.
func (c *stockConnection) Entities(context.Context) ([]sdk.Entity, error) {
	return []sdk.Entity{{Name: "items", Label: "Parts", Key: []string{"id"}, Incremental: true, Fields: []sdk.Field{
		{Name: "number", Type: "string"}, {Name: "name", Type: "string"},
	}}}, nil
}

// Read sends page after page. The checkpoint is all that it needs to go on:
// after a crash of the program, the host or the system, Read is called with the
// one of the last page that was kept.
func (c *stockConnection) Read(ctx context.Context, r sdk.ReadRequest, w *sdk.PageWriter) error {
	after := string(r.Checkpoint) // "changed at, id" of the last part seen
	for {
		var parts []struct {
			ID, Number, Name string
			ChangedAt        time.Time
		}
		// The answer is ordered by change, so that what changes meanwhile comes
		// at its end and nothing is left out.
		if err := c.call(ctx, "/parts", url.Values{"after": {after}, "limit": {"500"}}, &parts); err != nil {
			return err
		}
		if len(parts) == 0 {
			return nil // the end: everything was sent
		}
		for _, p := range parts {
			err := w.Upsert(sdk.Record{
				ID: p.ID, UpdatedAt: p.ChangedAt,
				Fields: map[string]any{"number": p.Number, "name": p.Name},
			})
			if err != nil {
				return err
			}
			after = p.ChangedAt.UTC().Format(time.RFC3339Nano) + "," + p.ID
		}
		if err := w.Flush([]byte(after)); err != nil {
			return err
		}
	}
}

// Close has nothing to release: the HTTP client is the SDK's.
func (c *stockConnection) Close() error { return nil }

func (c *stockConnection) call(ctx context.Context, path string, query url.Values, answer any) error {
	req, err := http.NewRequestWithContext(sdk.WithPath(ctx, path), http.MethodGet, c.base+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	res, err := c.http.Do(req)
	if err != nil {
		return err // it has its code already
	}
	defer res.Body.Close() // read only
	switch res.StatusCode {
	case http.StatusOK:
		return json.NewDecoder(res.Body).Decode(answer)
	case http.StatusUnauthorized:
		return sdk.Failf(sdk.CodeAuthRequired, "the stock system does not accept the token; make a new one there")
	case http.StatusForbidden:
		return sdk.Failf(sdk.CodePermissionDenied, "the token may not read %s", path)
	case http.StatusTooManyRequests:
		return &sdk.Failure{Code: sdk.CodeRateLimited, Message: "too many calls", RetryAt: sdk.RetryAfter(res.Header, time.Now())}
	default:
		return sdk.Failf(sdk.CodeUnavailable, "the stock system answered %s", res.Status)
	}
}
