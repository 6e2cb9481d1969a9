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

// migrate brings the schema up to date, one replica at a time: the others wait for the lock that goose's own
// tools take too. It is taken here because goose makes its table before it takes it.
func migrate(ctx context.Context, config *pgx.ConnConfig) (err error) {
	const doing = "bringing the schema up to date"
	config = config.Copy()
	config.RuntimeParams["statement_timeout"] = "0" // a migration takes as long as it takes
	config.RuntimeParams["lock_timeout"] = "0"
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	held, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return classify("opening the database", err)
	}
	defer func() { err = errors.Join(err, classify(doing, held.Close(context.WithoutCancel(ctx)))) }()
	if _, err := held.Exec(ctx, "SELECT pg_advisory_lock($1)", lock.DefaultLockID); err != nil {
		return classify(doing, err)
	}
	db := stdlib.OpenDB(*config)
	err = sqlstore.Migrate(ctx, db, goose.DialectPostgres)
	if ofServer(err) {
		err = classify(doing, err)
	}
	return errors.Join(err, db.Close())
}

// checkSchema gives an error unless the schema is this program's.
func checkSchema(ctx context.Context, config *pgx.ConnConfig) error {
	db := stdlib.OpenDB(*config)
	err := sqlstore.CheckSchema(ctx, db, goose.DialectPostgres)
	if ofServer(err) {
		err = classify("opening the database", err)
	}
	return errors.Join(err, db.Close())
}

// ofServer says whether the error came from the server or the way to it; others are the program's own words.
func ofServer(err error) bool {
	var (
		pgErr      *pgconn.PgError
		connectErr *pgconn.ConnectError
	)
	return errors.As(err, &pgErr) || errors.As(err, &connectErr) || lostConnection(err)
}
