// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"strings"

	"github.com/pressly/goose/v3"
	driver "modernc.org/sqlite"

	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

// MigrateSchema brings the tables of the data file up to date, or makes them, and gives what they were. ErrInUse while
// an archive serves from the directory.
func MigrateSchema(ctx context.Context, dir string) (former sqlstore.Schema, err error) {
	unlock, err := Lock(dir)
	if err != nil {
		return sqlstore.Schema{}, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	file, err := prepareFile(dir)
	if err != nil {
		return sqlstore.Schema{}, err
	}
	db, err := open(file, 1, nil)
	if err != nil {
		return sqlstore.Schema{}, err
	}
	former, err = sqlstore.Migrate(ctx, db, goose.DialectSQLite3, missing)
	return former, errors.Join(classify("bringing the schema up to date", err), db.Close())
}

// SchemaOf reads how far the tables of the data file are, also while an archive serves from it, and changes nothing.
func SchemaOf(ctx context.Context, dir string) (sqlstore.Schema, error) {
	file, err := existing(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return sqlstore.NoSchema(goose.DialectSQLite3)
	}
	if err != nil {
		return sqlstore.Schema{}, err
	}
	db, err := open(file, 1, url.Values{"_query_only": {"on"}})
	if err != nil {
		return sqlstore.Schema{}, err
	}
	schema, err := schemaOf(ctx, db)
	return schema, errors.Join(classify("opening the data file", err), db.Close())
}

func schemaOf(ctx context.Context, db *sql.DB) (sqlstore.Schema, error) {
	return sqlstore.ReadSchema(ctx, db, goose.DialectSQLite3, missing)
}

func migrate(ctx context.Context, db *sql.DB) error {
	_, err := sqlstore.Migrate(ctx, db, goose.DialectSQLite3, missing)
	return err
}

// checkCopy gives an error unless the schema is exactly this program's.
func checkCopy(ctx context.Context, db *sql.DB) error {
	schema, err := schemaOf(ctx, db)
	if err != nil {
		return err
	}
	return schema.CheckCopy()
}

// checkServe gives an error unless this program may serve from the schema as it is.
func checkServe(ctx context.Context, db *sql.DB) error {
	schema, err := schemaOf(ctx, db)
	if err != nil {
		return err
	}
	return schema.CheckServe()
}

// missing says whether there is no such table. SQLite has no code for that.
func missing(err error) bool {
	var sqliteErr *driver.Error
	return errors.As(err, &sqliteErr) && strings.Contains(sqliteErr.Error(), "no such table")
}
