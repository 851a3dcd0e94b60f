package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// verifyJS reads deliveries, one JSON line each, and answers a line each: what
// the official library says of it.
const verifyJS = `
const { Webhook } = require("standardwebhooks");
const webhook = new Webhook(process.env.SECRET);
for (const line of require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const { headers, body } = JSON.parse(line);
  try {
    console.log("verified " + webhook.verify(body, headers).type);
  } catch (e) {
    console.log("refused " + e.message);
  }
}
`

// npmFolder returns a folder in which a package of npm's is installed. Without
// npm, or where it installs nothing, the suite is left out.
func npmFolder(t *testing.T, suite, library string) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			leaveOut(t, suite, program+" is not installed")
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(library, "@")
	dir := filepath.Join(cache, "dinrail-tests", library)
	if _, err := os.Stat(filepath.Join(dir, "node_modules", name)); err == nil {
		return dir
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	fresh := dir + fmt.Sprintf(".%d", os.Getpid()) // another run may install at the same time
	if err := os.MkdirAll(fresh, 0o750); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(fresh)
	if out, err := exec.CommandContext(ctx, "npm", "install", "--prefix", fresh, "--no-audit", "--no-fund", "--loglevel=error", library).CombinedOutput(); err != nil {
		leaveOut(t, suite, "npm does not install "+library+": "+strings.Join(strings.Fields(string(out)), " "))
	}
	if err := os.Rename(fresh, dir); err != nil {
		if _, there := os.Stat(dir); there != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What the host sends is verified by the official library for JavaScript, and
// a body that was changed on its way is not.
func TestDeliveryIsVerifiedInJavaScript(t *testing.T) {
	t.Parallel()
	dir := npmFolder(t, "signatures checked in JavaScript", "standardwebhooks@1.1.1")
	lines := make(chan string, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		headers := map[string]string{}
		for name := range r.Header {
			headers[strings.ToLower(name)] = r.Header.Get(name)
		}
		var both strings.Builder
		for _, sent := range []string{string(body), string(body) + " "} {
			if err := json.NewEncoder(&both).Encode(map[string]any{"headers": headers, "body": sent}); err != nil {
				t.Error(err)
			}
		}
		select {
		case lines <- both.String():
		default:
		}
	}))
	defer receiver.Close()
	h := newHost(t, fmt.Sprintf("webhook \"app\" {\n  url = %q\n  secret = %q\n  events = [\"custom.*\"]\n}\n", receiver.URL, hookSecret))
	h.start()
	if a := h.call("POST", "/v1/admin/events", adminToken, `{"type":"custom.shift","data":{"name":"Frühschicht \u2028 <1>"}}`); a.status != http.StatusAccepted {
		t.Fatalf("%d %v", a.status, a.body)
	}
	var input string
	select {
	case input = <-lines:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing arrived")
	}
	node := exec.CommandContext(t.Context(), "node", "-e", verifyJS)
	node.Dir = dir
	node.Env = append(os.Environ(), "SECRET="+hookSecret)
	node.Stdin = strings.NewReader(input)
	out, err := node.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(got) != 2 || got[0] != "verified custom.shift" || !strings.HasPrefix(got[1], "refused ") {
		t.Errorf("the library says %q", got)
	}
}
