// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package groupcommit lets concurrent writes share a transaction: while one commit is being made
// durable, the next operations queue, and they go into the following commit together.
package groupcommit

import (
	"context"
	"sync"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// Tx is an open transaction of an engine, used by one goroutine.
type Tx interface {
	// Savepoint starts a part of the transaction that can be undone alone.
	Savepoint() error
	// RollbackTo undoes and ends the part that Savepoint started. An error means that the whole
	// transaction is lost.
	RollbackTo() error
	// Release ends the part and keeps it.
	Release() error
	// Commit makes the transaction durable. After an error nothing of it counts.
	Commit() error
	// Rollback undoes the transaction; calling it after a lost one is harmless.
	Rollback()
}

// Options bound a queue. Zero fields take the defaults.
type Options struct {
	// MaxBatch is the most operations in one transaction; default 64.
	MaxBatch int
	// MaxBytes closes a batch once its operations weigh this much; default 16 MiB.
	MaxBytes int
	// Waiting is the most operations that wait outside a transaction; default 1024.
	Waiting int
	// Lanes is how many transactions run at once; default 1.
	Lanes int
	// OnCommit hears of each durable commit: how many operations shared it and how long the commit itself
	// took. Called from the lanes' goroutines, at the same time; may be nil.
	OnCommit func(operations int, took time.Duration)
}

// Queue runs operations in shared transactions, one transaction at a time in each lane.
type Queue[T Tx] struct {
	begin func() (T, error)
	opts  Options
	jobs  chan *job[T]
	lanes sync.WaitGroup

	mu     sync.RWMutex // held shared while sending, so that Close never closes under a sender
	closed bool
}

type job[T Tx] struct {
	op   func(T) error
	size int
	err  chan error
}

// Start makes a queue that opens its transactions with begin, and starts its lanes. Close ends them.
func Start[T Tx](begin func() (T, error), opts Options) *Queue[T] {
	if opts.MaxBatch <= 0 {
		opts.MaxBatch = 64
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = 16 << 20
	}
	if opts.Waiting <= 0 {
		opts.Waiting = 1024
	}
	q := &Queue[T]{
		begin: begin,
		opts:  opts,
		jobs:  make(chan *job[T], opts.Waiting),
	}
	for range max(opts.Lanes, 1) {
		q.lanes.Go(q.lane)
	}
	return q
}

// Do runs the operation in a shared transaction and returns nil once that is durable. An error of
// the operation undoes only the operation. size is its weight in bytes.
//
// The operation may run more than once (again alone, when a shared transaction is lost), so it must
// only set its results. When ctx ends while the operation waits, Do returns ctx's error but the
// operation still runs: what it logs is not undone by a caller that hangs up.
func (q *Queue[T]) Do(ctx context.Context, size int, op func(T) error) error {
	j := &job[T]{op: op, size: size, err: make(chan error, 1)}
	if err := q.send(ctx, j); err != nil {
		return err
	}
	select {
	case err := <-j.err:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *Queue[T]) send(ctx context.Context, j *job[T]) error {
	q.mu.RLock()
	defer q.mu.RUnlock()
	if q.closed {
		return store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case q.jobs <- j:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close refuses new operations, waits until the queued ones are done, and ends the lanes.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.jobs)
	}
	q.mu.Unlock()
	q.lanes.Wait()
}

func (q *Queue[T]) lane() {
	for first := range q.jobs {
		q.run(q.gather(first))
	}
}

// gather takes what is queued now, without waiting for more.
func (q *Queue[T]) gather(first *job[T]) []*job[T] {
	batch, size := []*job[T]{first}, first.size
	for len(batch) < q.opts.MaxBatch && size < q.opts.MaxBytes {
		select {
		case j, ok := <-q.jobs:
			if !ok {
				return batch
			}
			batch, size = append(batch, j), size+j.size
		default:
			return batch
		}
	}
	return batch
}
