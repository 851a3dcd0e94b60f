package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sort"
)

// failure is an error as the API answers it.
type failure struct {
	Status int               `json:"-"`
	Code   string            `json:"code"`
	Text   string            `json:"text"`
	Fields map[string]string `json:"fields,omitempty"`
}

// Error tells a failure to whoever reads the log.
func (f *failure) Error() string { return f.Code + ": " + f.Text }

// fail makes a failure.
func fail(status int, code, format string, args ...any) *failure {
	return &failure{Status: status, Code: code, Text: fmt.Sprintf(format, args...)}
}

// invalid tells which fields are wrong, and why.
func invalid(problems map[string]string) *failure {
	names := make([]string, 0, len(problems))
	for name := range problems {
		names = append(names, name)
	}
	sort.Strings(names)
	text := fmt.Sprintf("%d fields are wrong", len(names))
	if len(names) == 1 {
		text = names[0] + " " + problems[names[0]]
	}
	return &failure{Status: http.StatusUnprocessableEntity, Code: "invalid", Text: text, Fields: problems}
}

// writeFailure answers with an error; whatever is no failure is the plant's own
// fault.
func writeFailure(w http.ResponseWriter, err error) {
	var f *failure
	if !errors.As(err, &f) {
		f = fail(http.StatusInternalServerError, "broken", "%v", err)
	}
	writeJSON(w, f.Status, struct {
		Error *failure `json:"error"`
	}{f})
}

// writeJSON answers with a value.
func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":{"code":"broken","text":"the answer cannot be written"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
