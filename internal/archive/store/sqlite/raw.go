// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

// OpenFile opens or makes the data file in a directory for a transfer into it, with its schema up to date.
// No archive may serve from it meanwhile.
func OpenFile(ctx context.Context, dir string) (*sql.DB, error) {
	file, err := prepareFile(dir)
	if err != nil {
		return nil, err
	}
	db, err := open(file, 1, nil)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(classify("opening the data file", err), db.Close())
	}
	if err := checkCopy(ctx, db); err != nil {
		return nil, errors.Join(classify("opening the data file", err), db.Close())
	}
	return db, nil
}

// OpenLive opens the data file in a directory for reading, also while an archive serves from it. The schema must
// be this program's.
func OpenLive(ctx context.Context, dir string) (*sql.DB, error) {
	return openExisting(ctx, dir, url.Values{"_query_only": {"on"}})
}

// OpenReader opens the store in a directory for reading alone, also while an archive serves from it. Its writes fail.
func OpenReader(ctx context.Context, dir string) (*sqlstore.Store, error) {
	db, err := OpenLive(ctx, dir)
	if err != nil {
		return nil, err
	}
	return sqlstore.NewReader(db, classify)
}

// OpenFrozen opens a data file that nobody writes to, such as a backup's, and leaves no file beside it. The
// schema must be this program's.
func OpenFrozen(ctx context.Context, dir string) (*sql.DB, error) {
	return openExisting(ctx, dir, url.Values{"immutable": {"1"}, "mode": {"ro"}})
}

func openExisting(ctx context.Context, dir string, extra url.Values) (*sql.DB, error) {
	file, err := existing(dir)
	if err != nil {
		return nil, err
	}
	db, err := open(file, 1, extra)
	if err != nil {
		return nil, err
	}
	if err := checkCopy(ctx, db); err != nil {
		return nil, errors.Join(classify("opening the data file", err), db.Close())
	}
	return db, nil
}

// existing gives the absolute path of the data file, which has to be there.
func existing(dir string) (string, error) {
	file, err := filepath.Abs(filepath.Join(dir, FileName))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(file); err != nil {
		return "", fmt.Errorf("opening the data file: %w", err)
	}
	return file, nil
}
