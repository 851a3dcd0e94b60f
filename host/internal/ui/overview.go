package ui

import (
	"slices"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
)

// need is what waits for a person.
type need struct {
	Code       string            `json:"code"`
	Connection host.ConnectionID `json:"connection_id"`
	Label      string            `json:"label"`
	Connector  string            `json:"connector"`
	Endpoint   host.EndpointID   `json:"endpoint"`
	Since      time.Time         `json:"since"`
	What       string            `json:"what"`
	Do         string            `json:"do"`
}

// overviewPage is what an operator looks at every morning.
type overviewPage struct {
	Version     string                        `json:"version"`
	Connections map[host.ConnectionStatus]int `json:"connections"`
	Syncs       map[string]int                `json:"syncs"`
	Deliveries  map[string]int64              `json:"deliveries"`
	Disk        *struct{ Free, Low int64 }    `json:"disk"`
	Needs       []need                        `json:"needs"`

	Total     int // connections
	More      int // needs that are not shown
	Statuses  []statusCount
	Processes []host.Process
	Systems   bool // there is something to connect
}

type statusCount struct {
	Status host.ConnectionStatus
	Count  int
}

// mostNeeds is how many needs are shown at once.
const mostNeeds = 25

// urgency is the order in which needs are shown.
var urgency = []string{"disk", "auth_required", "endpoint_disabled", "crashed", "invalid", "credentials", "offline", "pending"}

var statusOrder = []host.ConnectionStatus{
	host.StatusOnline, host.StatusOffline, host.StatusAuthRequired, host.StatusPending, host.StatusPaused, host.StatusInvalid, host.StatusDetached,
}

func (u *UI) overview(a *at) error {
	var p overviewPage
	if err := a.get("/v1/admin/status", &p); err != nil {
		return err
	}
	slices.SortStableFunc(p.Needs, func(x, y need) int {
		return slices.Index(urgency, x.Code) - slices.Index(urgency, y.Code)
	})
	for i := range p.Needs {
		_, reason, _ := strings.Cut(p.Needs[i].What, ": ") // the status stands beside it
		if p.Needs[i].Connection != "" {
			p.Needs[i].What = reason
		}
	}
	if len(p.Needs) > mostNeeds {
		p.More = len(p.Needs) - mostNeeds
		p.Needs = p.Needs[:mostNeeds]
	}
	for _, s := range statusOrder {
		if n := p.Connections[s]; n > 0 {
			p.Statuses = append(p.Statuses, statusCount{s, n})
			p.Total += n
		}
	}
	var processes list[host.Process]
	if err := a.get(with(admin("connectors"), "limit", "50"), &processes); err != nil {
		return err
	}
	p.Processes = processes.Data
	return a.show("overview", sheet{Title: "Overview", Tab: "overview", Live: true, Body: &p})
}
