// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// classify says what an engine error means to a caller: what a later try may mend is
// store.ErrUnavailable. SQLite's messages name columns and codes, never values.
func classify(doing string, err error) error {
	if err == nil {
		return nil
	}
	var sqliteErr *driver.Error
	if !errors.As(err, &sqliteErr) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	code := sqliteErr.Code() & 0xff
	switch code {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL,
		sqlite3.SQLITE_PERM, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return store.Unavailable(doing, failure.As(reasons[code], err))
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

// busy says whether another connection has the lock.
func busy(err error) bool {
	var sqliteErr *driver.Error
	return errors.As(err, &sqliteErr) && sqliteErr.Code()&0xff == sqlite3.SQLITE_BUSY
}

// reasons are what the codes that a later try may mend say of the volume and the file.
var reasons = map[int]failure.Reason{
	sqlite3.SQLITE_FULL:     failure.VolumeFull,
	sqlite3.SQLITE_IOERR:    failure.VolumeFailed,
	sqlite3.SQLITE_READONLY: failure.VolumeReadOnly,
	sqlite3.SQLITE_PERM:     failure.VolumeForbidden,
	sqlite3.SQLITE_CANTOPEN: failure.VolumeForbidden,
	sqlite3.SQLITE_CORRUPT:  failure.StoreDamaged,
	sqlite3.SQLITE_NOTADB:   failure.StoreDamaged,
	sqlite3.SQLITE_BUSY:     failure.StoreUnavailable,
	sqlite3.SQLITE_LOCKED:   failure.StoreUnavailable,
	sqlite3.SQLITE_NOMEM:    failure.StoreUnavailable,
	sqlite3.SQLITE_PROTOCOL: failure.StoreUnavailable,
}
