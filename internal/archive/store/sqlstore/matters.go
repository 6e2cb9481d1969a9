// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// OpenMatter implements store.MatterStore.
func (s *Store) OpenMatter(ctx context.Context, matter store.NewMatter, row store.LogRow) (store.Matter, bool, error) {
	if err := matter.Validate(); err != nil {
		return store.Matter{}, false, err
	}
	m := store.Matter{
		ID: matter.ID, Registry: matter.Registry, ClientIDs: slices.Clone(matter.ClientIDs),
		ServiceTasks: slices.Clone(matter.ServiceTasks), Opened: store.Instant(matter.At), Events: 1,
	}
	return s.doMatter(ctx, m.Registry, row, func(t Tx) (store.Matter, bool, error) {
		there, _, found, err := writtenMatter(t, m.Registry, m.ID)
		switch {
		case err != nil:
			return store.Matter{}, false, err
		case found && there.OfAll(m.ClientIDs) && len(there.ServiceTasks) == len(m.ServiceTasks) && there.HasTasks(m.ServiceTasks):
			return there, false, nil
		case found:
			return store.Matter{}, false, store.ErrExists
		}
		registryID, err := checkNewMatter(t, &m)
		if err != nil {
			return store.Matter{}, false, err
		}
		if err := insertMatter(t, registryID, &m); err != nil {
			return store.Matter{}, false, err
		}
		return m, true, insertMatterEvent(t, registryID, &m, store.MatterOpened, &matter.MatterChange)
	})
}

// CloseMatter implements store.MatterStore.
func (s *Store) CloseMatter(ctx context.Context, registry, id string, change store.MatterChange, row store.LogRow) (store.Matter, bool, error) {
	return s.changeMatter(ctx, registry, id, store.MatterClosed, change, row, func(m *store.Matter) (bool, error) {
		at := store.Instant(change.At)
		switch {
		case m.Closed.Equal(at):
			return false, nil
		case !m.IsOpen():
			return false, store.ErrMatterClosed
		case at.Before(m.Opened):
			return false, &store.InvalidError{Field: "At", Problem: "is before the opening"}
		}
		m.Closed = at
		return true, nil
	})
}

// ReopenMatter implements store.MatterStore.
func (s *Store) ReopenMatter(ctx context.Context, registry, id string, change store.MatterChange, row store.LogRow) (store.Matter, bool, error) {
	return s.changeMatter(ctx, registry, id, store.MatterReopened, change, row, func(m *store.Matter) (bool, error) {
		wasOpen := m.IsOpen()
		m.Closed = time.Time{}
		return !wasOpen, nil
	})
}

// changeMatter closes or reopens a matter by the step, which tells whether it changed anything.
func (s *Store) changeMatter(ctx context.Context, registry, id string, kind store.MatterEventKind, change store.MatterChange, row store.LogRow,
	step func(*store.Matter) (changed bool, err error)) (store.Matter, bool, error) {
	if err := change.Validate(); err != nil {
		return store.Matter{}, false, err
	}
	return s.doMatter(ctx, registry, row, func(t Tx) (store.Matter, bool, error) {
		m, registryID, found, err := writtenMatter(t, registry, id)
		switch {
		case err != nil:
			return store.Matter{}, false, err
		case !found:
			return store.Matter{}, false, store.ErrMatterUnknown
		}
		changed, err := step(&m)
		if err != nil || !changed {
			return m, false, err
		}
		m.Events++
		if err := t.Exec("changing a matter",
			`UPDATE matters SET closed_us = $1, events = $2 WHERE registry_id = $3 AND matter = $4`,
			optional(m.Closed), m.Events, registryID, m.ID); err != nil {
			return store.Matter{}, false, err
		}
		return m, true, insertMatterEvent(t, registryID, &m, kind, &change)
	})
}

// doMatter runs a change of a matter of the registry and writes its log row in one transaction.
func (s *Store) doMatter(ctx context.Context, registry string, row store.LogRow, op func(t Tx) (m store.Matter, changed bool, err error)) (store.Matter, bool, error) {
	if err := completeRow(&row); err != nil {
		return store.Matter{}, false, err
	}
	// Results belong to the operation, which may still run when this call has given up.
	type result struct {
		matter  store.Matter
		changed bool
	}
	done := new(result)
	err := s.queue.Do(ctx, 0, func(t Tx) error {
		if err := admit(t, registry); err != nil {
			return err
		}
		matter, changed, err := op(t)
		if err != nil {
			return err
		}
		*done = result{matter, changed}
		return writeLog(t, &row)
	})
	if err != nil {
		return store.Matter{}, false, err
	}
	return done.matter, done.changed, nil
}

