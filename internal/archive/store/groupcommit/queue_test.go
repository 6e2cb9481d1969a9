// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package groupcommit

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// fakeTx keeps names: those of its operations, and once committed those of the disk.
type fakeTx struct {
	disk    *fakeDisk
	pending []string
	mark    int
	lost    bool
}

type fakeDisk struct {
	mu         sync.Mutex
	names      []string
	commits    int
	failNext   error
	poison     string        // a commit with this name in it is undone
	hold       chan struct{} // a commit waits for it
	committing chan struct{} // told when a commit begins
}

func (d *fakeDisk) begin() (*fakeTx, error) { return &fakeTx{disk: d}, nil }

func (f *fakeTx) Savepoint() error { f.mark = len(f.pending); return nil }
func (f *fakeTx) Release() error   { return nil }
func (f *fakeTx) RollbackTo() error {
	if f.lost {
		return errors.New("the transaction is lost")
	}
	f.pending = f.pending[:f.mark]
	return nil
}
func (f *fakeTx) Rollback() { f.pending = nil }
func (f *fakeTx) Commit() error {
	if f.disk.committing != nil {
		f.disk.committing <- struct{}{}
		<-f.disk.hold
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.failNext; err != nil {
		f.disk.failNext = nil
		return err
	}
	if f.disk.poison != "" && slices.Contains(f.pending, f.disk.poison) {
		return ErrUndone
	}
	f.disk.names = append(f.disk.names, f.pending...)
	f.disk.commits++
	return nil
}

func add(name string) func(*fakeTx) error {
	return func(f *fakeTx) error { f.pending = append(f.pending, name); return nil }
}

// queued starts operations that all wait behind a first commit, and returns once they are queued.
func queued(t *testing.T, q *Queue[*fakeTx], disk *fakeDisk, ops []func(*fakeTx) error) (results []error, release func()) {
	t.Helper()
	disk.hold, disk.committing = make(chan struct{}), make(chan struct{}, 100)
	results = make([]error, len(ops))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := q.Do(t.Context(), 0, add("first")); err != nil {
			t.Error(err)
		}
	})
	<-disk.committing
	for i, op := range ops {
		wg.Go(func() { results[i] = q.Do(t.Context(), 1, op) })
	}
	for len(q.jobs) < len(ops) {
		runtime.Gosched()
	}
	return results, func() { close(disk.hold); wg.Wait() }
}

func TestOperationsThatWaitShareOneCommit(t *testing.T) {
	disk := &fakeDisk{}
	q := Start(disk.begin, Options{})
	var ops []func(*fakeTx) error
	for i := range 40 {
		ops = append(ops, add(fmt.Sprint(i)))
	}
	_, release := queued(t, q, disk, ops)
	release()
	q.Close()
	if disk.commits != 2 || len(disk.names) != 41 {
		t.Errorf("%d operations in %d commits, want 41 in 2", len(disk.names), disk.commits)
	}
}

func TestABatchIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		opts    Options
		commits int
	}{
		"by number": {Options{MaxBatch: 4}, 1 + 5},
		"by weight": {Options{MaxBytes: 10}, 1 + 2},
	} {
		disk := &fakeDisk{}
		q := Start(disk.begin, c.opts)
		ops := make([]func(*fakeTx) error, 20)
		for i := range ops {
			ops[i] = add(fmt.Sprint(i))
		}
		_, release := queued(t, q, disk, ops)
		release()
		q.Close()
		if disk.commits != c.commits || len(disk.names) != 21 {
			t.Errorf("%s: %d operations in %d commits, want 21 in %d", name, len(disk.names), disk.commits, c.commits)
		}
	}
}

func TestAFailingOperationIsUndoneAlone(t *testing.T) {
	disk := &fakeDisk{}
	q := Start(disk.begin, Options{})
	bad := errors.New("bad")
	results, release := queued(t, q, disk, []func(*fakeTx) error{
		add("a"),
		func(f *fakeTx) error { f.pending = append(f.pending, "trace of bad"); return bad },
		add("c"),
	})
	release()
	q.Close()
	slices.Sort(disk.names)
	if !slices.Equal(disk.names, []string{"a", "c", "first"}) || !errors.Is(results[1], bad) || results[0] != nil || results[2] != nil {
		t.Errorf("disk %v, results %v", disk.names, results)
	}
}

func TestALostTransactionIsRetriedOneByOne(t *testing.T) {
	disk := &fakeDisk{}
	q := Start(disk.begin, Options{})
	full := errors.New("full")
	results, release := queued(t, q, disk, []func(*fakeTx) error{
		add("a"),
		func(f *fakeTx) error { f.lost = true; return full },
		add("c"),
	})
	release()
	q.Close()
	slices.Sort(disk.names)
	if !slices.Equal(disk.names, []string{"a", "c", "first"}) || !errors.Is(results[1], full) || results[0] != nil || results[2] != nil {
		t.Errorf("disk %v, results %v", disk.names, results)
	}
}

// A server that undoes the whole transaction for one operation's sake, and says so at the commit, must not fail
// the others.
func TestAnUndoneCommitIsRetriedOneByOne(t *testing.T) {
	disk := &fakeDisk{poison: "too large"}
	q := Start(disk.begin, Options{})
	defer q.Close()
	results, release := queued(t, q, disk, []func(*fakeTx) error{add("a"), add("too large"), add("b")})
	release()
	if results[0] != nil || !errors.Is(results[1], ErrUndone) || results[2] != nil {
		t.Fatalf("results: %v", results)
	}
	slices.Sort(disk.names)
	if !slices.Equal(disk.names, []string{"a", "b", "first"}) {
		t.Errorf("on the disk: %v", disk.names)
	}
}

func TestAFailedCommitFailsAllThatWereInIt(t *testing.T) {
	disk := &fakeDisk{}
	q := Start(disk.begin, Options{})
	broken := errors.New("broken")
	own := errors.New("own")
	results, release := queued(t, q, disk, []func(*fakeTx) error{
		add("a"), func(*fakeTx) error { return own }, add("c"),
	})
	disk.hold <- struct{}{} // the first commit passes
	<-disk.committing
	disk.mu.Lock()
	disk.failNext = broken
	disk.mu.Unlock()
	release()
	q.Close()
	if !errors.Is(results[0], broken) || !errors.Is(results[1], own) || !errors.Is(results[2], broken) || len(disk.names) != 1 {
		t.Errorf("disk %v, results %v", disk.names, results)
	}
}

func TestAnOperationRunsThoughItsCallerHangsUp(t *testing.T) {
	disk := &fakeDisk{}
	q := Start(disk.begin, Options{})
	_, release := queued(t, q, disk, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- q.Do(ctx, 0, add("kept")) }()
	for len(q.jobs) < 1 {
		runtime.Gosched()
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	release()
	q.Close()
	if !slices.Contains(disk.names, "kept") {
		t.Error("the operation of a caller that hung up was dropped")
	}
}

func TestCloseFinishesWhatIsQueuedAndRefusesTheRest(t *testing.T) {
	disk := &fakeDisk{}
	q := Start(disk.begin, Options{})
	results, release := queued(t, q, disk, []func(*fakeTx) error{add("a"), add("b")})
	closed := make(chan struct{})
	go func() { q.Close(); close(closed) }()
	release()
	<-closed
	q.Close()
	if err := errors.Join(results...); err != nil || len(disk.names) != 3 {
		t.Errorf("disk %v, results %v", disk.names, results)
	}
	if err := q.Do(t.Context(), 0, add("late")); !errors.Is(err, store.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
