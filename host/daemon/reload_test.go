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
	running, next := config.DefaultHost(), config.DefaultHost()
	if got := needsRestart(&running, &next); len(got) != 0 {
		t.Fatalf("nothing changed, and a restart is asked for: %v", got)
	}
	next.Listen, next.DataDir, next.PluginDir, next.KeyFile = "127.0.0.1:1", "elsewhere", "there", "key"
	next.Drain, next.EncryptData, next.RatePerSecond = time.Second, false, 5
	want := []string{"host.data_dir", "host.drain", "host.encrypt_data", "host.key", "host.listen", "host.plugin_dir", "host.rate"}
	if got := needsRestart(&running, &next); !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	next.LogLevel = "debug"
	keepUntilRestart(&next, &running)
	if got := needsRestart(&running, &next); len(got) != 0 || next.LogLevel != "debug" {
		t.Fatalf("still differing: %v, log level %s", got, next.LogLevel)
	}
}
