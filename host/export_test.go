package host_test

import (
	"strings"
	"testing"

	"github.com/dinrail/dinrail/host"
)

func TestExportedTextIsNoTemplate(t *testing.T) {
	got := host.Exported{ID: "a", Label: "a ${b} %{c} \"d\"\n"}.HCL()
	if want := `label = "a $${b} %%{c} \"d\"\n"`; !strings.Contains(got, want) {
		t.Errorf("%s is not in %s", want, got)
	}
}
