// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/groupcommit"
)

// tx is one transaction on a lane. Statements queue and go to the server in one flight with the next question, or
// with the commit. So an operation cannot be undone alone once it has queued a write: no savepoint is made, and
// RollbackTo gives the whole transaction up.
type tx struct {
	lanes *lanes
	lane  *lane // nil once it has been given back

	batch  *pgx.Batch
	doings []string // what each statement of the batch is for

	began bool  // something has been sent
	wrote bool  // the operation has queued a write
	lost  error // why the transaction counts no more
	// undone tells that the server itself said so, with an error that leaves the connection open: nothing counts.
	undone bool
}

func newTx(l *lanes, one *lane) *tx {
	t := &tx{lanes: l, lane: one, batch: &pgx.Batch{}}
	t.queue("beginning a transaction", "BEGIN")
	if l.program > 0 {
		// The lock is taken before the snapshot, so that a transaction that has waited for a migration sees it.
		t.queue(askingWriters, "LOCK TABLE schema_writers IN ACCESS SHARE MODE")
		t.queue(askingWriters, "SELECT 1 / CASE WHEN oldest <= $1 THEN 1 ELSE 0 END FROM schema_writers WHERE writers_id = 1", l.program)
	}
	return t
}

// askingWriters is what the statements are for that fail where this program may write no more. They ride with the first
// flight of every transaction: one that is under way when the tables are changed ends before, and none begins after.
const askingWriters = "asking whether this program may write"

func (t *tx) queue(doing, query string, args ...any) {
	t.batch.Queue(query, args...)
	t.doings = append(t.doings, doing)
}

// Savepoint implements groupcommit.Tx.
func (t *tx) Savepoint() error {
	t.wrote = false
	return t.lost
}

// Release implements groupcommit.Tx.
func (t *tx) Release() error { return t.lost }

// RollbackTo implements groupcommit.Tx.
func (t *tx) RollbackTo() error {
	if t.lost == nil && t.wrote {
		t.lost = errors.New("an operation failed after it had written")
	}
	return t.lost
}

// Exec implements sqlstore.Tx.
func (t *tx) Exec(doing, query string, args ...any) error {
	if t.lost != nil {
		return t.lost
	}
	t.wrote = true
	t.queue(doing, query, args...)
	return nil
}

// Get implements sqlstore.Tx.
func (t *tx) Get(doing, query string, args []any, dest ...any) (found bool, err error) {
	if t.lost != nil {
		return false, t.lost
	}
	t.queue(doing, query, args...)
	t.lost = t.fly(func(results pgx.BatchResults) error {
		err := results.QueryRow().Scan(dest...)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		found = err == nil
		return err
	})
	return found && t.lost == nil, t.lost
}

// Hold implements sqlstore.Tx.
func (t *tx) Hold(doing, query string, args []any, dest ...any) (found bool, err error) {
	return t.Get(doing, query+" FOR SHARE", args, dest...)
}

// Claim implements sqlstore.Tx. Who holds a row holds this lock of its table shared. One waits for a row for as long as
// there is always another that holds it; of this lock none is given to those who come later.
func (t *tx) Claim(doing, table string) error {
	return t.Exec(doing, "LOCK TABLE "+table+" IN EXCLUSIVE MODE")
}

// Each implements sqlstore.Tx.
func (t *tx) Each(doing, query string, args []any, scan func(dest func(...any) error) error) error {
	if t.lost != nil {
		return t.lost
	}
	t.queue(doing, query, args...)
	var unread error // what scan makes of the rows is no failure of the transaction
	t.lost = t.fly(func(results pgx.BatchResults) error {
		rows, err := results.Query()
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if unread = scan(rows.Scan); unread != nil {
				return nil
			}
		}
		return rows.Err()
	})
	if t.lost != nil {
		return t.lost
	}
	return unread
}

// Commit implements groupcommit.Tx. An error is store.ErrUnavailable when the outcome is unknown.
func (t *tx) Commit() error {
	if t.lost != nil {
		return t.lost
	}
	const doing = "committing"
	t.queue(doing, "COMMIT")
	t.lane.warned = false
	t.lost = t.fly(func(results pgx.BatchResults) error {
		tag, err := results.Exec()
		if err == nil && tag.String() != "COMMIT" {
			err = store.Unavailable(doing, &serverFailure{text: "the server undid the transaction"})
		}
		return err
	})
	switch {
	case t.lost != nil && t.undone:
		return fmt.Errorf("%w: %w", groupcommit.ErrUndone, t.lost)
	case t.lost != nil:
		return t.lost
	case t.lane.warned:
		// The server says "COMMIT" as well when it gave up waiting for a standby.
		t.lost = store.Unavailable(doing, &serverFailure{text: "the server committed with a warning: perhaps not on its standby"})
		return t.lost
	}
	t.giveBack()
	return nil
}

// Rollback implements groupcommit.Tx.
func (t *tx) Rollback() {
	if t.lane == nil {
		return
	}
	if conn := t.lane.conn; t.began && conn != nil && !conn.IsClosed() && conn.PgConn().TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
		defer cancel()
		if _, err := conn.PgConn().Exec(ctx, "ROLLBACK").ReadAll(); err != nil {
			_ = t.lane.disconnect()
		}
	}
	t.giveBack()
}

func (t *tx) giveBack() {
	one := t.lane
	t.lane, t.batch = nil, nil
	one.rested = time.Now()
	t.lanes.free <- one
}

// fly sends the batch in one flight and reads the results; last reads that of the last statement.
func (t *tx) fly(last func(pgx.BatchResults) error) error {
	batch, doings := t.batch, t.doings
	t.batch, t.doings, t.began = &pgx.Batch{}, t.doings[:0:0], true
	ctx, cancel := context.WithTimeout(context.Background(), flightTimeout)
	defer cancel()
	results := t.lane.conn.SendBatch(ctx, batch)
	for _, doing := range doings[:len(doings)-1] {
		if _, err := results.Exec(); err != nil {
			_ = results.Close() // it gives the same error
			return t.failed(doing, err)
		}
	}
	doing := doings[len(doings)-1]
	err := last(results)
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	return t.failed(doing, err)
}

// failed says what an error in a flight means. With an error that ends the connection, it is not known whether a
// commit was done; and a server that has become read-only is perhaps no longer the one that takes writes: the next
// transaction looks for that one afresh.
func (t *tx) failed(doing string, err error) error {
	var pgErr *pgconn.PgError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return store.Unavailable(doing, inTime(err))
	case errors.As(err, &pgErr) && (pgErr.SeverityUnlocalized == "FATAL" || pgErr.SeverityUnlocalized == "PANIC"):
		_ = t.lane.disconnect()
		return store.Unavailable(doing, describe(pgErr))
	case pgErr != nil && pgErr.Code == codeReadOnly:
		_ = t.lane.disconnect()
	}
	t.undone = pgErr != nil && pgErr.SeverityUnlocalized == "ERROR"
	if doing == askingWriters && pgErr != nil {
		switch pgErr.Code {
		case codeDivision:
			return store.Unavailable(doing, store.ErrSchemaTooNew)
		case codeNoTable:
			return store.Unavailable(doing, store.ErrSchemaTooOld)
		}
	}
	return classify(doing, err)
}
