// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package groupcommit

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// ErrConflict is wrapped by an engine's error that says: the transaction lost to one that ran at the same time,
// nothing of it counts, and it may pass when it runs again.
var ErrConflict = errors.New("lost to another transaction")

// ErrUndone is wrapped by the error of a commit that says: nothing of the transaction counts, for certain.
var ErrUndone = errors.New("the transaction was undone")

// tries is how often an operation that is alone in its transaction runs when it loses to others.
const tries = 10

// run does the batch in one transaction. When an operation loses the transaction (SQLite rolls everything
// back when the disk is full, PostgreSQL at a conflict), each operation gets a transaction of its own, so that
// one document too large for the disk does not take its neighbors along.
func (q *Queue[T]) run(batch []*job[T]) {
	results, lost := q.attempt(batch)
	for i, j := range batch {
		if lost && (len(batch) > 1 || errors.Is(results[i], ErrConflict)) {
			results[i] = q.alone(j)
		}
		j.err <- results[i]
	}
}

// alone runs the operation in transactions of its own until one is not lost to another.
func (q *Queue[T]) alone(j *job[T]) error {
	for try := 1; ; try++ {
		results, _ := q.attempt([]*job[T]{j})
		switch err := results[0]; {
		case !errors.Is(err, ErrConflict):
			return err
		case try == tries:
			return store.Unavailable("writing beside others", err)
		}
		time.Sleep(time.Duration(try) * rand.N(2*time.Millisecond))
	}
}

// attempt gives one result per job; lost says that the transaction broke under an operation, lost to another, or
// was undone at its commit. One whose commit has an unknown outcome is not lost: it may have been done.
func (q *Queue[T]) attempt(batch []*job[T]) (results []error, lost bool) {
	results = make([]error, len(batch))
	tx, err := q.begin()
	if err != nil {
		return fill(results, err), false
	}
	done := 0
	for i, j := range batch {
		opErr, broken := apply(tx, j.op)
		if broken {
			tx.Rollback()
			return fill(results, opErr), true
		}
		results[i] = opErr
		if opErr == nil {
			done++
		}
	}
	if done == 0 {
		tx.Rollback()
		return results, false
	}
	start := time.Now() // for a duration in a metric, never stored
	if err := tx.Commit(); err != nil {
		tx.Rollback()
		return fill(results, err), errors.Is(err, ErrConflict) || errors.Is(err, ErrUndone)
	}
	if q.opts.OnCommit != nil {
		q.opts.OnCommit(done, time.Since(start))
	}
	return results, false
}

// apply runs one operation in its savepoint; broken says that the transaction did not survive it.
func apply[T Tx](tx T, op func(T) error) (err error, broken bool) {
	if err := tx.Savepoint(); err != nil {
		return err, true
	}
	if err := op(tx); err != nil {
		return err, tx.RollbackTo() != nil
	}
	if err := tx.Release(); err != nil {
		return err, true
	}
	return nil, false
}

// fill gives err to every operation that has no error of its own.
func fill(results []error, err error) []error {
	for i := range results {
		if results[i] == nil {
			results[i] = err
		}
	}
	return results
}
