package api

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/sdk/model"
)

var pathParameter = regexp.MustCompile(`\{([a-z]+)\}`)

// document returns the OpenAPI 3.1 description, made from the routes.
func (a *API) document() map[string]any {
	paths := map[string]map[string]any{}
	for _, r := range a.routes {
		if paths[r.path] == nil {
			paths[r.path] = map[string]any{}
		}
		parameters := []map[string]any{}
		for _, m := range pathParameter.FindAllStringSubmatch(r.path, -1) {
			parameters = append(parameters, map[string]any{"name": m[1], "in": "path", "required": true, "schema": map[string]any{"type": "string"}})
		}
		for _, q := range r.query {
			if q != "*" {
				parameters = append(parameters, map[string]any{"name": q, "in": "query", "schema": map[string]any{"type": "string"}})
			}
		}
		op := map[string]any{
			"summary": r.summary, "parameters": parameters,
			"responses": map[string]any{
				"2XX":     map[string]any{"description": "Done"},
				"default": map[string]any{"description": "A problem (RFC 9457)", "content": map[string]any{"application/problem+json": map[string]any{"schema": map[string]any{"$ref": "#/components/schemas/problem"}}}},
			},
		}
		if r.open == data || r.open == admin {
			op["security"] = []map[string]any{{"token": []string{}}}
		}
		paths[r.path][strings.ToLower(r.method)] = op
	}
	schemas := map[string]any{"problem": map[string]any{
		"type": "object", "required": []string{"title", "status", "detail", "code", "request_id"},
		"properties": map[string]any{
			"title": map[string]any{"type": "string"}, "status": map[string]any{"type": "integer"}, "detail": map[string]any{"type": "string"},
			"code": map[string]any{"type": "string"}, "request_id": map[string]any{"type": "string"},
			"errors": map[string]any{"type": "array", "items": map[string]any{"type": "object", "properties": map[string]any{"location": map[string]any{"type": "string"}, "message": map[string]any{"type": "string"}}}},
		},
	}}
	for _, e := range model.Entities() {
		if b, err := model.Schema(e.Name); err == nil {
			schemas[e.Name] = json.RawMessage(b)
		}
	}
	return map[string]any{
		"openapi": "3.1.0",
		"info":    map[string]any{"title": "Dinrail", "version": a.Version, "summary": "Data of industrial systems, kept current beside them."},
		"paths":   paths,
		"components": map[string]any{
			"schemas":         schemas,
			"securitySchemes": map[string]any{"token": map[string]any{"type": "http", "scheme": "bearer"}},
		},
	}
}

func (a *API) openapi(c *call) error {
	a.write(c, http.StatusOK, a.document())
	return nil
}

var docsPage = template.Must(template.New("docs").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Dinrail API</title><link rel="stylesheet" href="/docs.css"></head>
<body><main><h1>Dinrail API</h1><p>Version {{.Version}}. The machine's form of this page is <a href="/openapi.json">/openapi.json</a>.</p>
<table><thead><tr><th>Call</th><th>Answers</th><th>Token</th><th>Parameters</th></tr></thead><tbody>
{{range .Rows}}<tr><td><code><b>{{.Method}}</b> {{.Path}}</code></td><td>{{.Summary}}</td><td>{{.Token}}</td><td>{{.Query}}</td></tr>
{{end}}</tbody></table></main></body></html>`))

const docsCSS = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{margin:0}main{max-width:72rem;margin:auto;padding:1rem;overflow-x:auto}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #8884;vertical-align:top}code{font-size:.9em}`

func (a *API) docs(c *call) error {
	type row struct{ Method, Path, Summary, Token, Query string }
	var rows []row
	for _, r := range a.routes {
		token := map[door]string{everybody: "none", machine: "none on this machine", data: "connection", admin: fmt.Sprintf("admin (%s)", r.role)}[r.open]
		query := strings.ReplaceAll(strings.Join(r.query, ", "), "*", "FIELD=VALUE")
		rows = append(rows, row{r.method, r.path, r.summary, token, query})
	}
	c.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	c.w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'")
	return docsPage.Execute(c.w, map[string]any{"Version": a.Version, "Rows": rows})
}

func (*API) docsStyle(c *call) error {
	c.w.Header().Set("Content-Type", "text/css")
	_, err := c.w.Write([]byte(docsCSS))
	return err
}

// gauges are the metrics that are read from state when they are asked for.
type gauges struct {
	store *state.Store
	log   hclog.Logger
}

var (
	connectionsDesc = prometheus.NewDesc("dinrail_connections", "Connections by status.", []string{"status"}, nil)
	processesDesc   = prometheus.NewDesc("dinrail_plugin_processes", "Connectors' processes by status.", []string{"status"}, nil)
)

// Describe implements prometheus.Collector.
func (*gauges) Describe(out chan<- *prometheus.Desc) { out <- connectionsDesc; out <- processesDesc }

// Collect implements prometheus.Collector.
func (g *gauges) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conns, err := state.All[host.Connection](ctx, g.store, state.KindConnection)
	if err != nil {
		g.log.Error("read connections for metrics", "error", err)
		return
	}
	byStatus := map[string]float64{}
	for i := range conns {
		byStatus[string(conns[i].Value.Status)]++
	}
	for s, n := range byStatus {
		out <- prometheus.MustNewConstMetric(connectionsDesc, prometheus.GaugeValue, n, s)
	}
	procs, err := state.All[host.Process](ctx, g.store, state.KindProcess)
	if err != nil {
		g.log.Error("read processes for metrics", "error", err)
		return
	}
	byStatus = map[string]float64{}
	for i := range procs {
		byStatus[string(procs[i].Value.Status)]++
	}
	for s, n := range byStatus {
		out <- prometheus.MustNewConstMetric(processesDesc, prometheus.GaugeValue, n, s)
	}
}
