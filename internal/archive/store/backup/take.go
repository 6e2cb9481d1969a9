// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/transfer"
)

// Take copies the snapshot of a store into a new directory. The directory appears when the backup is whole and
// on the disk; one that was cut leaves dir.partial, which the next one to the same directory replaces.
func Take(ctx context.Context, from transfer.Source, dir string, now time.Time, progress func(transfer.Step)) (m Manifest, err error) {
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		return Manifest{}, errors.Join(fmt.Errorf("%s is there already: give a directory that is not", dir), err)
	}
	partial := filepath.Clean(dir) + partialSuffix
	if err := os.RemoveAll(partial); err != nil {
		return Manifest{}, err
	}
	to, err := sqlite.OpenFile(ctx, partial)
	if err != nil {
		return Manifest{}, err
	}
	m = Manifest{Format: format, TakenAt: now.UTC(), File: sqlite.FileName}
	if m.Report, err = transfer.Copy(ctx, from, to, progress); err == nil {
		m.Store, err = transfer.StoreID(ctx, from)
	}
	if err = errors.Join(err, to.Close()); err != nil { // closing moves everything into the one file
		return Manifest{}, err
	}
	if err := syncFile(filepath.Join(partial, m.File)); err != nil {
		return Manifest{}, err
	}
	if m.Size, m.SHA256, err = sumFile(filepath.Join(partial, m.File)); err != nil {
		return Manifest{}, err
	}
	if err := m.write(partial); err != nil {
		return Manifest{}, err
	}
	if err := syncFile(partial); err != nil {
		return Manifest{}, err
	}
	if err := os.Rename(partial, dir); err != nil {
		return Manifest{}, err
	}
	return m, syncFile(filepath.Dir(filepath.Clean(dir)))
}

func syncFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Snapshot begins a transaction that sees one state of the database, whatever is written meanwhile. End it by
// Rollback.
func Snapshot(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("beginning a snapshot: %w", err)
	}
	return tx, nil
}
