// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

// writer is the one writing connection and its prepared statements. Only the queue's goroutine
// uses it once the store is open.
type writer struct {
	db   *sql.DB
	conn *sql.Conn
	// program is the schema version of this program, which each transaction is held to.
	program int64
	stmts   map[string]*sql.Stmt
	turns   turns

	// beforeCommit lets a test fail a commit.
	beforeCommit func() error
}

// openWriter opens the writing connection; prepare makes sure of the schema.
func openWriter(ctx context.Context, file string, prepare func(context.Context, *sql.DB) error) (*writer, error) {
	db, err := open(file, 1, nil)
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, db); err != nil {
		return nil, errors.Join(classify("opening the data file", err), db.Close())
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(classify("opening the data file", err), db.Close())
	}
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil { // begin waits
		return nil, errors.Join(classify("opening the data file", err), conn.Close(), db.Close())
	}
	program, err := sqlstore.ProgramVersion(goose.DialectSQLite3)
	if err != nil {
		return nil, errors.Join(err, conn.Close(), db.Close())
	}
	turns, err := openTurns(file)
	if err != nil {
		return nil, errors.Join(err, conn.Close(), db.Close())
	}
	return &writer{db: db, conn: conn, program: program, stmts: map[string]*sql.Stmt{}, turns: turns}, nil
}

func (w *writer) close() error {
	var errs []error
	for _, s := range w.stmts {
		errs = append(errs, s.Close())
	}
	w.stmts = nil
	if err := w.conn.Close(); !errors.Is(err, sql.ErrConnDone) {
		errs = append(errs, err)
	}
	if err := w.turns.close(); !errors.Is(err, os.ErrClosed) {
		errs = append(errs, err)
	}
	return errors.Join(append(errs, w.db.Close())...)
}

// lockTimeout is how long whoever needs a lock waits for another program's transaction.
const lockTimeout = 10 * time.Second

// begin takes the write lock at once, so that a transaction never fails half-way for a lock.
func (w *writer) begin() (sqlstore.Tx, error) {
	t := &tx{w: w}
	give := w.turns.take()
	defer give()
	for deadline := time.Now().Add(lockTimeout); ; time.Sleep(lockPoll) {
		err := t.run("beginning a transaction", "BEGIN IMMEDIATE")
		if err == nil {
			break
		}
		if !busy(err) || time.Now().After(deadline) {
			return t, err
		}
	}
	if err := t.mayWrite(); err != nil {
		t.Rollback()
		return t, err
	}
	return t, nil
}

// prepared gives the statement for the SQL text, which must be one of a fixed set. A write never
// takes a request's context: a caller that hangs up must not break the others' transaction.
func (w *writer) prepared(query string) (*sql.Stmt, error) {
	if s, ok := w.stmts[query]; ok {
		return s, nil
	}
	s, err := w.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("preparing a statement: %w", err)
	}
	w.stmts[query] = s
	return s, nil
}
