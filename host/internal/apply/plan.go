package apply

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dinrail/dinrail/host"
)

// Plan tells what bringing state in line would do. The lists are sorted.
type Plan struct {
	Added     []string `json:"added"`
	Changed   []string `json:"changed"`
	Removed   []string `json:"removed"`   // their blocks are gone: they become detached
	Purged    []string `json:"purged"`    // detached for longer than host.DetachedFor
	Restarted []string `json:"restarted"` // of Changed: open anew, so that what runs is stopped
	Moved     []string `json:"moved"`     // "from -> to": renamed, with all that they have
	Webhooks  []string `json:"webhooks"`  // what becomes of endpoints, a line each
	Restart   []string `json:"restart"`   // attributes that take effect when the host is started again
	Refused   []string `json:"refused"`   // why a block cannot be applied, a sentence each
}

// Empty says whether nothing would change.
func (p Plan) Empty() bool {
	return len(p.Added)+len(p.Changed)+len(p.Removed)+len(p.Purged)+len(p.Moved)+len(p.Webhooks)+len(p.Restart) == 0
}

// String is the plan for people, a line each.
func (p Plan) String() string {
	var b strings.Builder
	if p.Empty() {
		b.WriteString("nothing changes\n")
	}
	for _, names := range p.Moved {
		fmt.Fprintf(&b, "> connection %s: renamed; its data, tokens and cursors stay\n", names)
	}
	for _, id := range p.Added {
		fmt.Fprintf(&b, "+ connection %s: added\n", id)
	}
	for _, id := range p.Changed {
		what := "changed"
		if slices.Contains(p.Restarted, id) {
			what = "changed; its syncs start again from their checkpoints"
		}
		fmt.Fprintf(&b, "~ connection %s: %s\n", id, what)
	}
	for _, id := range p.Removed {
		fmt.Fprintf(&b, "- connection %s: detached; its tokens answer connection_detached, its data stays %d days\n", id, int(host.DetachedFor.Hours()/24))
	}
	for _, id := range p.Purged {
		fmt.Fprintf(&b, "- connection %s: purged with its data and tokens\n", id)
	}
	for _, line := range p.Webhooks {
		fmt.Fprintln(&b, line)
	}
	for _, name := range p.Restart {
		fmt.Fprintf(&b, "~ %s: takes effect when the host is started again\n", name)
	}
	for _, reason := range p.Refused {
		fmt.Fprintf(&b, "! %s\n", reason)
	}
	return b.String()
}
