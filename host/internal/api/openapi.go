package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/sdk/model"
)

var pathParameter = regexp.MustCompile(`\{([a-z]+)\}`)

// object is a JSON object of the description.
type object = map[string]any

// document returns the OpenAPI 3.1 description, made from the routes.
func (a *API) document() object {
	paths := map[string]object{}
	for _, r := range a.routes {
		if paths[r.path] == nil {
			paths[r.path] = object{}
		}
		paths[r.path][strings.ToLower(r.method)] = operation(r)
	}
	schemas := object{"problem": schemaOf(reflect.TypeFor[problem]())}
	for _, e := range model.Entities() {
		if b, err := model.Schema(e.Name); err == nil {
			schemas[e.Name] = json.RawMessage(b)
		}
	}
	return object{
		"openapi": "3.1.0",
		"info":    object{"title": "Dinrail", "version": a.Version, "summary": "Data of industrial systems, kept current beside them."},
		"paths":   paths,
		"components": object{
			"schemas":         schemas,
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}},
		},
	}
}

// operation describes one call.
func operation(r route) object {
	parameters := []object{}
	for _, m := range pathParameter.FindAllStringSubmatch(r.path, -1) {
		parameters = append(parameters, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, q := range r.query {
		parameters = append(parameters, parameterOf(q))
	}
	if r.open == data {
		parameters = append(parameters, object{"name": "Dinrail-Connection", "in": "header", "schema": object{"type": "string"}, "description": "The connection that is meant, with an admin token."})
	}
	if r.method != http.MethodGet {
		parameters = append(parameters, object{"name": "Idempotency-Key", "in": "header", "schema": object{"type": "string", "maxLength": longestKey}, "description": "Makes a repeated request answer as the first did, for 24 hours."})
	}
	done := object{"description": "Done"}
	if r.answer != nil {
		done["content"] = object{"application/json": object{"schema": schemaOf(reflect.TypeOf(r.answer))}}
	}
	op := object{
		"operationId": operationID(r), "summary": r.summary, "parameters": parameters,
		"responses": object{
			strconv.Itoa(cmp.Or(r.status, http.StatusOK)): done,
			"default": object{"description": "A problem (RFC 9457)", "content": object{"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/problem"}}}},
		},
	}
	if r.body != nil {
		op["requestBody"] = object{"content": object{"application/json": object{"schema": schemaOf(reflect.TypeOf(r.body))}}}
	}
	switch r.open {
	case data, admin:
		op["security"] = []object{{"token": []string{}}}
	case machine: // none on the host's own machine
		op["security"] = []object{{}, {"token": []string{}}}
	case everybody:
	}
	return op
}

var words = regexp.MustCompile(`[A-Za-z0-9]+`)

// operationID names a call by its method and path: getV1SyncRunsRun.
func operationID(r route) string {
	id := strings.ToLower(r.method)
	for _, w := range words.FindAllString(r.path, -1) {
		id += strings.ToUpper(w[:1]) + w[1:]
	}
	return id
}

// parameterOf describes a parameter by its name, which means the same in every
// call.
func parameterOf(name string) object {
	p, kind := object{"name": name, "in": "query"}, object{"type": "string"}
	switch {
	case name == "*":
		p["name"], p["style"], p["explode"] = "filter", "form", true
		kind = object{"type": "object", "additionalProperties": object{"type": "string"}}
		p["description"] = "FIELD=VALUE, or FIELD[in|ne|gt|gte|lt|lte|null]=VALUE; a field within another by a dot, such as vendor.id."
	case name == "limit":
		kind = object{"type": "integer", "minimum": 1, "maximum": host.MaxListLimit, "default": host.DefaultLimit}
	case name == "cursor":
		p["description"] = "next_cursor of an earlier answer; of records, changes and events also latest, for what comes from now on."
	case name == "wait":
		p["description"] = "How long to wait for something new, such as 30s; at most " + longestWait.String() + "."
	case name == "include":
		p["description"] = "raw, deleted, or both with a comma between."
	case name == "entities":
		p["description"] = "Names with commas between; all where it is left out."
	case name == "live":
		kind = object{"type": "boolean"}
	case strings.HasSuffix(name, "_after"), strings.HasSuffix(name, "_before"):
		kind["format"] = "date-time"
	}
	p["schema"] = kind
	return p
}

func (a *API) openapi(c *call) error {
	a.write(c, http.StatusOK, a.document())
	return nil
}

// openapiYAML answers the same description as YAML (RFC 9512).
func (a *API) openapiYAML(c *call) error {
	b, err := json.Marshal(a.document())
	var v any
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err == nil {
		b, err = yaml.Marshal(v)
	}
	if err != nil {
		return fmt.Errorf("write the description as YAML: %w", err)
	}
	c.w.Header().Set("Content-Type", "application/yaml")
	_, _ = c.w.Write(b) // a caller who went away is no error of ours
	return nil
}
