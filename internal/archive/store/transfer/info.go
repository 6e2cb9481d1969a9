// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

// info is the row that a store has of itself.
type info struct {
	storeID  []byte
	keyCheck []byte
	state    sqlstore.State
}

func readInfo(ctx context.Context, from Source) (info, error) {
	var i info
	err := from.QueryRowContext(ctx, "SELECT store_id, identity_key_check, state FROM archive_info WHERE info_id = 1").
		Scan(&i.storeID, &i.keyCheck, &i.state)
	return i, err
}

// StoreID is the id of a store that is whole; empty when nobody has served from it, or a copy into it has not been finished.
func StoreID(ctx context.Context, from Source) (string, error) {
	i, err := readInfo(ctx, from)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("reading about the store: %w", err)
	case i.state != sqlstore.StateReady:
		return "", nil
	}
	return hex.EncodeToString(i.storeID), nil
}

// same tells whether two rows are of one store and its copy.
func (i info) same(other info) bool {
	return len(i.storeID) > 0 && bytes.Equal(i.storeID, other.storeID)
}

// begin makes the target one that is importing the source. It tells whether the target has a part of it, or all.
func begin(ctx context.Context, to *sql.DB, source info) (resumed bool, err error) {
	switch {
	case source.state != sqlstore.StateReady:
		return false, fmt.Errorf("the source is %s: %w", source.state, ErrNotWhole)
	case len(source.storeID) == 0:
		return false, fmt.Errorf("no archive has served from the source yet: %w", ErrNotWhole)
	}
	target, err := readInfo(ctx, to)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("reading the target: %w", err)
	}
	if target.same(source) {
		return true, nil
	}
	if target.state == sqlstore.StateImporting {
		return false, fmt.Errorf("%w: it holds a part of another store", ErrNotEmpty)
	}
	for i := range tables {
		rows, err := count(ctx, to, &tables[i])
		if err != nil {
			return false, err
		}
		if rows > 0 {
			return false, fmt.Errorf("%w: %s has %d rows", ErrNotEmpty, tables[i].name, rows)
		}
	}
	source.state = sqlstore.StateImporting
	return false, writeInfo(ctx, to, source)
}

// finish lets an archive serve from the target.
func finish(ctx context.Context, to *sql.DB, source info) error {
	source.state = sqlstore.StateReady
	return writeInfo(ctx, to, source)
}

// Retire ends service from a store whose data has been moved to another.
func Retire(ctx context.Context, from *sql.DB) error {
	i, err := readInfo(ctx, from)
	if err != nil {
		return fmt.Errorf("retiring the source: %w", err)
	}
	i.state = sqlstore.StateMoved
	return writeInfo(ctx, from, i)
}

func writeInfo(ctx context.Context, to *sql.DB, i info) error {
	tx, err := to.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("marking the store: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, "DELETE FROM archive_info"); err != nil {
		return fmt.Errorf("marking the store: %w", err)
	}
	if _, err := tx.ExecContext(ctx,
		"INSERT INTO archive_info (info_id, store_id, identity_key_check, state) VALUES (1, $1, $2, $3)",
		i.storeID, i.keyCheck, i.state); err != nil {
		return fmt.Errorf("marking the store: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("marking the store: %w", err)
	}
	return nil
}
