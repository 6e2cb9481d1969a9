// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"

	_ "modernc.org/sqlite" // the engine of the archive

	"github.com/valtuus/valtuus/internal/archive/replica"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
)

type sqliteEngine struct {
	bench *bench
	// dir is where the data directories are made.
	dir string
}

func (*sqliteEngine) String() string { return "SQLite" }

func (e *sqliteEngine) storage(context.Context) (replica.Storage, error) {
	return e.bench.newStorage(e.dir)
}

func (*sqliteEngine) open(ctx context.Context, at replica.Storage) (store.Store, error) {
	key, err := cursorKey(at)
	if err != nil {
		return nil, err
	}
	return sqlite.Open(ctx, sqlite.Options{Dir: at.DataDir, CursorKey: key})
}

func (e *sqliteEngine) plain(ctx context.Context) (*plainTable, error) {
	db, err := e.bench.plainSQLite(ctx, "CREATE TABLE plain (id BLOB NOT NULL PRIMARY KEY, body BLOB NOT NULL)")
	if err != nil {
		return nil, err
	}
	insert, err := db.PrepareContext(ctx, "INSERT INTO plain VALUES (?, ?)")
	if err != nil {
		return nil, err
	}
	write := func(ctx context.Context, rows []plainRow) error { // alone on the one connection
		if _, err := db.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			return err
		}
		for i := range rows {
			if _, err := insert.ExecContext(ctx, rows[i].id[:], rows[i].body); err != nil {
				return err
			}
		}
		_, err := db.ExecContext(ctx, "COMMIT")
		return err
	}
	return &plainTable{
		writers: []func(context.Context, []plainRow) error{write}, close: func() { _ = insert.Close(); _ = db.Close() },
	}, nil
}

// plainSQLite makes a file with one table and one connection, as durable and with as much room as the archive's.
func (b *bench) plainSQLite(ctx context.Context, table string) (*sql.DB, error) {
	file := filepath.Join(b.dir, fmt.Sprintf("plain-%d.db", children.Add(1)))
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=wal_autocheckpoint(4000)&_pragma=cache_size(-16384)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, table)
	return db, err
}
