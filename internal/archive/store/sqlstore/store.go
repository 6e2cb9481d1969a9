// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/cursor"
	"github.com/valtuus/valtuus/internal/archive/store/groupcommit"
)

// Options configure a store on any engine.
type Options struct {
	// CursorKey signs search cursors, 16 bytes or more; the same key after a restart keeps cursors valid.
	CursorKey []byte
	// OnCommit hears of each durable commit: how many operations shared it and how long the commit took to
	// become durable. Called from the writing goroutines; may be nil.
	OnCommit func(operations int, took time.Duration)
}

// Store is a store.Store in a SQL database.
type Store struct {
	engine  Engine
	reads   statements
	queue   *groupcommit.Queue[Tx]
	cursors *cursor.Codec
}

var _ store.Store = (*Store)(nil)

// New makes a store on an engine whose schema is up to date (Migrate). Close closes the engine too.
func New(engine Engine, opts Options) (*Store, error) {
	codec, err := cursor.NewCodec(opts.CursorKey)
	if err != nil {
		return nil, err
	}
	return &Store{
		engine:  engine,
		reads:   statements{db: engine.Readers},
		cursors: codec,
		queue:   groupcommit.Start(engine.Begin, groupcommit.Options{Lanes: engine.Lanes, OnCommit: opts.OnCommit}),
	}, nil
}

// NewReader makes a store that reads from a database and writes nothing. Close closes the database too.
func NewReader(db *sql.DB, classify func(doing string, err error) error) (*Store, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	return New(Engine{
		Readers: db, Classify: classify, Close: func() error { return nil },
		Begin: func() (Tx, error) {
			return nil, store.Unavailable("writing", errors.New("the store is open for reading alone"))
		},
	}, Options{CursorKey: key})
}

// Close commits what is queued and closes the engine. Calling it again is harmless.
func (s *Store) Close() error {
	s.queue.Close()
	return errors.Join(s.reads.close(), s.engine.Readers.Close(), s.engine.Close())
}

// Probe commits a row of its own, to prove that writing works.
func (s *Store) Probe(ctx context.Context, now time.Time) error {
	return s.queue.Do(ctx, 0, func(t Tx) error {
		return t.Exec("proving that a write lasts",
			`INSERT INTO probe (probe_id, probed_us) VALUES (1, $1)
			 ON CONFLICT (probe_id) DO UPDATE SET probed_us = excluded.probed_us`, store.Micros(now))
	})
}

// failed says what an error of a read means.
func (s *Store) failed(doing string, err error) error {
	if errors.Is(err, sql.ErrConnDone) || err != nil && err.Error() == "sql: database is closed" {
		return store.ErrClosed
	}
	return s.engine.Classify(doing, err)
}

// one scans a query of at most one row, whose text is one of a fixed set; found says whether there was one.
func (s *Store) one(ctx context.Context, doing, query string, args []any, dest ...any) (found bool, err error) {
	row, err := s.row(ctx, query, args)
	if err != nil {
		return false, s.failed(doing, err)
	}
	err = row.Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, s.failed(doing, err)
}

func (s *Store) row(ctx context.Context, query string, args []any) (*sql.Row, error) {
	if !s.engine.PrepareReads {
		return s.engine.Readers.QueryRowContext(ctx, query, args...), nil
	}
	statement, err := s.reads.prepared(ctx, query) //nolint:sqlclosecheck // It is kept.
	if err != nil {
		return nil, err
	}
	return statement.QueryRowContext(ctx, args...), nil
}

// querier is a pool or a snapshot.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each calls scan for every row of a query.
func (s *Store) each(ctx context.Context, from querier, doing, query string, args []any, scan func(dest func(...any) error) error) error {
	rows, err := from.QueryContext(ctx, query, args...)
	if err != nil {
		return s.failed(doing, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(func(dest ...any) error { return s.failed(doing, rows.Scan(dest...)) }); err != nil {
			return err
		}
	}
	return s.failed(doing, rows.Err())
}
