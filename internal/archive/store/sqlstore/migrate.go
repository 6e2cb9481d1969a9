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

// Migrate brings the schema up to date, and gives what it was. Tables that are newer than this program stay as they are:
// store.ErrSchemaTooNew unless their migrations have left it room to write. missing is that of ReadSchema.
func Migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, missing func(error) bool, opts ...goose.ProviderOption) (Schema, error) {
	former, err := ReadSchema(ctx, db, dialect, missing)
	if err != nil {
		return Schema{}, err
	}
	if len(former.Pending) == 0 {
		return former, former.CheckServe()
	}
	provider, err := newProvider(db, dialect, opts...)
	if err != nil {
		return Schema{}, err
	}
	if _, err := provider.Up(ctx); err != nil {
		return Schema{}, fmt.Errorf("bringing the schema up to date: %w", err)
	}
	return former, nil
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
