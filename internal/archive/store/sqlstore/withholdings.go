// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

const selectWithholding = `SELECT withholding_id, registry_oid, client_id, log_ids, from_us, until_us, reason, decision,
	 made_us, organization, professional, role,
	 lifted_us, lift_decision, lifted_organization, lifted_professional, lifted_role FROM log_withholdings`

// withholdingScan receives one row of selectWithholding.
type withholdingScan struct {
	w                 store.Withholding
	lifting           store.Lifting
	id, client, ids   []byte
	from, until, made int64
	lifted            *int64
}

func (s *withholdingScan) dest() []any {
	w, l := &s.w, &s.lifting
	return []any{
		&s.id, &w.Registry, &s.client, &s.ids, &s.from, &s.until, &w.Reason, &w.Decision,
		&s.made, &w.By.Organization, &w.By.Professional, &w.By.Role,
		&s.lifted, &l.Decision, &l.By.Organization, &l.By.Professional, &l.By.Role,
	}
}

func (s *withholdingScan) withholding() (w store.Withholding, err error) {
	w = s.w
	if w.ID, err = uuid.FromBytes(s.id); err != nil {
		return w, store.ErrCorrupt
	}
	if w.ClientID, err = uuid.FromBytes(s.client); err != nil {
		return w, store.ErrCorrupt
	}
	if w.Entries, err = splitIDs(s.ids); err != nil {
		return w, err
	}
	if len(w.Entries) == 0 {
		w.From, w.Until = store.FromMicros(s.from), store.FromMicros(s.until)
	}
	w.Made = store.FromMicros(s.made)
	if s.lifted != nil {
		s.lifting.At = store.FromMicros(*s.lifted)
		w.Lifting = &s.lifting
	}
	return w, nil
}

// Withhold implements store.WithholdingStore. Of two transactions that say the same at the same time, the unique key
// lets one win; the other runs again and finds it.
func (s *Store) Withhold(ctx context.Context, w store.Withholding, row store.LogRow) (store.Withholding, bool, error) {
	fresh, err := uuid.NewRandom()
	if err != nil {
		return store.Withholding{}, false, err
	}
	w.ID, w.Lifting, w.Entries = fresh, nil, w.SortedEntries()
	if len(w.Entries) == 0 {
		w.Entries = nil
	}
	if err := w.Validate(); err != nil {
		return store.Withholding{}, false, err
	}
	if err := completeRow(&row); err != nil {
		return store.Withholding{}, false, err
	}
	// Results belong to the operation, which may still run when this call has given up.
	type result struct {
		kept    store.Withholding
		created bool
	}
	done := new(result)
	err = s.queue.Do(ctx, 0, func(t Tx) error {
		if err := admit(t, w.Registry); err != nil {
			return err
		}
		digest := w.Digest()
		var there withholdingScan
		found, err := t.Get("finding a withholding", selectWithholding+` WHERE digest = $1 AND lifted_us IS NULL`,
			[]any{digest[:]}, there.dest()...)
		switch {
		case err != nil:
			return err
		case found:
			if done.kept, err = there.withholding(); err != nil {
				return err
			}
			done.created = false
		default:
			if err := addWithholding(t, &w, digest[:]); err != nil {
				return err
			}
			*done = result{w, true}
			done.kept.Made = store.Instant(w.Made)
			done.kept.From, done.kept.Until = instantOf(w.From), instantOf(w.Until)
		}
		return writeLog(t, &row)
	})
	if err != nil {
		return store.Withholding{}, false, err
	}
	return done.kept, done.created, nil
}

func addWithholding(t Tx, w *store.Withholding, digest []byte) error {
	return t.Exec("recording a withholding",
		`INSERT INTO log_withholdings (withholding_id, registry_oid, client_id, log_ids, from_us, until_us, reason, decision,
		   digest, made_us, organization, professional, role,
		   lifted_us, lift_decision, lifted_organization, lifted_professional, lifted_role)
		 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, NULL, '', '', '', '')`,
		w.ID[:], w.Registry, w.ClientID[:], joinIDs(w.Entries), microsOrZero(w.From), microsOrZero(w.Until), w.Reason, w.Decision,
		digest, store.Micros(w.Made), w.By.Organization, w.By.Professional, w.By.Role)
}

// LiftWithholding implements store.WithholdingStore.
func (s *Store) LiftWithholding(ctx context.Context, registry string, id uuid.UUID, lifting store.Lifting, row store.LogRow) (store.Withholding, error) {
	if err := lifting.Validate(); err != nil {
		return store.Withholding{}, err
	}
	if err := completeRow(&row); err != nil {
		return store.Withholding{}, err
	}
	done := new(store.Withholding)
	err := s.queue.Do(ctx, 0, func(t Tx) error {
		if err := admit(t, registry); err != nil {
			return err
		}
		var there withholdingScan
		found, err := t.Get("finding a withholding", selectWithholding+` WHERE withholding_id = $1 AND registry_oid = $2`,
			[]any{id[:], registry}, there.dest()...)
		if err != nil {
			return err
		}
		if !found {
			return store.ErrNotFound
		}
		w, err := there.withholding()
		if err != nil {
			return err
		}
		switch {
		case w.Lifting == nil:
			if err := t.Exec("lifting a withholding",
				`UPDATE log_withholdings SET lifted_us = $1, lift_decision = $2, lifted_organization = $3,
				   lifted_professional = $4, lifted_role = $5 WHERE withholding_id = $6`,
				store.Micros(lifting.At), lifting.Decision, lifting.By.Organization, lifting.By.Professional, lifting.By.Role,
				id[:]); err != nil {
				return err
			}
			given := lifting
			given.At = store.Instant(lifting.At)
			w.Lifting = &given
		case w.Lifting.Decision != lifting.Decision:
			return store.ErrStale
		}
		*done = w
		about := row
		about.ClientID = w.ClientID
		return writeLog(t, &about)
	})
	if err != nil {
		return store.Withholding{}, err
	}
	return *done, nil
}

// Withholdings implements store.WithholdingStore.
func (s *Store) Withholdings(ctx context.Context, registry string, client uuid.UUID) (all []store.Withholding, err error) {
	err = s.each(ctx, s.engine.Readers, "reading withholdings", selectWithholding+`
		 WHERE client_id = $1 AND registry_oid = $2 ORDER BY made_us, withholding_id`, []any{client[:], registry},
		func(scan func(...any) error) error {
			var one withholdingScan
			if err := scan(one.dest()...); err != nil {
				return err
			}
			w, err := one.withholding()
			all = append(all, w)
			return err
		})
	return all, err
}
