package ui

import (
	"net/url"
	"time"

	"github.com/dinrail/dinrail/host"
)

// delivery is a delivery as the API answers it.
type delivery struct {
	ID          host.DeliveryID     `json:"id"`
	Event       host.EventID        `json:"event_id"`
	EventType   host.EventType      `json:"event_type"`
	Endpoint    host.EndpointID     `json:"endpoint"`
	Connection  host.ConnectionID   `json:"connection_id"`
	Status      host.DeliveryStatus `json:"status"`
	Attempts    int                 `json:"attempts"`
	CreatedAt   time.Time           `json:"created_at"`
	NextAttempt time.Time           `json:"next_attempt_at"`
	EndedAt     time.Time           `json:"ended_at"`
	Reason      string              `json:"reason"`
	LastStatus  int                 `json:"last_status"`
}

// deliveriesPage is a part of the list of deliveries.
type deliveriesPage struct {
	Status, Endpoint, Connection, Type, Within string
	Since                                      string // what Within comes to
	Statuses                                   []host.DeliveryStatus
	Spans                                      []pair
	List                                       list[delivery]
	FirstURL, NextURL                          string
	First                                      bool
	Dead                                       bool // some of those shown are dead
	Filtered                                   bool
}

// spans are how far back one looks, and their words.
var spans = []pair{{"1h", "Last hour"}, {"12h", "Last 12 hours"}, {"24h", "Last 24 hours"}, {"168h", "Last 7 days"}}

func (u *UI) deliveries(a *at) error {
	q := a.URL.Query()
	p := deliveriesPage{
		Status: q.Get("status"), Endpoint: q.Get("endpoint"), Connection: q.Get("connection"), Type: q.Get("event_type"), Within: q.Get("within"), Since: q.Get("since"),
		Statuses: []host.DeliveryStatus{host.DeliveryPending, host.DeliveryDelivered, host.DeliveryHeld, host.DeliveryDead},
		Spans:    spans, First: q.Get("cursor") == "",
	}
	if p.Within != "" && p.Since == "" { // the pages after the first keep to the same moment
		d, err := time.ParseDuration(p.Within)
		if err != nil || d <= 0 {
			return host.Errorf(host.CodeInvalid, "within must be a time such as 24h")
		}
		p.Since = host.FormatTime(time.Now().Add(-d))
	}
	filter := []string{"status", p.Status, "endpoint", p.Endpoint, "connection", p.Connection, "event_type", p.Type}
	if err := a.get(with(admin("deliveries"), append(filter, "since", p.Since, "limit", rowsShown, "cursor", q.Get("cursor"))...), &p.List); err != nil {
		return err
	}
	for i := range p.List.Data {
		p.Dead = p.Dead || p.List.Data[i].Status == host.DeliveryDead
	}
	filter = append(filter, "within", p.Within)
	p.FirstURL = with("/deliveries", filter...)
	p.Filtered = p.FirstURL != "/deliveries"
	p.NextURL = with("/deliveries", append(filter, "since", p.Since, "cursor", p.List.Next)...)
	return a.show("deliveries", sheet{Title: "Deliveries", Tab: "deliveries", Body: &p})
}

// attempt is one try, as the API answers it.
type attempt struct {
	Number    int       `json:"number"`
	Status    string    `json:"status"`
	StartedAt time.Time `json:"started_at"`
	Took      float64   `json:"took_ms"`
	HTTP      int       `json:"http_status"`
	Error     string    `json:"error"`
	Response  *string   `json:"response"`
}

// deliveryPage is one delivery with its attempts.
type deliveryPage struct {
	delivery
	Tries []attempt
}

func (u *UI) oneDelivery(a *at) error {
	id := a.PathValue("delivery")
	var p deliveryPage
	if err := a.get(admin("deliveries", id), &p.delivery); err != nil {
		return err
	}
	var tries list[attempt]
	if err := a.get(with(admin("deliveries", id, "attempts"), "limit", "1000"), &tries); err != nil {
		return err
	}
	p.Tries = tries.Data
	return a.show("delivery", sheet{Title: "Delivery", Tab: "deliveries", Live: p.Status == host.DeliveryPending, Body: &p})
}

// retryOne has a delivery tried again now.
func (u *UI) retryOne(a *at) error {
	id := a.PathValue("delivery")
	if err := a.post(admin("deliveries", id, "retry"), nil, nil); err != nil {
		return err
	}
	return a.back("/deliveries/"+url.PathEscape(id), "retried")
}
