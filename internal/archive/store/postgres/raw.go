// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

// OpenDatabase opens the database for a transfer out of or into it, with its schema up to date. A transfer takes
// as long as it takes: the server does not end what is slow.
func OpenDatabase(ctx context.Context, uri string) (*sql.DB, error) {
	return openPatient(ctx, uri, func(ctx context.Context, c *pgx.ConnConfig) error {
		if err := migrate(ctx, c); err != nil {
			return err
		}
		return checkCopy(ctx, c)
	})
}

func openPatient(ctx context.Context, uri string, prepare func(context.Context, *pgx.ConnConfig) error) (*sql.DB, error) {
	config, err := parse(uri)
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, config.ConnConfig); err != nil {
		return nil, err
	}
	patient := config.ConnConfig.Copy()
	for _, name := range []string{"statement_timeout", "idle_in_transaction_session_timeout"} {
		patient.RuntimeParams[name] = "0"
	}
	return stdlib.OpenDB(*patient), nil
}

// transferLock is the key of the advisory lock of who copies into a database.
const transferLock = 0x76616c7475757301

// LockTransfer waits until nobody else copies into the database, and keeps others from it until unlock is called or the
// connection ends.
func LockTransfer(ctx context.Context, db *sql.DB) (unlock func() error, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, classify("waiting for another transfer", err)
	}
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(transferLock)); err != nil {
		return nil, errors.Join(classify("waiting for another transfer", err), conn.Close())
	}
	return func() error {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(transferLock))
		return errors.Join(err, conn.Close())
	}, nil
}

// OpenLive opens the database for a transfer out of it while archives serve from it. The schema must be this program's:
// to bring it up to date beside archives of a former program is not a reader's to do.
func OpenLive(ctx context.Context, uri string) (*sql.DB, error) {
	return openPatient(ctx, uri, checkCopy)
}

// OpenReader opens the store in the database for reading alone, as OpenLive does. Its writes fail.
func OpenReader(ctx context.Context, uri string) (*sqlstore.Store, error) {
	db, err := OpenLive(ctx, uri)
	if err != nil {
		return nil, err
	}
	return sqlstore.NewReader(db, classify)
}