var checkMatterClientsSQL = bySize(store.MaxClients, func(n int) string {
	return `SELECT r.registry_id,
	   (SELECT count(*) FROM clients c WHERE c.client_id IN (` + numbered(2, n) + `)
	      AND c.registry_id + 0 = r.registry_id)
	 FROM registries r WHERE r.oid = $1`
})

// checkNewMatter gives the registry's number if all the clients are in the registry, and no others have documents
// that carry the matter's identifier.
func checkNewMatter(t Tx, m *store.Matter) (registryID int64, err error) {
	args := []any{m.Registry}
	for i := range m.ClientIDs {
		args = append(args, m.ClientIDs[i][:])
	}
	var clients int
	found, err := t.Get("checking a matter's clients", checkMatterClientsSQL[len(m.ClientIDs)], args, &registryID, &clients)
	if err == nil && (!found || clients != len(m.ClientIDs)) {
		err = store.ErrNotFound
	}
	if err != nil {
		return 0, err
	}
	// One distinct set of clients after the other: there are few.
	for last := []byte{0}; ; {
		var raw []byte
		found, err := t.Get("looking for documents that carry a matter's identifier",
			`SELECT d.client_ids FROM document_matters p JOIN documents d ON d.document_id = p.document_id
			 WHERE p.registry_id = $1 AND p.matter = $2 AND d.client_ids > $3 ORDER BY d.client_ids LIMIT 1`,
			[]any{registryID, m.ID, last}, &raw)
		if err != nil || !found {
			return registryID, err
		}
		others, err := splitIDs(raw)
		switch {
		case err != nil:
			return 0, err
		case !m.HasClients(others):
			return 0, store.ErrExists
		}
		last = raw
	}
}

func insertMatter(t Tx, registryID int64, m *store.Matter) error {
	tasks, err := tasksText(m.ServiceTasks)
	if err != nil {
		return err
	}
	if err := t.Exec("opening a matter",
		`INSERT INTO matters (registry_id, matter, client_ids, service_tasks, opened_us, closed_us, events)
		 VALUES ($1, $2, $3, $4, $5, NULL, $6)`,
		registryID, m.ID, joinIDs(m.ClientIDs), tasks, store.Micros(m.Opened), m.Events); err != nil {
		return err
	}
	if err := useClients(t, m.ClientIDs); err != nil {
		return err
	}
	for i := range m.ClientIDs {
		if err := t.Exec("placing a matter by its client",
			`INSERT INTO matter_clients (client_id, registry_id, matter) VALUES ($1, $2, $3)`,
			m.ClientIDs[i][:], registryID, m.ID); err != nil {
			return err
		}
	}
	return nil
}

func insertMatterEvent(t Tx, registryID int64, m *store.Matter, kind store.MatterEventKind, c *store.MatterChange) error {
	return t.Exec("recording what happened to a matter",
		`INSERT INTO matter_events (registry_id, matter, event, kind, at_us, recorded_us, organization, unit, professional, role)
		 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		registryID, m.ID, m.Events, string(kind), store.Micros(c.At), store.Micros(c.Recorded),
		c.By.Organization, c.By.Unit, c.By.Professional, c.By.Role)
}

// checkMatter refuses a version that its matter, or the one that the document is to leave, does not let pass.
func checkMatter(t Tx, f, former *store.Facts, outlasts bool) error {
	if former != nil && former.Matter != "" && former.Matter != f.Matter && !outlasts {
		left, known, err := heldMatter(t, f.Registry, former.Matter)
		switch {
		case err != nil:
			return err
		case known && !left.IsOpen():
			return store.ErrMatterClosed
		}
	}
	if f.Matter == "" {
		return nil
	}
	m, known, err := heldMatter(t, f.Registry, f.Matter)
	switch {
	case err != nil:
		return err
	case known:
		return m.Admit(f, former, outlasts)
	case former != nil && former.Matter == f.Matter:
		return nil
	default:
		return store.ErrMatterUnknown
	}
}

// heldMatter gives a matter that nobody closes before the transaction ends: it writes the matter's row, so that of
// two transactions the later one loses and looks again.
func heldMatter(t Tx, registry, id string) (m store.Matter, found bool, err error) {
	if err := t.Exec("holding a matter",
		`UPDATE matters SET events = events WHERE matter = $1
		   AND registry_id = (SELECT registry_id FROM registries WHERE oid = $2)`, id, registry); err != nil {
		return store.Matter{}, false, err
	}
	m, _, found, err = writtenMatter(t, registry, id)
	return m, found, err
}
