package host_test

import (
	"testing"

	"github.com/dinrail/dinrail/host"
)

func TestEventPatterns(t *testing.T) {
	t.Parallel()
	for p, want := range map[string]bool{
		"*": true, "sync.*": true, "sync.completed": true, "connection.*": true, "custom.x": true, "custom.*": true, "custom.a.b": true,
		"trigger.low-stock": true, "trigger.*": true, "trigger.low.*": true, "record.*": true, "webhook.test": true, "s*": true,
		"": false, "sync": false, "sync.": false, "sync.done": false, "syncs.*": false, "custom.": false, "custom..*": false, "a b": false,
		"custom.ä": false, "**": false, "*.completed": false,
	} {
		if got := host.ValidEventPattern(p); got != want {
			t.Errorf("%q: %t", p, got)
		}
	}
	if !host.ValidCustomType("custom.order-shipped") || host.ValidCustomType("trigger.x") || host.ValidCustomType("custom.") || host.ValidCustomType("sync.completed") {
		t.Error("a caller may make custom events and no others")
	}
}
