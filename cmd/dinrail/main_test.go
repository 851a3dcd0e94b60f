package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"dinrail": main})
}

// TestScripts runs testdata/*.txtar. Each has an API in front of it that
// answers with the script's own files: api/GET/v1/admin/connections.json is the
// answer to that call. A first line "HTTP 422" gives another status than 200;
// with NAME.2.json beside it, the second call and all later ones get that one.
// What was asked stands in requests.txt, a line a call.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			server := httptest.NewServer(&answers{dir: env.WorkDir, asked: map[string]int{}})
			env.Defer(server.Close)
			env.Setenv("DINRAIL_ADDR", server.URL)
			env.Setenv("DINRAIL_TOKEN", "dra_of_the_test")
			return nil
		},
	})
}

// answers is an API whose answers are files.
type answers struct {
	dir string

	mu    sync.Mutex
	asked map[string]int
}

func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = a.note(r, body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	name := filepath.Join(a.dir, "api", r.Method, filepath.FromSlash(r.URL.Path))
	a.asked[name]++
	answer, err := os.ReadFile(fmt.Sprintf("%s.%d.json", name, a.asked[name]))
	if err != nil {
		answer, err = os.ReadFile(name + ".json")
	}
	if err != nil {
		answer = []byte("HTTP 404\n" + `{"title":"Not Found","status":404,"code":"not_found","detail":"there is nothing at ` + r.URL.Path + `"}`)
	}
	status := http.StatusOK
	if first, rest, ok := bytes.Cut(answer, []byte("\n")); ok && bytes.HasPrefix(first, []byte("HTTP ")) {
		if _, err := fmt.Sscanf(string(first), "HTTP %d", &status); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer = rest
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// note writes down what was asked.
func (a *answers) note(r *http.Request, body []byte) error {
	f, err := os.OpenFile(filepath.Join(a.dir, "requests.txt"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "%s %s [%s] [%s] %s\n", r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("Dinrail-Connection"), body)
	return err
}
