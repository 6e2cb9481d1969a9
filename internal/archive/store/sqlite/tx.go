// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"time"
)

// tx is the open transaction of the writer; it is a groupcommit.Tx.
type tx struct {
	w *writer
}

func (t *tx) Savepoint() error { return t.exec("starting an operation", "SAVEPOINT operation") }

func (t *tx) Release() error { return t.exec("ending an operation", "RELEASE operation") }

func (t *tx) RollbackTo() error {
	if err := t.exec("undoing an operation", "ROLLBACK TO operation"); err != nil {
		return err
	}
	return t.Release()
}

func (t *tx) Commit() error {
	if t.w.beforeCommit != nil {
		if err := t.w.beforeCommit(); err != nil {
			return err
		}
	}
	start := time.Now() // for a duration in a metric, never stored
	err := t.exec("committing", "COMMIT")
	t.w.lastCommit = time.Since(start)
	return err
}

// Rollback may find no transaction, when SQLite has already undone it; that is as good.
func (t *tx) Rollback() { _ = t.exec("undoing a transaction", "ROLLBACK") }

// exec runs one statement; doing says in English what for.
func (t *tx) exec(doing, query string, args ...any) error {
	s, err := t.w.prepared(query)
	if err != nil {
		return classify(doing, err)
	}
	_, err = s.ExecContext(context.Background(), args...)
	return classify(doing, err)
}

// get runs a query of at most one row and scans it into dest; found says whether there was one.
func (t *tx) get(doing, query string, args []any, dest ...any) (found bool, err error) {
	s, err := t.w.prepared(query)
	if err != nil {
		return false, classify(doing, err)
	}
	return scanOne(doing, s.QueryRowContext(context.Background(), args...), dest...)
}
