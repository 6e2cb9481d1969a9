// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// AddVersion implements store.DocumentStore.
func (s *Store) AddVersion(ctx context.Context, version store.NewVersion, row store.LogRow) (store.Facts, bool, error) {
	if err := version.Validate(); err != nil {
		return store.Facts{}, false, err
	}
	return s.do(ctx, weight(version.Representations), version.Registry, row, func(t Tx) (store.Facts, bool, error) {
		former, registryID, found, err := written(t, version.Registry, version.ID, 0)
		switch {
		case err != nil:
			return store.Facts{}, false, err
		case !found:
			return store.Facts{}, false, store.ErrNotFound
		}
		facts := version.Replaces(former)
		if refusal := checkInForce(&former, version.Expected); refusal != nil {
			return repeated(t, version.ID, version.Expected+1, &facts, refusal)
		}
		if err := checkKind(t, &former, version.Relationship); err != nil {
			return store.Facts{}, false, err
		}
		if former.OldData && facts.Matter != "" {
			return store.Facts{}, false, &store.InvalidError{Field: "Matter", Problem: "does not go with old client data"}
		}
		if err := checkMatter(t, &facts, &former, version.OutlastsMatter()); err != nil {
			return store.Facts{}, false, err
		}
		if err := insertVersion(t, &facts, version.Representations); err != nil {
			return store.Facts{}, false, err
		}
		if err := t.Exec("making a version the current one",
			`UPDATE documents SET current_version = $1 WHERE document_id = $2`, facts.Version, facts.ID[:]); err != nil {
			return store.Facts{}, false, err
		}
		if err := move(t, registryID, &former, &facts); err != nil {
			return store.Facts{}, false, err
		}
		if version.Relationship != nil {
			err = updateRelationship(t, &facts, version.Relationship)
		}
		return facts, true, err
	})
}

// Annul implements store.DocumentStore.
func (s *Store) Annul(ctx context.Context, annulment store.NewAnnulment, row store.LogRow) (store.Facts, bool, error) {
	if err := annulment.Validate(); err != nil {
		return store.Facts{}, false, err
	}
	return s.do(ctx, 0, annulment.Registry, row, func(t Tx) (store.Facts, bool, error) {
		facts, registryID, found, err := written(t, annulment.Registry, annulment.ID, 0)
		switch {
		case err != nil:
			return store.Facts{}, false, err
		case !found:
			return store.Facts{}, false, store.ErrNotFound
		case facts.Annulment != nil && facts.Annulment.Reason == annulment.Reason:
			return facts, false, nil
		}
		if err := checkInForce(&facts, annulment.Expected); err != nil {
			return store.Facts{}, false, err
		}
		if err := annul(t, registryID, &facts, &annulment.Annulment); err != nil {
			return store.Facts{}, false, err
		}
		done := annulment.Annulment
		done.At = store.Instant(done.At)
		facts.State, facts.Annulment = store.StateAnnulled, &done
		return facts, true, nil
	})
}

// checkInForce refuses to change what is annulled, or what is not what the caller has seen.
func checkInForce(f *store.Facts, expected int) error {
	switch {
	case f.Annulment != nil:
		return store.ErrAnnulled
	case f.Current != expected:
		return store.ErrStale
	default:
		return nil
	}
}

func annul(t Tx, registryID int64, f *store.Facts, a *store.Annulment) error {
	if err := t.Exec("annulling a document",
		`UPDATE documents SET annulled_us = $1, annul_reason = $2, annulled_organization = $3, annulled_unit = $4,
		   annulled_professional = $5, annulled_role = $6 WHERE document_id = $7`,
		store.Micros(a.At), a.Reason, a.By.Organization, a.By.Unit, a.By.Professional, a.By.Role, f.ID[:]); err != nil {
		return err
	}
	if err := moveToAnnulled(t, registryID, f); err != nil {
		return err
	}
	return t.Exec("annulling a relationship's document",
		`UPDATE relationship_documents SET annulled_us = $1, agreement = 'Pending', detail = '' WHERE document_id = $2`,
		store.Micros(a.At), f.ID[:])
}
