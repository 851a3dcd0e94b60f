package ui

import (
	"time"

	"github.com/dinrail/dinrail/host"
)

// endpoint is an endpoint as the API answers it.
type endpoint struct {
	ID           host.EndpointID               `json:"id"`
	URL          string                        `json:"url"`
	ManagedBy    host.ManagedBy                `json:"managed_by"`
	Status       string                        `json:"status"`
	Reason       string                        `json:"reason"`
	DisabledAt   time.Time                     `json:"disabled_at"`
	Events       []string                      `json:"events"`
	Connections  []string                      `json:"connections"`
	Timeout      string                        `json:"timeout"`
	FailingSince time.Time                     `json:"failing_since"`
	Deliveries   map[host.DeliveryStatus]int64 `json:"deliveries"`
}

// Count is how many deliveries have a status.
func (e endpoint) Count(status string) int64 { return e.Deliveries[host.DeliveryStatus(status)] }

// endpointsPage is a part of the list of endpoints.
type endpointsPage struct {
	List    list[endpoint]
	NextURL string
	First   bool
}

func (u *UI) endpoints(a *at) error {
	cursor := a.URL.Query().Get("cursor")
	p := endpointsPage{First: cursor == ""}
	if err := a.get(with(admin("webhooks"), "limit", rowsShown, "cursor", cursor), &p.List); err != nil {
		return err
	}
	p.NextURL = with("/endpoints", "cursor", p.List.Next)
	return a.show("endpoints", sheet{Title: "Endpoints", Tab: "endpoints", Live: p.First, Body: &p})
}

// endpointPage is one endpoint, and its new secret where one was just minted.
type endpointPage struct {
	endpoint
	Secret string
}

func (u *UI) oneEndpoint(a *at) error { return a.showEndpoint("") }

func (a *at) showEndpoint(secret string) error {
	p := endpointPage{Secret: secret}
	if err := a.get(admin("webhooks", a.PathValue("id")), &p.endpoint); err != nil {
		return err
	}
	return a.show("endpoint", sheet{Title: string(p.ID), Tab: "endpoints", Body: &p})
}

// rotateSecret mints a signing secret and shows it, once.
func (u *UI) rotateSecret(a *at) error {
	var minted struct {
		Secret string `json:"secret"`
	}
	if err := a.post(admin("webhooks", a.PathValue("id"), "rotate-secret"), nil, &minted); err != nil {
		return err
	}
	return a.showEndpoint(minted.Secret)
}
