// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"
)

// CheckSchema gives an error unless the schema is the one of this program. It changes nothing.
func CheckSchema(ctx context.Context, db *sql.DB, dialect goose.Dialect) error {
	provider, err := newProvider(db, dialect)
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	target := sources[len(sources)-1].Version
	var current int64
	if err := db.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version").Scan(&current); err != nil {
		return fmt.Errorf("reading the schema version: %w", err)
	}
	if current != target {
		return fmt.Errorf("the data has schema version %d, and this program's is %d: use the program that wrote it, or start the archive once with this one to bring it up to date", current, target)
	}
	return nil
}
