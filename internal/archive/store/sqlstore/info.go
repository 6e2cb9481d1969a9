// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"bytes"
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/failure"
)

// State says whether the archive's data is whole.
type State string

// The states.
const (
	// StateReady: the data is whole.
	StateReady State = "ready"
	// StateImporting: a transfer into this store has begun and has not been finished.
	StateImporting State = "importing"
	// StateMoved: the data has been moved to another store, which serves now.
	StateMoved State = "moved"
)

// Info speaks of the store as a whole.
type Info struct {
	// KeyCheck tells under which identity key the clients were registered; nil before the first was set.
	KeyCheck []byte
	State    State
}

// Errors of Adopt. Compare with errors.Is.
var (
	// ErrOtherKey: the clients of this store were registered under another identity key.
	ErrOtherKey = failure.New(failure.KeyMismatch, "the store's clients were registered under another identity key: give the archive that one")
	// ErrImporting: a copy into this store has not been finished.
	ErrImporting = failure.New(failure.StoreNotWhole, "a copy into this store has not been finished: run the restore or the move again to its end")
	// ErrMoved: the data has been moved to another store.
	ErrMoved = failure.New(failure.StoreMoved, "the data has been moved to another store: start the archive on that one")
)

// Info gives what is known of the store as a whole.
func (s *Store) Info(ctx context.Context) (Info, error) {
	var (
		info  Info
		state string
	)
	_, err := s.one(ctx, "reading about the store",
		`SELECT identity_key_check, state FROM archive_info WHERE info_id = 1`, nil, &info.KeyCheck, &state)
	info.State = State(state)
	return info, err
}

// ID gives the store's id, which it has from the first time that it is taken into service.
func (s *Store) ID(ctx context.Context) (uuid.UUID, error) {
	var id uuid.NullUUID
	if _, err := s.one(ctx, "reading about the store", `SELECT store_id FROM archive_info WHERE info_id = 1`, nil, &id); err != nil {
		return uuid.Nil, err
	}
	if !id.Valid {
		return uuid.Nil, errors.New("no archive has served from this store yet")
	}
	return id.UUID, nil
}

// Adopt takes the store into service under an identity key: it records the key's check, and gives the store its
// id, when it is served from for the first time. ErrOtherKey if the clients that are there were registered under
// another key, ErrImporting and ErrMoved if nothing may be served from it.
func (s *Store) Adopt(ctx context.Context, check []byte) error {
	id, err := uuid.NewRandom()
	if err != nil {
		return err
	}
	return s.queue.Do(ctx, 0, func(t Tx) error {
		var (
			there []byte
			state string
		)
		if _, err := t.Get("reading about the store",
			`SELECT identity_key_check, state FROM archive_info WHERE info_id = 1`, nil, &there, &state); err != nil {
			return err
		}
		switch {
		case State(state) == StateMoved:
			return ErrMoved
		case State(state) != StateReady:
			return ErrImporting
		case there == nil:
			return t.Exec("taking the store into service",
				`UPDATE archive_info SET store_id = $1, identity_key_check = $2 WHERE info_id = 1`, id[:], check)
		case !bytes.Equal(there, check):
			return ErrOtherKey
		default:
			return nil
		}
	})
}
