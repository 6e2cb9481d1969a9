// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package postgres is the archive's store on a PostgreSQL server, which several replicas may share.
//
// Durability: a server that has fsync or synchronous_commit off is refused, and a commit whose outcome is unknown
// counts as failed. Writes go through a few connections, the lanes, on each of which operations share
// transactions; a transaction's statements are sent in one flight wherever no answer is needed in between. Errors
// tell the server's code and a fixed text, never its message: that may quote a value or the address.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/cursor"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

const (
	defaultLanes   = 4
	defaultReaders = 16
)

// Options configure a store.
type Options struct {
	// URI is how to reach the database, postgres://user:password@host:port/database?sslmode=…, with several
	// hosts if need be. It is secret.
	URI string
	// CursorKey signs search cursors, 16 bytes or more; the same key in every replica keeps cursors valid.
	CursorKey []byte
	// Lanes is the number of writing connections; default 4.
	Lanes int
	// Readers is the most reading connections; default 16.
	Readers int
	// KeepSchema refuses tables that are older than this program instead of bringing them up to date.
	KeepSchema bool
	// OnCommit hears of each durable commit: how many operations shared it and how long the commit took to
	// become durable. Called from the writing goroutines; may be nil.
	OnCommit func(operations int, took time.Duration)
}

// Open opens the store in the database and brings its schema up to date. It fails on a database whose schema this
// program may not write to (store.ErrSchemaTooNew, and store.ErrSchemaTooOld with KeepSchema), and on a server that does
// not promise durability. The same errors come from a store that is open when its tables are changed.
func Open(ctx context.Context, opts Options) (*sqlstore.Store, error) {
	if opts.KeepSchema {
		return open(ctx, opts, nil, checkServe)
	}
	return open(ctx, opts, nil, migrate)
}

// OpenBeside opens the store in the database as a further program beside the archives that serve from it. The schema
// must be this program's.
func OpenBeside(ctx context.Context, opts Options) (*sqlstore.Store, error) {
	return open(ctx, opts, nil, func(ctx context.Context, c *pgx.ConnConfig) error {
		c.RuntimeParams["statement_timeout"] = "0" // a month of the log, or all documents, take as long as they take
		return checkCopy(ctx, c)
	})
}

// open opens the store; trace, which may be nil, sees what goes to the server, and prepare makes sure of the schema.
func open(ctx context.Context, opts Options, trace pgx.QueryTracer, prepare func(context.Context, *pgx.ConnConfig) error) (*sqlstore.Store, error) {
	if _, err := cursor.NewCodec(opts.CursorKey); err != nil { // before anything is opened
		return nil, err
	}
	engine, err := openEngine(ctx, opts, trace, prepare)
	if err != nil {
		return nil, err
	}
	return sqlstore.New(engine, sqlstore.Options{CursorKey: opts.CursorKey, OnCommit: opts.OnCommit})
}

func openEngine(ctx context.Context, opts Options, trace pgx.QueryTracer, prepare func(context.Context, *pgx.ConnConfig) error) (sqlstore.Engine, error) {
	config, err := parse(opts.URI)
	if err != nil {
		return sqlstore.Engine{}, err
	}
	config.ConnConfig.Tracer = trace
	if err := prepare(ctx, config.ConnConfig); err != nil {
		return sqlstore.Engine{}, err
	}
	readers, closeReaders, err := openReaders(config, opts.Readers)
	if err != nil {
		return sqlstore.Engine{}, classify("opening the database", err)
	}
	lanes := newLanes(config.ConnConfig, opts.Lanes)
	if lanes.program, err = sqlstore.ProgramVersion(goose.DialectPostgres); err != nil {
		return sqlstore.Engine{}, err
	}
	return sqlstore.Engine{
		Readers:  readers,
		Begin:    lanes.begin,
		Lanes:    cap(lanes.free),
		Classify: classify,
		Close:    func() error { closeReaders(); return lanes.close() },
	}, nil
}

// openReaders gives a pool whose connections only read. A transaction on it sees one snapshot.
func openReaders(config *pgxpool.Config, size int) (_ *sql.DB, closePool func(), err error) {
	if size <= 0 {
		size = defaultReaders
	}
	config = config.Copy()
	config.MaxConns = int32(size)
	config.MinIdleConns = 1
	config.MaxConnLifetime = 30 * time.Minute
	config.MaxConnLifetimeJitter = 5 * time.Minute
	config.PingTimeout = connectTimeout
	// No server comes back sooner than this, so a read never meets a connection to one that is gone.
	config.ShouldPing = func(_ context.Context, p pgxpool.ShouldPingParams) bool { return p.IdleDuration > 100*time.Millisecond }
	// Only once the server has been accepted: a URI may ask for one that takes writes (target_session_attrs).
	accept := config.ConnConfig.AfterConnect
	config.ConnConfig.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		if err := accept(ctx, conn); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, "SET default_transaction_read_only = on").ReadAll()
		return err
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, nil, err
	}
	return stdlib.OpenDBFromPool(pool), pool.Close, nil
}

// closed says whether the error comes from what was closed here.
func closed(err error) bool {
	return errors.Is(err, sql.ErrConnDone) || errors.Is(err, store.ErrClosed) ||
		err.Error() == "sql: database is closed" || err.Error() == "closed pool"
}
