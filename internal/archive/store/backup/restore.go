// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/transfer"
)

// Restore checks the backup in a directory and copies it into the target, which is empty or holds a restore of
// the same backup that was cut. ErrDamaged, transfer.ErrNotEmpty, transfer.ErrDiffers.
func Restore(ctx context.Context, dir string, to *sql.DB, progress func(transfer.Step)) (m Manifest, err error) {
	if m, err = ReadManifest(dir); err != nil {
		return Manifest{}, err
	}
	if err := m.Check(dir); err != nil {
		return Manifest{}, err
	}
	from, err := sqlite.OpenFrozen(ctx, dir)
	if err != nil {
		return Manifest{}, err
	}
	report, err := transfer.Copy(ctx, from, to, progress)
	if err = errors.Join(err, from.Close()); err != nil {
		return Manifest{}, err
	}
	if !slices.Equal(report.Tables, m.Tables) {
		return Manifest{}, fmt.Errorf("%w: it holds other rows than its manifest says", ErrDamaged)
	}
	return m, nil
}

// Holds tells whether the target already is the store that was backed up, whole: restored before, or never lost. What has
// been stored in it since stays.
func Holds(ctx context.Context, dir string, to *sql.DB) (bool, error) {
	there, err := transfer.StoreID(ctx, to)
	if there == "" || err != nil {
		return false, err
	}
	m, err := ReadManifest(dir)
	if err != nil {
		return false, err
	}
	if m.Store == "" { // of a former program
		from, err := sqlite.OpenFrozen(ctx, dir)
		if err != nil {
			return false, err
		}
		m.Store, err = transfer.StoreID(ctx, from)
		if err = errors.Join(err, from.Close()); err != nil {
			return false, err
		}
	}
	return m.Store == there, nil
}
