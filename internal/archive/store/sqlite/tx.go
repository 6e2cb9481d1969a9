// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// tx is the open transaction of the writer. It sets no savepoints: SQLite would copy every page that an
// operation is about to change, for the rare one that fails after it has written. Such a one costs the whole
// transaction, and the queue runs the others again.
type tx struct {
	w *writer
	// wrote says that the operation has written.
	wrote bool
}

var errWrote = errors.New("the operation has written")

// mayWrite fails where the tables were changed by a newer program beside this one.
func (t *tx) mayWrite() error {
	const doing = "asking whether this program may write"
	var oldest int64
	_, err := t.Get(doing, "SELECT oldest FROM schema_writers WHERE writers_id = 1", nil, &oldest)
	if err == nil && oldest > t.w.program {
		err = store.Unavailable(doing, store.ErrSchemaTooNew)
	}
	return err
}

func (t *tx) Savepoint() error { t.wrote = false; return nil }

func (t *tx) Release() error { return nil }

func (t *tx) RollbackTo() error {
	if t.wrote {
		return errWrote
	}
	return nil
}

func (t *tx) Commit() error {
	if t.w.beforeCommit != nil {
		if err := t.w.beforeCommit(); err != nil {
			return err
		}
	}
	return t.run("committing", "COMMIT")
}

// Rollback may find no transaction, when SQLite has already undone it; that is as good.
func (t *tx) Rollback() { _ = t.run("undoing a transaction", "ROLLBACK") }

// Exec implements sqlstore.Tx.
func (t *tx) Exec(doing, query string, args ...any) error {
	t.wrote = true
	return t.run(doing, query, args...)
}

func (t *tx) run(doing, query string, args ...any) error {
	s, err := t.w.prepared(query)
	if err != nil {
		return classify(doing, err)
	}
	_, err = s.ExecContext(context.Background(), args...)
	return classify(doing, err)
}

// Hold implements sqlstore.Tx: there is one transaction that writes.
func (t *tx) Hold(doing, query string, args []any, dest ...any) (found bool, err error) {
	return t.Get(doing, query, args, dest...)
}

// Claim implements sqlstore.Tx.
func (t *tx) Claim(_, _ string) error { return nil }

// Each implements sqlstore.Tx.
func (t *tx) Each(doing, query string, args []any, scan func(dest func(...any) error) error) (err error) {
	s, err := t.w.prepared(query)
	if err != nil {
		return classify(doing, err)
	}
	rows, err := s.QueryContext(context.Background(), args...)
	if err != nil {
		return classify(doing, err)
	}
	defer func() { err = errors.Join(err, classify(doing, rows.Close())) }()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return err
		}
	}
	return classify(doing, rows.Err())
}

// Get implements sqlstore.Tx.
func (t *tx) Get(doing, query string, args []any, dest ...any) (found bool, err error) {
	s, err := t.w.prepared(query)
	if err != nil {
		return false, classify(doing, err)
	}
	err = s.QueryRowContext(context.Background(), args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, classify(doing, err)
}
