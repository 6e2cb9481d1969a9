// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// onWriter runs a function on the writing connection, between transactions.
func onWriter(t testing.TB, s *Store, fn func() error) {
	t.Helper()
	var err error
	s.write.beforeCommit = nil
	if doErr := s.queue.Do(t.Context(), 0, func(*tx) error { return errors.New("nothing to commit") }); doErr == nil {
		t.Fatal("the queue committed a failed operation")
	}
	if err = fn(); err != nil {
		t.Fatal(err)
	}
}

func setMaxPages(t testing.TB, s *Store, more int) {
	t.Helper()
	onWriter(t, s, func() error {
		var pages, limit int
		if err := s.write.conn.QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
			return err
		}
		return s.write.conn.QueryRowContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count(%d)", pages+more)).Scan(&limit)
	})
}

// acknowledged holds what a caller was told against what is there, rows included.
type acknowledged struct {
	mu sync.Mutex
	ok map[uuid.UUID]bool
}

func (a *acknowledged) store(t testing.TB, s *Store, client uuid.UUID, body []byte) error {
	t.Helper()
	doc := storetest.NewDocument(registry, client, start, body, "t1", "t2")
	row := storetest.Row("document.store", start)
	row.DocumentIDs = []uuid.UUID{doc.ID}
	_, err := s.StoreDocument(t.Context(), doc, row)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ok[doc.ID] = err == nil
	return err
}

func (a *acknowledged) check(t testing.TB, s *Store) {
	t.Helper()
	rows := map[uuid.UUID]bool{}
	for _, row := range storetest.AllLog(t, s, store.LogQuery{}) {
		for _, id := range row.DocumentIDs {
			rows[id] = true
		}
	}
	for id, ok := range a.ok {
		_, err := s.Document(t.Context(), registry, id)
		if stored := err == nil; stored != ok || rows[id] != ok {
			t.Errorf("acknowledged %v, stored %v, logged %v (%v)", ok, stored, rows[id], err)
		}
	}
}

func TestInvariant4_DiskFullAcknowledgesNothingAndMends(t *testing.T) {
	s := openNew(t)
	client := storetest.Client(t, s, registry, 1)
	told := acknowledged{ok: map[uuid.UUID]bool{}}
	if err := told.store(t, s, client, make([]byte, 10_000)); err != nil {
		t.Fatal(err)
	}
	setMaxPages(t, s, 20)
	var full error
	for range 50 {
		if full = told.store(t, s, client, make([]byte, 10_000)); full != nil {
			break
		}
	}
	if !errors.Is(full, store.ErrUnavailable) {
		t.Fatalf("on a full disk: got %v, want ErrUnavailable", full)
	}
	told.check(t, s)

	setMaxPages(t, s, 1_000_000)
	if err := told.store(t, s, client, make([]byte, 10_000)); err != nil {
		t.Fatalf("with space again: %v", err)
	}
	told.check(t, s)
}

func TestInvariant4_DiskFullFailsTheLargeOneAlone(t *testing.T) {
	s := openNew(t)
	client := storetest.Client(t, s, registry, 1)
	told := acknowledged{ok: map[uuid.UUID]bool{}}
	setMaxPages(t, s, 60)
	var wg sync.WaitGroup
	var small atomic.Int32
	for i := range 24 {
		wg.Go(func() {
			size := 100
			if i%3 == 0 {
				size = 1 << 20 // never fits
			}
			err := told.store(t, s, client, make([]byte, size))
			switch {
			case size > 100 && !errors.Is(err, store.ErrUnavailable):
				t.Errorf("a document larger than the disk: %v", err)
			case size == 100 && err != nil:
				t.Errorf("a small neighbor failed: %v", err)
			case size == 100:
				small.Add(1)
			}
		})
	}
	wg.Wait()
	if small.Load() != 16 {
		t.Errorf("%d small documents, want 16", small.Load())
	}
	told.check(t, s)
}

func TestInvariant4_FailedCommitAcknowledgesNothing(t *testing.T) {
	s := openNew(t)
	client := storetest.Client(t, s, registry, 1)
	told := acknowledged{ok: map[uuid.UUID]bool{}}
	var failures atomic.Int32
	onWriter(t, s, func() error {
		s.write.beforeCommit = func() error {
			if failures.Add(1)%2 == 1 {
				return store.Unavailable("committing", errors.New("injected"))
			}
			return nil
		}
		return nil
	})
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if err := told.store(t, s, client, []byte("body")); err != nil && !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	onWriter(t, s, func() error { return nil })
	told.check(t, s)
	if err := told.store(t, s, client, []byte("body")); err != nil {
		t.Fatalf("after the fault: %v", err)
	}
}

func TestConcurrentWritersShareTransactions(t *testing.T) {
	var commits, operations atomic.Int32
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), CursorKey: cursorKey, OnCommit: func(n int, _ time.Duration) {
		commits.Add(1)
		operations.Add(int32(n))
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	client := storetest.Client(t, s, registry, 1)
	commits.Store(0)
	operations.Store(0)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for range 20 {
				if _, err := s.StoreDocument(t.Context(), storetest.NewDocument(registry, client, start, []byte("body"), "t1"), storetest.Row("document.store", start)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if operations.Load() != 640 {
		t.Errorf("%d operations were committed, want 640", operations.Load())
	}
	t.Logf("640 operations in %d commits", commits.Load())
	if commits.Load() > 320 {
		t.Errorf("640 operations of 32 writers took %d commits", commits.Load())
	}
}
