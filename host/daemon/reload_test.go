package daemon

import (
	"reflect"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host/internal/config"
)

// What is read at the start alone is named by its attribute, and the running
// host goes on with what it has until then.
func TestChangesThatWaitForARestartAreNamed(t *testing.T) {
	running, next := config.Config{Host: config.DefaultHost()}, config.Config{Host: config.DefaultHost()}
	if got := needsRestart(&running, &next); len(got) != 0 {
		t.Fatalf("nothing changed, and a restart is asked for: %v", got)
	}
	h := &next.Host
	h.Listen, h.DataDir, h.PluginDir, h.KeyFile = "127.0.0.1:1", "elsewhere", "there", "key"
	h.Drain, h.EncryptData, h.RatePerSecond = time.Second, false, 5
	next.Listeners = []config.Listener{{Name: "public", Address: "127.0.0.1:2"}}
	want := []string{"host.data_dir", "host.drain", "host.encrypt_data", "host.key", "host.listen", "host.plugin_dir", "host.rate", "listener"}
	if got := needsRestart(&running, &next); !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	next.Host.LogLevel = "debug"
	keepUntilRestart(&next, &running)
	if got := needsRestart(&running, &next); len(got) != 0 || next.Host.LogLevel != "debug" {
		t.Fatalf("still differing: %v, log level %s", got, next.Host.LogLevel)
	}
}
