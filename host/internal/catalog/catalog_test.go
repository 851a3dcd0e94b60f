package catalog_test

import (
	"strings"
	"testing"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/catalog"
)

func TestFirstConnectorByNameServesASystem(t *testing.T) {
	t.Parallel()
	c, problems := catalog.New([]catalog.Described{
		{Connector: "zeta", Systems: []host.System{{Name: "erp", Label: "late"}, {Name: "cmms"}}},
		{Connector: "alpha", Systems: []host.System{{Name: "erp", Label: "early"}}},
	})
	if s, ok := c.Lookup("erp"); !ok || s.Label != "early" || s.Connector != "alpha" {
		t.Errorf("erp is served by %q (%q)", s.Connector, s.Label)
	}
	if s, ok := c.Lookup("cmms"); !ok || s.Connector != "zeta" {
		t.Errorf("cmms is served by %q, %v", s.Connector, ok)
	}
	if _, ok := c.Lookup("mes"); ok {
		t.Error("a system that nobody serves was found")
	}
	if got := len(c.List()); got != 2 {
		t.Errorf("%d systems, want 2", got)
	}
	if len(problems) != 1 || !strings.Contains(problems[0].Message, `"alpha" and "zeta" both serve the system "erp"`) {
		t.Errorf("problems: %v", problems)
	}
}
