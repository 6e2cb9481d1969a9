// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// Migrations gives the schema migrations in the dialect, goose.DialectSQLite3 or goose.DialectPostgres.
func Migrations(dialect goose.Dialect) (fs.FS, error) {
	switch dialect {
	case goose.DialectSQLite3:
		return fs.Sub(migrations, "migrations/sqlite")
	case goose.DialectPostgres:
		return fs.Sub(migrations, "migrations/postgres")
	default:
		return nil, fmt.Errorf("there are no schema migrations for %q", dialect)
	}
}

// Migrate brings the schema up to date. An older program must not run on newer data, because it would not
// fill what was added.
func Migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, opts ...goose.ProviderOption) error {
	provider, err := newProvider(db, dialect, opts...)
	if err != nil {
		return err
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("reading the schema version: %w", err)
	}
	if current > target {
		return fmt.Errorf("the data has schema version %d, newer than this program's %d", current, target)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", err)
	}
	return nil
}

func newProvider(db *sql.DB, dialect goose.Dialect, opts ...goose.ProviderOption) (*goose.Provider, error) {
	files, err := Migrations(dialect)
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(dialect, db, files, opts...)
	if err != nil {
		return nil, fmt.Errorf("reading the schema migrations: %w", err)
	}
	return provider, nil
}
