package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkList100 compares a list of 100 records with a bare net/http handler
// that writes the same bytes.
func BenchmarkList100(b *testing.B) {
	list100(b, `{"id":"7","name":"Fasteners Ltd"}`)
}

// BenchmarkList100References is the same where each record refers to a record
// of its own, whose name comes from the copy.
func BenchmarkList100References(b *testing.B) {
	list100(b, `{"entity":"items","id":"item-%d","number":null,"name":null}`)
}

func list100(b *testing.B, vendor string) {
	r := setup(b)
	var records []record
	for i := range 100 {
		records = append(records, record{fmt.Sprint("item-", i), fmt.Sprintf(`{"number":"IT-%d","name":"Hexagon bolt M8 x %d, zinc plated, strength class 8.8","status":"active","unit":"piece","vendor":%s,"price":%d.50,"note":"%0100d"}`, i, i, strings.ReplaceAll(vendor, "%d", fmt.Sprint(99-i)), i, i)})
	}
	r.put(plant, "items", records...)
	same := []byte(r.ask("GET", "/v1/items", r.token, "").text)
	for name, h := range map[string]http.Handler{
		"api":  r.api,
		"bare": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(same) }),
	} {
		b.Run(name, func(b *testing.B) {
			server := httptest.NewServer(h)
			defer server.Close()
			b.SetBytes(int64(len(same)))
			b.RunParallel(func(pb *testing.PB) {
				client := &http.Client{Transport: &http.Transport{}}
				defer client.CloseIdleConnections()
				for pb.Next() {
					req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, server.URL+"/v1/items", nil)
					if err != nil {
						b.Error(err)
						return
					}
					req.Header.Set("Authorization", "Bearer "+r.token)
					res, err := client.Do(req)
					if err != nil {
						b.Error(err)
						return
					}
					if n, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK || n < 30_000 {
						b.Errorf("%d, %d bytes, %v", res.StatusCode, n, err)
					}
					_ = res.Body.Close()
				}
			})
		})
	}
}
