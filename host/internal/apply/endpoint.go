package apply

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/config"
	"github.com/dinrail/dinrail/host/internal/state"
)

// endpoints brings endpoints in line with the webhook blocks. What a person
// did to one (a rotation, disabling it) stays; what it is owed stays with it.
func (c *comparison) endpoints(ctx context.Context, cfg *config.Config) error {
	stored, err := state.All[host.Endpoint](ctx, c.Store, state.KindEndpoint)
	if err != nil {
		return fmt.Errorf("read endpoints: %w", err)
	}
	known := map[host.EndpointID]*state.Versioned[host.Endpoint]{}
	for i := range stored {
		known[stored[i].Value.ID] = &stored[i]
	}
	for i := range cfg.Webhooks {
		block := &cfg.Webhooks[i]
		old := known[block.ID]
		delete(known, block.ID)
		if old != nil && old.Value.ManagedBy != host.ManagedByFile {
			c.plan.Refused = append(c.plan.Refused, fmt.Sprintf("webhook %q (%s): an endpoint of that id was made by the API; remove that one, or rename the block", block.ID, block.Source))
			continue
		}
		if err := c.endpoint(old, block); err != nil {
			return err
		}
	}
	for id, old := range known {
		if old.Value.ManagedBy != host.ManagedByFile || cfg.BrokenWebhook(id) {
			continue
		}
		c.plan.Webhooks = append(c.plan.Webhooks, fmt.Sprintf("- webhook %s: removed; what it is owed is dead", id))
		c.steps = append(c.steps, step{put: state.Delete(state.KindEndpoint, string(id), old.Revision)})
	}
	return nil
}

// endpoint writes one endpoint as its block says, if it differs.
func (c *comparison) endpoint(old *state.Versioned[host.Endpoint], block *config.Webhook) error {
	doc, expect := host.Endpoint{CreatedAt: c.at}, state.Absent
	if old != nil {
		doc, expect = old.Value, old.Revision
	}
	was := doc
	b := &block.Endpoint
	doc.ID, doc.URL, doc.ManagedBy, doc.Source = b.ID, b.URL, host.ManagedByFile, b.Source
	doc.Events, doc.Connections, doc.Timeout, doc.Rate, doc.Retry = b.Events, b.Connections, b.Timeout, b.Rate, b.Retry
	doc.EmptySyncs, doc.AllowPrivate, doc.Network = b.EmptySyncs, b.AllowPrivate, b.Network
	if err := errors.Join(c.headers(&doc, block), c.signing(&doc, block)); err != nil {
		return err
	}
	if old != nil && same(&was, &doc) {
		return nil
	}
	moved := was
	moved.Source = doc.Source
	switch {
	case old == nil:
		c.plan.Webhooks = append(c.plan.Webhooks, fmt.Sprintf("+ webhook %s: added", doc.ID))
	case !same(&moved, &doc):
		c.plan.Webhooks = append(c.plan.Webhooks, fmt.Sprintf("~ webhook %s: changed", doc.ID))
	}
	put, err := state.PutOf(state.KindEndpoint, string(doc.ID), expect, &doc)
	if err != nil {
		return err
	}
	c.steps = append(c.steps, step{put: put})
	return nil
}

// headers seals the block's headers where they are others than before.
func (c *comparison) headers(doc *host.Endpoint, block *config.Webhook) error {
	wanted, have := reveal(block.Headers), map[string]string{}
	if doc.Headers != nil {
		plain, err := c.Sealer.Open("", doc.Headers, doc.HeadersPlace())
		if err == nil {
			err = json.Unmarshal(plain, &have)
		}
		if err != nil {
			return fmt.Errorf("open the headers of webhook %s: %w", doc.ID, err)
		}
	}
	if maps.Equal(wanted, have) {
		return nil
	}
	if len(wanted) == 0 {
		doc.Headers = nil
		return nil
	}
	plain, err := json.Marshal(wanted)
	if err == nil {
		doc.Headers, err = c.Sealer.Seal("", plain, doc.HeadersPlace())
	}
	if err != nil {
		return fmt.Errorf("seal the headers of webhook %s: %w", doc.ID, err)
	}
	return nil
}

// signing takes the file's signing secret over where the file itself changed,
// and mints one where there is none. The one before signs along for a while.
func (c *comparison) signing(doc *host.Endpoint, block *config.Webhook) error {
	if block.Secret.Empty() {
		doc.FileSecret = nil
		if len(doc.Secrets) > 0 {
			return nil
		}
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails: crypto/rand
		sealed, err := c.Sealer.Seal("", key, doc.SecretPlace())
		if err != nil {
			return fmt.Errorf("seal the secret of webhook %s: %w", doc.ID, err)
		}
		doc.Rotate(sealed, c.at)
		return nil
	}
	key, err := host.ParseSigningSecret(block.Secret.Reveal())
	if err != nil {
		return err // its form was checked when it was loaded
	}
	if doc.FileSecret != nil {
		before, err := c.Sealer.Open("", doc.FileSecret, doc.SecretPlace())
		if err != nil {
			return fmt.Errorf("open the secret of webhook %s: %w", doc.ID, err)
		}
		if bytes.Equal(before, key) {
			return nil
		}
	}
	sealed, err := c.Sealer.Seal("", key, doc.SecretPlace())
	if err != nil {
		return fmt.Errorf("seal the secret of webhook %s: %w", doc.ID, err)
	}
	doc.FileSecret = sealed
	doc.Rotate(sealed, c.at)
	return nil
}
