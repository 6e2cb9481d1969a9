// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// matterColumns are the columns of matters (as m) that matterScan reads, in its order.
const matterColumns = `m.matter, m.client_ids, m.service_tasks, m.opened_us, m.closed_us, m.events`

const fromMatter = ` FROM matters m JOIN registries r ON r.registry_id = m.registry_id WHERE r.oid = $1 AND m.matter = $2`

// matterScan receives one row of matterColumns.
type matterScan struct {
	m       store.Matter
	clients []byte
	tasks   string
	opened  int64
	closed  *int64
}

func (s *matterScan) dest() []any {
	return []any{&s.m.ID, &s.clients, &s.tasks, &s.opened, &s.closed, &s.m.Events}
}

func (s *matterScan) matter(registry string) (m store.Matter, err error) {
	m = s.m
	m.Registry, m.Opened, m.Closed = registry, store.FromMicros(s.opened), orZero(s.closed)
	if m.ClientIDs, err = splitIDs(s.clients); err == nil && json.Unmarshal([]byte(s.tasks), &m.ServiceTasks) != nil {
		err = store.ErrCorrupt
	}
	if err != nil {
		return store.Matter{}, fmt.Errorf("reading a matter: %w", err)
	}
	return m, nil
}

// Matter implements store.MatterStore.
func (s *Store) Matter(ctx context.Context, registry, id string) (store.Matter, error) {
	var scan matterScan
	found, err := s.one(ctx, "reading a matter", `SELECT `+matterColumns+fromMatter, []any{registry, id}, scan.dest()...)
	if err == nil && !found {
		err = store.ErrMatterUnknown
	}
	if err != nil {
		return store.Matter{}, err
	}
	return scan.matter(registry)
}

// writtenMatter gives a matter as the transaction sees it, and the number of the registry.
func writtenMatter(t Tx, registry, id string) (m store.Matter, registryID int64, found bool, err error) {
	var scan matterScan
	found, err = t.Get("reading a matter", `SELECT `+matterColumns+`, m.registry_id`+fromMatter, []any{registry, id},
		append(scan.dest(), &registryID)...)
	if err != nil || !found {
		return store.Matter{}, 0, false, err
	}
	m, err = scan.matter(registry)
	return m, registryID, err == nil, err
}

// MattersOf implements store.MatterStore.
func (s *Store) MattersOf(ctx context.Context, registry string, client uuid.UUID) ([]store.Matter, error) {
	return s.mattersOf(ctx, s.engine.Readers, registry, client, "")
}

// mattersOf gives those matters of a client that a further condition leaves.
func (s *Store) mattersOf(ctx context.Context, from querier, registry string, client uuid.UUID, narrowed string) (matters []store.Matter, err error) {
	err = s.each(ctx, from, "reading a client's matters",
		`SELECT `+matterColumns+` FROM matter_clients p
		 JOIN registries r ON r.registry_id = p.registry_id
		 JOIN matters m ON m.registry_id = p.registry_id AND m.matter = p.matter
		 WHERE p.client_id = $1 AND r.oid = $2`+narrowed+` ORDER BY m.opened_us DESC, m.matter`, []any{client[:], registry},
		func(scan func(...any) error) error {
			var row matterScan
			if err := scan(row.dest()...); err != nil {
				return err
			}
			m, err := row.matter(registry)
			matters = append(matters, m)
			return err
		})
	return matters, err
}

// MatterEvents implements store.MatterStore.
func (s *Store) MatterEvents(ctx context.Context, registry, id string) (events []store.MatterEvent, err error) {
	err = s.each(ctx, s.engine.Readers, "reading what happened to a matter",
		`SELECT e.kind, e.at_us, e.recorded_us, e.organization, e.unit, e.professional, e.role
		 FROM matter_events e JOIN registries r ON r.registry_id = e.registry_id
		 WHERE r.oid = $1 AND e.matter = $2 ORDER BY e.event`, []any{registry, id},
		func(scan func(...any) error) error {
			var (
				e            store.MatterEvent
				kind         string
				at, recorded int64
			)
			err := scan(&kind, &at, &recorded, &e.By.Organization, &e.By.Unit, &e.By.Professional, &e.By.Role)
			e.Kind, e.At, e.Recorded = store.MatterEventKind(kind), store.FromMicros(at), store.FromMicros(recorded)
			events = append(events, e)
			return err
		})
	return events, err
}
