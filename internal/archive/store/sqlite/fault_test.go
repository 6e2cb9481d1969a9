// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// onWriter runs a function on the writing connection, between transactions.
func onWriter(t testing.TB, s *opened, fn func() error) {
	t.Helper()
	var err error
	s.write.beforeCommit = nil
	if err := s.Probe(t.Context(), start); err != nil { // once it is done, the writing goroutine rests
		t.Fatal(err)
	}
	if err = fn(); err != nil {
		t.Fatal(err)
	}
}

func setMaxPages(t testing.TB, s *opened, more int) {
	t.Helper()
	onWriter(t, s, func() error {
		var pages, limit int
		if err := s.write.conn.QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
			return err
		}
		return s.write.conn.QueryRowContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count(%d)", pages+more)).Scan(&limit)
	})
}

// acknowledged holds what callers were told against what is there, rows included.
type acknowledged struct {
	mu    sync.Mutex
	asked []asked
}

type asked struct {
	request  string
	document uuid.UUID
	version  int
	annulled bool
	ok       bool
}

func (a *acknowledged) note(one asked, err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	one.ok = err == nil
	a.asked = append(a.asked, one)
	return err
}

func (a *acknowledged) store(t testing.TB, s *opened, client uuid.UUID, body []byte) error {
	t.Helper()
	doc := storetest.NewDocument(registry, client, start, body, "t1", "t2")
	row := storetest.Row("document.store", start)
	_, _, err := s.StoreDocument(t.Context(), doc, row)
	return a.note(asked{row.RequestID, doc.ID, 1, false, false}, err)
}

func (a *acknowledged) version(t testing.TB, s *opened, of store.Facts, body []byte) error {
	t.Helper()
	row := storetest.Row("document.version", start)
	_, _, err := s.AddVersion(t.Context(), storetest.NewVersion(of, start, body, "t2", "t3"), row)
	return a.note(asked{row.RequestID, of.ID, of.Current + 1, false, false}, err)
}

func (a *acknowledged) annul(t testing.TB, s *opened, of store.Facts) error {
	t.Helper()
	row := storetest.Row("document.annul", start)
	_, _, err := s.Annul(t.Context(), storetest.NewAnnulment(of, start, "mistake"), row)
	return a.note(asked{row.RequestID, of.ID, of.Current, true, false}, err)
}

