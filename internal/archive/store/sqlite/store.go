// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sqlite is the archive's embedded engine: one SQLite file, one writing connection that
// commits concurrent operations together, and a pool of reading connections.
//
// Durability: WAL with synchronous=FULL, so each commit reaches the disk before its operations
// are told.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

// FileName is the one data file in the data directory. While the archive runs, SQLite keeps
// archive.db-wal and archive.db-shm beside it; all three belong to a copy.
const FileName = "archive.db"

// Options configure a store.
type Options struct {
	// Dir is the data directory; made with mode 0700 if it is missing.
	Dir string
	// CursorKey signs search cursors, 16 bytes or more; the same key after a restart keeps
	// cursors valid.
	CursorKey []byte
	// Readers is the number of reading connections; default 4.
	Readers int
	// KeepSchema refuses tables that are older than this program instead of bringing them up to date.
	KeepSchema bool
	// OnCommit hears of each durable commit: how many operations shared it and how long the
	// commit took to become durable. Called from the writing goroutine; may be nil.
	OnCommit func(operations int, took time.Duration)
}

// Open opens or makes the store in the data directory and brings its schema up to date. It fails on a file whose schema
// this program may not write to: store.ErrSchemaTooNew, and store.ErrSchemaTooOld with KeepSchema.
func Open(ctx context.Context, opts Options) (*sqlstore.Store, error) {
	engine, _, err := openEngine(ctx, opts)
	return newStore(engine, opts, err)
}

// OpenBeside opens the store that is in the data directory, also while an archive serves from it: SQLite lets one of
// them write at a time. The schema must be this program's.
func OpenBeside(ctx context.Context, opts Options) (*sqlstore.Store, error) {
	file, err := existing(opts.Dir)
	if err != nil {
		return nil, err
	}
	engine, _, err := engineAt(ctx, file, opts, checkCopy)
	return newStore(engine, opts, err)
}

func newStore(engine sqlstore.Engine, opts Options, err error) (*sqlstore.Store, error) {
	if err != nil {
		return nil, err
	}
	s, err := sqlstore.New(engine, sqlstore.Options{CursorKey: opts.CursorKey, OnCommit: opts.OnCommit})
	if err != nil {
		return nil, errors.Join(err, engine.Readers.Close(), engine.Close())
	}
	return s, nil
}

// openEngine gives the engine, and its writing connection.
func openEngine(ctx context.Context, opts Options) (sqlstore.Engine, *writer, error) {
	file, err := prepareFile(opts.Dir)
	if err != nil {
		return sqlstore.Engine{}, nil, err
	}
	if opts.KeepSchema {
		return engineAt(ctx, file, opts, checkServe)
	}
	return engineAt(ctx, file, opts, migrate)
}

func engineAt(ctx context.Context, file string, opts Options, prepare func(context.Context, *sql.DB) error) (sqlstore.Engine, *writer, error) {
	write, err := openWriter(ctx, file, prepare)
	if err != nil {
		return sqlstore.Engine{}, nil, err
	}
	readers, err := openReaders(file, opts.Readers)
	if err != nil {
		return sqlstore.Engine{}, nil, errors.Join(err, write.close())
	}
	return sqlstore.Engine{
		Readers: readers, PrepareReads: true, Begin: write.begin, Lanes: 1, Classify: classify, Close: write.close,
		Scrub: func(ctx context.Context, rewrite bool) error { return scrub(ctx, file, rewrite) },
	}, write, nil
}
