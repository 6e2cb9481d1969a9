// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package groupcommit

// run does the batch in one transaction. When an operation loses the transaction (SQLite rolls
// everything back when the disk is full), each operation gets a transaction of its own, so that
// one document too large for the disk does not take its neighbors along.
func (q *Queue[T]) run(batch []*job[T]) {
	results, lost := q.attempt(batch)
	if lost && len(batch) > 1 {
		for i, j := range batch {
			one, _ := q.attempt([]*job[T]{j})
			results[i] = one[0]
		}
	}
	for i, j := range batch {
		j.err <- results[i]
	}
}

// attempt gives one result per job; lost says that the transaction broke under an operation.
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
	if err := tx.Commit(); err != nil {
		tx.Rollback()
		return fill(results, err), false
	}
	if q.opts.OnCommit != nil {
		q.opts.OnCommit(done)
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