func (a *acknowledged) check(t testing.TB, s *opened) {
	t.Helper()
	rows := map[string]bool{}
	for _, row := range storetest.AllLog(t, s, store.LogQuery{}) {
		rows[row.RequestID] = true
	}
	for _, one := range a.asked {
		got, err := s.Document(t.Context(), registry, one.document, one.version, store.ContentJSON)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		there := err == nil && (!one.annulled || got.State == store.StateAnnulled)
		if there != one.ok || rows[one.request] != one.ok {
			t.Errorf("version %d, annulment %v: acknowledged %v, there %v, logged %v", one.version, one.annulled, one.ok, there, rows[one.request])
		}
		if one.annulled {
			continue
		}
		query := store.SearchQuery{Registry: registry, ClientID: a.client(t, s), ServiceTask: "t3", Limit: store.MaxPage}
		page, err := s.Search(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		found := slices.ContainsFunc(page.Items, func(f store.Facts) bool { return f.ID == one.document })
		if one.version == 2 && one.ok != found {
			t.Errorf("a version was acknowledged %v, and is found by its task %v", one.ok, found)
		}
	}
}

// client gives the one client of these tests.
func (*acknowledged) client(t testing.TB, s *opened) uuid.UUID {
	t.Helper()
	id, _, err := s.FindClient(t.Context(), registry, storetest.Hash(1))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestInvariant4_DiskFullAcknowledgesNothingAndMends(t *testing.T) {
	s := openNew(t)
	client := storetest.Client(t, s, registry, 1)
	told := &acknowledged{}
	if err := told.store(t, s, client, make([]byte, 10_000)); err != nil {
		t.Fatal(err)
	}
	kept := storetest.StoreNew(t, s, storetest.NewDocument(registry, client, start, []byte("x"), "t1"))
	setMaxPages(t, s, 20)
	var full error
	for range 50 {
		if full = told.store(t, s, client, make([]byte, 10_000)); full != nil {
			break
		}
	}
	if err := told.version(t, s, kept, make([]byte, 100_000)); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a version on a full disk: got %v, want ErrUnavailable", err)
	}
	if !errors.Is(full, store.ErrUnavailable) {
		t.Fatalf("on a full disk: got %v, want ErrUnavailable", full)
	}
	told.check(t, s)

	setMaxPages(t, s, 1_000_000)
	if err := told.store(t, s, client, make([]byte, 10_000)); err != nil {
		t.Fatalf("with space again: %v", err)
	}
	if err := told.version(t, s, kept, make([]byte, 100_000)); err != nil {
		t.Fatalf("the version, with space again: %v", err)
	}
	told.asked = slices.DeleteFunc(told.asked, func(one asked) bool { return one.version == 2 && !one.ok }) // it is there now
	told.check(t, s)
}

func TestInvariant4_DiskFullFailsTheLargeOneAlone(t *testing.T) {
	s := openNew(t)
	client := storetest.Client(t, s, registry, 1)
	told := &acknowledged{}
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
	told := &acknowledged{}
	var changed, annulled []store.Facts
	for range 10 {
		changed = append(changed, storetest.StoreNew(t, s, storetest.NewDocument(registry, client, start, []byte("x"), "t1")))
		annulled = append(annulled, storetest.StoreNew(t, s, storetest.NewDocument(registry, client, start, []byte("x"), "t1")))
	}
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
	for i := range 40 {
		wg.Go(func() {
			var err error
			switch i % 4 {
			case 0:
				err = told.version(t, s, changed[i/4], []byte("changed"))
			case 1:
				err = told.annul(t, s, annulled[i/4])
			default:
				err = told.store(t, s, client, []byte("body"))
			}
			if err != nil && !errors.Is(err, store.ErrUnavailable) {
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

// A withholding, its lifting and the destruction of a month of the log are each there with their rows, or not at all.
func TestAFailedCommitWithholdsAndDestroysNothing(t *testing.T) {
	s := openAt(t, t.TempDir())
	client := storetest.Client(t, s, registry, 1)
	for range 3 {
		row := storetest.Row("Read", start)
		row.Registry = registry
		if err := s.AppendLog(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	kept, _, err := s.Withhold(t.Context(), storetest.NewWithholding(registry, client, start), storetest.Row("WithholdLog", start))
	if err != nil {
		t.Fatal(err)
	}
	before := storetest.AllLog(t, s, store.LogQuery{})
	onWriter(t, s, func() error {
		s.write.beforeCommit = func() error { return store.Unavailable("committing", errors.New("injected")) }
		return nil
	})
	month := sqlstore.LogMonth{Registry: registry, From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	for name, write := range map[string]func() error{
		"withhold": func() error {
			_, _, err := s.Withhold(t.Context(), storetest.NewWithholding(registry, client, start.Add(time.Hour)), storetest.Row("WithholdLog", start))
			return err
		},
		"lift": func() error {
			_, err := s.LiftWithholding(t.Context(), registry, kept.ID, store.Lifting{At: start, Decision: "D/2", By: kept.By}, storetest.Row("LiftWithholding", start))
			return err
		},
		"destroy": func() error {
			_, _, err := s.DestroyLogMonth(t.Context(), month, 12, 10, start)
			return err
		},
	} {
		if err := write(); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	onWriter(t, s, func() error { s.write.beforeCommit = nil; return nil })
	if after := storetest.AllLog(t, s, store.LogQuery{}); len(after) != len(before) {
		t.Errorf("%d rows, %d before", len(after), len(before))
	}
	if all, err := s.Withholdings(t.Context(), registry, client); err != nil || len(all) != 1 || all[0].Lifting != nil {
		t.Errorf("withholdings %+v, %v", all, err)
	}
	if n, done, err := s.DestroyLogMonth(t.Context(), month, 12, 10, start); err != nil || n != 3 || !done {
		t.Errorf("after the fault: %d, %t, %v", n, done, err)
	}
}

// TestConcurrentWritersShareTransactions: what is asked for while a commit is under way goes into few commits after it.
func TestConcurrentWritersShareTransactions(t *testing.T) {
	var commits, operations atomic.Int32
	engine, write, err := openEngine(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlstore.New(engine, sqlstore.Options{CursorKey: cursorKey, OnCommit: func(n int, _ time.Duration) {
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
	const writers = 320
	var begun sync.WaitGroup
	begun.Add(writers)
	write.beforeCommit = sync.OnceValue(func() error { begun.Wait(); return nil }) // the first waits for the others
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			doc := storetest.NewDocument(registry, client, start, []byte("body"), "t1")
			begun.Done()
			if _, _, err := s.StoreDocument(t.Context(), doc, storetest.Row("document.store", start)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if operations.Load() != writers {
		t.Errorf("%d operations were committed, want %d", operations.Load(), writers)
	}
	t.Logf("%d operations in %d commits", writers, commits.Load())
	if commits.Load() > writers/2 {
		t.Errorf("%d operations at once took %d commits", writers, commits.Load())
	}
}

// The disk becomes full while rows are given their leaves: the batch that does not fit is there as nothing, and with
// space again the log goes on.
func TestADiskThatIsFullInABatchOfLeavesLeavesTheLogWhole(t *testing.T) {
	s := openNew(t)
	client := storetest.Client(t, s, registry, 1)
	rows := make([]store.LogRow, 1000)
	for i := range rows {
		rows[i] = storetest.Row("document.read", start)
		rows[i].Registry, rows[i].ClientID = registry, client
	}
	if err := s.AppendLog(t.Context(), rows...); err != nil {
		t.Fatal(err)
	}
	setMaxPages(t, s, 12)
	one := storetest.Sequencer(s, storetest.LogKey(t), start)
	if err := one.CatchUp(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("on a full disk: got %v, want ErrUnavailable", err)
	}
	state, err := s.LogState(t.Context())
	if err != nil || state.Size == 0 || state.Size%64 != 0 || state.Size > 900 {
		t.Fatalf("the log is at %+v (err=%v): some whole batches fit", state, err)
	}
	storetest.CheckLog(t, s, 1001, 1001-int(state.Size))
	setMaxPages(t, s, 1_000_000)
	if err := errors.Join(one.CatchUp(t.Context()), one.Checkpoint(t.Context())); err != nil {
		t.Fatal(err)
	}
	storetest.CheckLog(t, s, 1001, 0)
}
