// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient/openapi"
)

// Matter is a matter: whose it is, in which service tasks, and what happened to it.
type Matter = openapi.Matter

// NewMatter is a matter to open. Its clients and service tasks are fixed; a matter of several clients is a shared one.
type NewMatter struct {
	// ID is the identifier; the archive gives a random one without it.
	ID string
	// Clients are 1 to 8 clients, ServiceTasks the codes of 1 to 8 service tasks.
	Clients      []uuid.UUID
	ServiceTasks []string
	// OpenedAt is when it was opened; now without it.
	OpenedAt time.Time
	// Key tells a matter without an identifier apart from all others, as that of a [NewDocument] does.
	Key string
}

// OpenMatter opens a matter. Only the organizer and units with the extended right do. Opening it again changes nothing.
func (c *Client) OpenMatter(ctx context.Context, m NewMatter) (Matter, error) {
	if m.Key == "" {
		m.Key = uuid.NewString()
	}
	return answer[Matter](c.requests.OpenMatter(ctx, c.registry, &openapi.OpenMatterParams{IdempotencyKey: &m.Key}, openapi.MatterOpening{
		ID: m.ID, Clients: m.Clients, ServiceTasks: m.ServiceTasks, OpenedAt: bound(m.OpenedAt),
	}))
}

// CloseMatter closes a matter; now, if the time is zero. Closing it again at the same time changes nothing.
func (c *Client) CloseMatter(ctx context.Context, id string, at time.Time) (Matter, error) {
	return answer[Matter](c.requests.CloseMatter(ctx, c.registry, id, openapi.MatterClosing{ClosedAt: bound(at)}))
}

// ReopenMatter undoes a closing that was a mistake.
func (c *Client) ReopenMatter(ctx context.Context, id string) (Matter, error) {
	return answer[Matter](c.requests.ReopenMatter(ctx, c.registry, id, openapi.MatterReopening{}))
}

// ReadMatter returns a matter with its events.
func (c *Client) ReadMatter(ctx context.Context, id string) (Matter, error) {
	return answer[Matter](c.requests.ReadMatter(ctx, c.registry, id))
}

// Matters returns those of a client's matters that the caller may see, the one opened last first.
func (c *Client) Matters(ctx context.Context, client uuid.UUID) ([]Matter, error) {
	found, err := answer[openapi.Matters](c.requests.SearchMatters(ctx, c.registry, openapi.MatterSearch{Client: client}))
	return found.Items, err
}
