package e2e_test

import (
	"bufio"
	"fmt"
	"strings"
	"testing"
	"time"
)

// The host's last lines are told by the command line, those of one connection
// by themselves, and followed as they come.
func TestLogsAreToldAndFollowed(t *testing.T) {
	t.Parallel()
	h := newHost(t, fmt.Sprintf(endless, 10)+strings.Replace(fmt.Sprintf(endless, 10), "plant-1", "plant-2", 1))
	h.start()
	h.synced(h.token("plant-1"), 1)
	h.synced(h.token("plant-2"), 1)
	all := h.cli("logs")
	if !strings.Contains(all, "serving") || !strings.Contains(all, "connection=plant-1") || !strings.Contains(all, "connection=plant-2") {
		t.Errorf("the log is\n%s", all)
	}
	if one := h.cli("logs", "--connection", "plant-1"); !strings.Contains(one, "status=online") || strings.Contains(one, "plant-2") || strings.Contains(one, "serving") {
		t.Errorf("of one connection:\n%s", one)
	}
	follow := h.command("logs", "--connection", "plant-2", "--follow")
	out, err := follow.StdoutPipe()
	if err == nil {
		err = follow.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = follow.Process.Kill(); _ = follow.Wait() }()
	lines := make(chan string, 100)
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	h.configure(fmt.Sprintf(endless, 10) + strings.Replace(strings.Replace(fmt.Sprintf(endless, 10), "plant-1", "plant-2", 1), `system      = "endless"`, "system      = \"endless\"\n  paused = true", 1))
	time.Sleep(300 * time.Millisecond) // what was there before has been told
	for len(lines) > 0 {
		<-lines
	}
	h.cli("reload")
	h.configure(fmt.Sprintf(endless, 10) + strings.Replace(fmt.Sprintf(endless, 10), "plant-1", "plant-2", 1))
	h.cli("reload")
	select {
	case line := <-lines:
		if !strings.Contains(line, "connection=plant-2") {
			t.Errorf("followed: %s", line)
		}
	case <-time.After(20 * time.Second):
		t.Error(h.status("plant-2"), h.call("GET", "/v1/admin/connections/plant-2", adminToken, "").body)
		t.Errorf("nothing follows; the log is\n%s", h.cli("logs"))
	}
}
