// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// change is an operation that changes a document. created is false where it repeats one that was done.
type change func(t Tx) (facts store.Facts, created bool, err error)

// do runs the change of a document of the registry and writes its log row in one transaction.
func (s *Store) do(ctx context.Context, size int, registry string, row store.LogRow, op change) (store.Facts, bool, error) {
	if err := completeRow(&row); err != nil {
		return store.Facts{}, false, err
	}
	// Results belong to the operation, which may still run when this call has given up.
	type result struct {
		facts   store.Facts
		created bool
	}
	done := new(result)
	err := s.queue.Do(ctx, size, func(t Tx) error {
		if err := admit(t, registry); err != nil {
			return err
		}
		facts, created, err := op(t)
		if err != nil {
			return err
		}
		*done = result{facts, created}
		return writeLog(t, &row)
	})
	if err != nil {
		return store.Facts{}, false, err
	}
	return done.facts, done.created, nil
}

// repeated gives the version's facts if it was asked for in the same words as the wanted one, otherwise the error.
func repeated(t Tx, id uuid.UUID, version int, wanted *store.Facts, otherwise error) (store.Facts, bool, error) {
	there, _, found, err := written(t, wanted.Registry, id, version)
	switch {
	case err != nil:
		return store.Facts{}, false, err
	case !found || there.RequestDigest() != wanted.RequestDigest():
		return store.Facts{}, false, otherwise
	default:
		return there, false, nil
	}
}

func weight(forms []store.Representation) (bytes int) {
	for _, r := range forms {
		bytes += len(r.Body)
	}
	return bytes
}
