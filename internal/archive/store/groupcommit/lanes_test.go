// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package groupcommit

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func TestLanesCommitAtTheSameTime(t *testing.T) {
	disk := &fakeDisk{hold: make(chan struct{}), committing: make(chan struct{})}
	q := Start(disk.begin, Options{Lanes: 3, MaxBatch: 1})
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			if err := q.Do(t.Context(), 0, add(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	for range 3 { // each arrives while the others are held
		select {
		case <-disk.committing:
		case <-time.After(time.Minute):
			t.Fatal("one lane waits for another")
		}
	}
	close(disk.hold)
	wg.Wait()
	q.Close()
	if len(disk.names) != 3 {
		t.Errorf("disk %v", disk.names)
	}
}

func TestCloseWaitsForEveryLane(t *testing.T) {
	disk := &fakeDisk{hold: make(chan struct{}), committing: make(chan struct{}, 10)}
	q := Start(disk.begin, Options{Lanes: 4, MaxBatch: 1})
	for i := range 4 {
		go func() { _ = q.Do(t.Context(), 0, add(fmt.Sprint(i))) }()
		<-disk.committing
	}
	closed := make(chan struct{})
	go func() { q.Close(); close(closed) }()
	select {
	case <-closed:
		t.Fatal("closed while commits are under way")
	case <-time.After(20 * time.Millisecond):
	}
	close(disk.hold)
	<-closed
	if len(disk.names) != 4 {
		t.Errorf("disk %v", disk.names)
	}
}

func TestACommitThatLosesToAnotherIsRetriedOneByOne(t *testing.T) {
	disk := &fakeDisk{}
	q := Start(disk.begin, Options{})
	results, release := queued(t, q, disk, []func(*fakeTx) error{add("a"), add("b"), add("c")})
	disk.hold <- struct{}{} // the first commit passes
	<-disk.committing
	disk.mu.Lock()
	disk.failNext = fmt.Errorf("another wrote the row: %w", ErrConflict)
	disk.mu.Unlock()
	release()
	q.Close()
	slices.Sort(disk.names)
	if err := errors.Join(results...); err != nil || !slices.Equal(disk.names, []string{"a", "b", "c", "first"}) {
		t.Errorf("disk %v, results %v", disk.names, results)
	}
}

func TestAnOperationThatLosesIsRetriedUntilItWinsOrIsUnavailable(t *testing.T) {
	for name, c := range map[string]struct {
		losses  int
		want    error
		attempt int
	}{
		"once":    {1, nil, 2},
		"often":   {tries, nil, tries + 1},
		"forever": {1000, store.ErrUnavailable, tries + 1},
	} {
		t.Run(name, func(t *testing.T) {
			disk := &fakeDisk{}
			q := Start(disk.begin, Options{})
			defer q.Close()
			attempts := 0
			err := q.Do(t.Context(), 0, func(f *fakeTx) error {
				f.pending = append(f.pending, "trace")
				if attempts++; attempts <= c.losses {
					f.lost = true
					return ErrConflict
				}
				return nil
			})
			if !errors.Is(err, c.want) || attempts != c.attempt {
				t.Errorf("%v after %d attempts, want %v after %d", err, attempts, c.want, c.attempt)
			}
			if wrote := len(disk.names) == 1; wrote != (c.want == nil) {
				t.Errorf("disk %v", disk.names)
			}
		})
	}
}

func TestACommitOfUnknownOutcomeIsNotRetried(t *testing.T) {
	disk := &fakeDisk{failNext: store.Unavailable("committing", errors.New("the connection broke"))}
	q := Start(disk.begin, Options{})
	defer q.Close()
	runs := 0
	err := q.Do(t.Context(), 0, func(*fakeTx) error { runs++; return nil })
	if !errors.Is(err, store.ErrUnavailable) || runs != 1 {
		t.Errorf("%v after %d runs", err, runs)
	}
}
