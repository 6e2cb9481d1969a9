// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"

	"github.com/valtuus/valtuus/internal/archive/store/groupcommit"
)

// Engine is what sqlstore needs of a database.
type Engine struct {
	// Readers reads, on connections that see every transaction that was committed before.
	Readers *sql.DB
	// PrepareReads tells that a reading connection stays open and keeps what is prepared on it, so that it pays to
	// prepare each read once. PostgreSQL's driver sees to that itself.
	PrepareReads bool
	// Begin opens a write transaction, on a connection that no other holds meanwhile. It reads one snapshot
	// and its own writes, and where two transactions write one row, or one key, the later of them loses
	// (REPEATABLE READ in PostgreSQL): no operation here needs more.
	Begin func() (Tx, error)
	// Lanes is how many write transactions may run at once; 1 where the engine has one writer.
	Lanes int
	// Classify says what an engine's error means, in the errors of the package store; doing tells in English
	// what was being done. It gives nil for nil, and wraps groupcommit.ErrConflict when a transaction lost to
	// another one and is worth another try.
	Classify func(doing string, err error) error
	// Scrub makes what was deleted leave the files, with rewrite to the last stray piece; nil where the database sees
	// to its files by itself.
	Scrub func(ctx context.Context, rewrite bool) error
	// Close releases what Begin uses; Readers is closed by the store.
	Close func() error
}

// Tx is one write transaction, used by one goroutine. Its errors are classified.
type Tx interface {
	groupcommit.Tx
	// Exec runs a statement, at the latest before the next Get or the Commit: its error may come from there,
	// and then the whole transaction is lost. An argument is nil, a string, []byte, int or int64.
	Exec(doing, query string, args ...any) error
	// Get runs a query of at most one row and scans it into dest, which are pointers to string, []byte, int,
	// int64 or (for what may be NULL) *int64; found says whether there was one.
	Get(doing, query string, args []any, dest ...any) (found bool, err error)
	// Hold is Get of a row of one table that no other transaction changes from then on until this one ends; where one did
	// since this one began, this one loses. Any number may hold a row at once.
	Hold(doing, query string, args []any, dest ...any) (found bool, err error)
	// Claim waits until no other transaction holds a row of the table. None holds one anew before this one ends.
	Claim(doing, table string) error
	// Each runs a query and calls scan for every row, with what scans it as Get does. scan must not use the Tx.
	Each(doing, query string, args []any, scan func(dest func(...any) error) error) error
}
