package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/dinrail/dinrail/host/internal/api"
)

func TestMetricsAreNamedAsPrometheusAdvises(t *testing.T) {
	metrics := api.NewMetrics()
	r := setup(t, func(p *api.Params) { p.Metrics = metrics })
	r.ask("POST", "/v1/admin/webhooks", root, hook)
	r.ask("GET", "/v1/items", r.token, "")
	r.ask("GET", "/v1/items/"+strings.Repeat("x", 50), r.token, "")
	metrics.Attempted("app", "delivered", time.Second)
	for status := range 700 {
		metrics.Called("erp", "erp", status, time.Second, 100)
	}
	metrics.Allowed("erp", "erp", 42)
	a := r.ask("GET", "/metrics", root, "")
	r.want("status", a.status, http.StatusOK)
	problems, err := promlint.New(strings.NewReader(a.text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "dinrail_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	for _, want := range []string{
		`dinrail_connections{status="online"} 1`, `dinrail_webhook_endpoints{status="enabled"} 1`,
		`dinrail_system_call_duration_seconds_count{connector="erp",status="5xx",system="erp"} 100`,
		`dinrail_system_received_bytes_total{connector="erp",system="erp"} 70000`,
		`dinrail_system_allowed_calls{connector="erp",system="erp"} 42`,
		`dinrail_api_request_duration_seconds_count{route="/v1/{entity}",status="200"} 1`,
		`dinrail_api_request_duration_seconds_count{route="/v1/{entity}/{id}",status="404"} 1`,
	} {
		if !strings.Contains(a.text, want) {
			t.Errorf("%s is not among the metrics", want)
		}
	}
	if n := strings.Count(a.text, "dinrail_system_call_duration_seconds_count"); n != 6 {
		t.Errorf("calls have %d classes of status", n)
	}
}
