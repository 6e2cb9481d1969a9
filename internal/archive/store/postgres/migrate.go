// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

// MigrateSchema brings the tables of the database up to date, and gives what they were. Of several that do so at once,
// one does it and the others wait.
func MigrateSchema(ctx context.Context, uri string) (sqlstore.Schema, error) {
	config, err := parse(uri)
	if err != nil {
		return sqlstore.Schema{}, err
	}
	return migrateSchema(ctx, config.ConnConfig)
}

// SchemaOf reads how far the tables of the database are, and changes nothing.
func SchemaOf(ctx context.Context, uri string) (sqlstore.Schema, error) {
	config, err := parse(uri)
	if err != nil {
		return sqlstore.Schema{}, err
	}
	return schemaOf(ctx, config.ConnConfig)
}

func migrate(ctx context.Context, config *pgx.ConnConfig) error {
	_, err := migrateSchema(ctx, config)
	return err
}

// migrateSchema brings the schema up to date, one replica at a time: the others wait for the lock that goose's own
// tools take too. It is taken here because goose makes its table before it takes it.
func migrateSchema(ctx context.Context, config *pgx.ConnConfig) (former sqlstore.Schema, err error) {
	const doing = "bringing the schema up to date"
	config = config.Copy()
	config.RuntimeParams["statement_timeout"] = "0" // a migration takes as long as it takes
	config.RuntimeParams["lock_timeout"] = "0"
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	held, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return sqlstore.Schema{}, classify("opening the database", err)
	}
	defer func() { err = errors.Join(err, classify(doing, held.Close(context.WithoutCancel(ctx)))) }()
	if _, err := held.Exec(ctx, "SELECT pg_advisory_lock($1)", lock.DefaultLockID); err != nil {
		return sqlstore.Schema{}, classify(doing, err)
	}
	db := stdlib.OpenDB(*config)
	former, err = sqlstore.Migrate(ctx, db, goose.DialectPostgres, missing)
	if ofServer(err) {
		err = classify(doing, err)
	}
	return former, errors.Join(err, db.Close())
}

func schemaOf(ctx context.Context, config *pgx.ConnConfig) (sqlstore.Schema, error) {
	db := stdlib.OpenDB(*config)
	schema, err := sqlstore.ReadSchema(ctx, db, goose.DialectPostgres, missing)
	if ofServer(err) {
		err = classify("opening the database", err)
	}
	return schema, errors.Join(err, db.Close())
}

// checkCopy gives an error unless the schema is exactly this program's.
func checkCopy(ctx context.Context, config *pgx.ConnConfig) error {
	schema, err := schemaOf(ctx, config)
	if err != nil {
		return err
	}
	return schema.CheckCopy()
}

// checkServe gives an error unless this program may serve from the schema as it is.
func checkServe(ctx context.Context, config *pgx.ConnConfig) error {
	schema, err := schemaOf(ctx, config)
	if err != nil {
		return err
	}
	return schema.CheckServe()
}

// missing says whether the server knows no such table.
func missing(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == codeNoTable
}

// ofServer says whether the error came from the server or the way to it; others are the program's own words.
func ofServer(err error) bool {
	var (
		pgErr      *pgconn.PgError
		connectErr *pgconn.ConnectError
	)
	return errors.As(err, &pgErr) || errors.As(err, &connectErr) || lostConnection(err)
}
