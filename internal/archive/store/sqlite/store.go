// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sqlite is the archive's embedded store: one SQLite file, one writing connection that
// commits concurrent operations together, and a pool of reading connections.
//
// Durability: WAL with synchronous=FULL, so each commit reaches the disk before its operations
// are told. The SQL keeps to what PostgreSQL reads as well, apart from the migrations and pragmas.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/cursor"
	"github.com/valtuus/valtuus/internal/archive/store/groupcommit"
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
	// OnCommit hears of each durable commit: how many operations shared it and how long the
	// commit took to become durable. Called from the writing goroutine; may be nil.
	OnCommit func(operations int, took time.Duration)
}

// Store is the SQLite engine of store.Store.
type Store struct {
	write   *writer
	readers *sql.DB
	queue   *groupcommit.Queue[*tx]
	cursors *cursor.Codec
}

var _ store.Store = (*Store)(nil)

// Open opens or makes the store in the data directory and brings its schema up to date. It fails
// on a file whose schema is newer than this program.
func Open(ctx context.Context, opts Options) (*Store, error) {
	codec, err := cursor.NewCodec(opts.CursorKey)
	if err != nil {
		return nil, err
	}
	file, err := prepareFile(opts.Dir)
	if err != nil {
		return nil, err
	}
	write, err := openWriter(ctx, file)
	if err != nil {
		return nil, err
	}
	readers, err := openReaders(file, opts.Readers)
	if err != nil {
		return nil, errors.Join(err, write.close())
	}
	s := &Store{write: write, readers: readers, cursors: codec}
	s.queue = groupcommit.Start(write.begin, groupcommit.Options{
		OnCommit: func(operations int) {
			if opts.OnCommit != nil {
				opts.OnCommit(operations, write.lastCommit)
			}
		},
	})
	return s, nil
}

// Close commits what is queued and closes the file. Calling it again is harmless.
func (s *Store) Close() error {
	s.queue.Close()
	return errors.Join(s.readers.Close(), s.write.close())
}

// Probe commits a row of its own, to prove that writing works.
func (s *Store) Probe(ctx context.Context, now time.Time) error {
	return s.queue.Do(ctx, 0, func(t *tx) error {
		return t.exec("proving that a write lasts",
			`INSERT INTO probe (probe_id, probed_us) VALUES (1, $1)
			 ON CONFLICT (probe_id) DO UPDATE SET probed_us = excluded.probed_us`, store.Micros(now))
	})
}
