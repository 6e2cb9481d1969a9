// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/groupcommit"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

// flights counts the exchanges with the server.
type flights struct{ batches, queries, prepares atomic.Int32 }

func (f *flights) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	f.batches.Add(1)
	return ctx
}
func (f *flights) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (f *flights) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}
func (f *flights) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	f.queries.Add(1)
	return ctx
}
func (f *flights) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (f *flights) TracePrepareStart(ctx context.Context, _ *pgx.Conn, _ pgx.TracePrepareStartData) context.Context {
	f.prepares.Add(1)
	return ctx
}
func (f *flights) TracePrepareEnd(context.Context, *pgx.Conn, pgx.TracePrepareEndData) {}

// exchanges gives how many there were since the last call.
func (f *flights) exchanges() int32 {
	return f.batches.Swap(0) + f.queries.Swap(0) + f.prepares.Swap(0)
}

// TestAWriteIsTwoRoundTrips: one for what the operation must know, one for what it writes and the commit.
func TestAWriteIsTwoRoundTrips(t *testing.T) {
	var seen flights
	s, err := open(t.Context(), Options{URI: pgcluster.Shared(t).Database(t), CursorKey: cursorKey, Lanes: 1}, &seen, migrate)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	client := clientOf(t, s, 1)
	first := document(client, []byte("1"), "t1", "t2")
	next := store.NewVersion{Registry: registry, ID: first.ID, Expected: 1, Content: content([]byte("2"), "t1")}
	steps := []struct {
		name string
		most int32
		do   func() error
	}{
		{"storing", 2, func() error { return put(t.Context(), s, document(client, []byte("x"), "t1", "t2")) }},
		{"storing with other tasks", 2, func() error { return put(t.Context(), s, document(client, []byte("x"), "t1")) }},
		{"logging", 1, func() error { return s.AppendLog(t.Context(), row("document.read"), row("document.read")) }},
		{"probing", 1, func() error { return s.Probe(t.Context(), start) }},
		{"registering again", 3, func() error { clientOf(t, s, 1); return nil }},
		{"adding a version", 3, func() error { // it also asks what kind of document it is
			_, _, err := s.AddVersion(t.Context(), next, row("document.version", next.ID))
			next.Expected++
			next.Representations[0].Body = append(next.Representations[0].Body, 'x')
			return err
		}},
		{"reading", 1, func() error {
			_, err := s.Document(t.Context(), registry, first.ID, 0, store.ContentJSON)
			return err
		}},
	}
	if err := put(t.Context(), s, first); err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		if err := step.do(); err != nil { // prepares the statements
			t.Fatalf("%s: %v", step.name, err)
		}
		seen.exchanges()
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := seen.exchanges(); got > step.most {
			t.Errorf("%s took %d round trips, want %d", step.name, got, step.most)
		}
	}
}

// TestManyWritesShareACommit: n operations in one transaction are n+1 round trips.
func TestManyWritesShareACommit(t *testing.T) {
	var seen flights
	var commits, operations atomic.Int32
	uri := pgcluster.Shared(t).Database(t)
	s, err := open(t.Context(), Options{URI: uri + patient, CursorKey: cursorKey, Lanes: 1, OnCommit: func(n int, took time.Duration) {
		commits.Add(1)
		operations.Add(int32(n))
		if took <= 0 {
			t.Errorf("a commit took %v", took)
		}
	}}, &seen, migrate)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	client := clientOf(t, s, 1)
	if err := put(t.Context(), s, document(client, []byte("x"), "t1")); err != nil {
		t.Fatal(err)
	}
	seen.exchanges()
	commits.Store(0)
	operations.Store(0)
	other := session(t, uri)
	do(t, other, "BEGIN", "LOCK TABLE document_bodies IN ACCESS EXCLUSIVE MODE") // the first waits for the others
	var begun, wg sync.WaitGroup
	begun.Add(320)
	for range 320 {
		wg.Go(func() {
			doc := document(client, []byte("x"), "t1")
			begun.Done()
			if err := put(t.Context(), s, doc); err != nil {
				t.Error(err)
			}
		})
	}
	begun.Wait()
	do(t, other, "ROLLBACK")
	wg.Wait()
	if got := seen.exchanges(); operations.Load() != 320 || got > 320+commits.Load() {
		t.Errorf("%d operations in %d commits took %d round trips", operations.Load(), commits.Load(), got)
	}
	if commits.Load() > 100 {
		t.Errorf("320 operations at once took %d commits", commits.Load())
	}
}

func oneLane(t *testing.T) (*lanes, string) {
	t.Helper()
	uri := pgcluster.Shared(t).Database(t)
	do(t, session(t, uri), "CREATE TABLE numbers (n BIGINT PRIMARY KEY)")
	config, err := parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	l := newLanes(config.ConnConfig, 1)
	t.Cleanup(func() { _ = l.close() })
	return l, uri
}

func begin(t *testing.T, l *lanes) sqlstore.Tx {
	t.Helper()
	tx, err := l.begin()
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func count(t *testing.T, uri string) (n int) {
	t.Helper()
	if err := session(t, uri).QueryRow(t.Context(), "SELECT count(*) FROM numbers").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

const insertNumber = "INSERT INTO numbers (n) VALUES ($1)"

func insert(t *testing.T, tx sqlstore.Tx, n int) {
	t.Helper()
	if err := tx.Exec("inserting", insertNumber, n); err != nil {
		t.Fatal(err)
	}
}

func TestATransactionSeesItsOwnWrites(t *testing.T) {
	l, uri := oneLane(t)
	tx := begin(t, l)
	insert(t, tx, 7)
	var n int
	if found, err := tx.Get("asking", "SELECT n FROM numbers", nil, &n); err != nil || !found || n != 7 {
		t.Errorf("%d, %v, %v", n, found, err)
	}
	if found, err := tx.Get("asking", "SELECT n FROM numbers WHERE n = $1", []any{8}, &n); err != nil || found {
		t.Errorf("%v, %v", found, err)
	}
	if got := count(t, uri); got != 0 {
		t.Error("others see it before the commit")
	}
	if err := tx.Commit(); err != nil || count(t, uri) != 1 {
		t.Error(err)
	}
	tx.Rollback() // harmless after a commit
	next := begin(t, l)
	next.Rollback()
}

func TestOnlyWhatHasNotWrittenIsUndoneAlone(t *testing.T) {
	l, uri := oneLane(t)
	tx := begin(t, l)
	if err := errors.Join(tx.Savepoint(), tx.Exec("inserting", insertNumber, 1), tx.Release(), tx.Savepoint()); err != nil {
		t.Fatal(err)
	}
	var n int
	if _, err := tx.Get("asking", "SELECT n FROM numbers", nil, &n); err != nil {
		t.Fatal(err)
	}
	if err := tx.RollbackTo(); err != nil {
		t.Errorf("an operation that has only read: %v", err)
	}
	if err := errors.Join(tx.Savepoint(), tx.Exec("inserting", insertNumber, 2)); err != nil {
		t.Fatal(err)
	}
	if err := tx.RollbackTo(); err == nil {
		t.Error("an operation that has written was undone alone")
	}
	if err := tx.Commit(); err == nil {
		t.Error("a lost transaction was committed")
	}
	tx.Rollback()
	if got := count(t, uri); got != 0 {
		t.Errorf("%d rows are left", got)
	}
}

func TestAFailureAnywhereLosesTheTransaction(t *testing.T) {
	l, uri := oneLane(t)
	for name, fail := range map[string]func(sqlstore.Tx) error{
		"in the commit": func(tx sqlstore.Tx) error { insert(t, tx, 1); return tx.Commit() },
		"in a question": func(tx sqlstore.Tx) error {
			insert(t, tx, 1)
			var n int
			found, err := tx.Get("asking", "SELECT n FROM numbers", nil, &n)
			if found {
				t.Error("an answer after a failure")
			}
			return err
		},
	} {
		tx := begin(t, l)
		insert(t, tx, 1) // the key is then taken
		if err := fail(tx); !errors.Is(err, groupcommit.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
		if tx.Commit() == nil || tx.Exec("inserting", insertNumber, 2) == nil || tx.Savepoint() == nil {
			t.Errorf("%s: the transaction goes on", name)
		}
		tx.Rollback()
		if got := count(t, uri); got != 0 {
			t.Errorf("%s: %d rows", name, got)
		}
	}
	tx := begin(t, l) // the lane is usable
	insert(t, tx, 1)
	if err := tx.Commit(); err != nil || count(t, uri) != 1 {
		t.Error(err)
	}
}

func TestOfTwoThatChangeOneRowTheLaterLoses(t *testing.T) {
	l, uri := oneLane(t)
	other := session(t, uri)
	do(t, other, "INSERT INTO numbers VALUES (1)")
	tx := begin(t, l)
	defer tx.Rollback()
	var n int
	if _, err := tx.Get("asking", "SELECT n FROM numbers", nil, &n); err != nil {
		t.Fatal(err)
	}
	do(t, other, "UPDATE numbers SET n = 2")
	if err := tx.Exec("changing", "UPDATE numbers SET n = 3 WHERE n = 1"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); !errors.Is(err, groupcommit.ErrConflict) {
		t.Errorf("got %v", err)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	config, err := parse(pgcluster.Shared(t).Database(t))
	if err != nil {
		t.Fatal(err)
	}
	readers, closePool, err := openReaders(config, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer closePool()
	if _, err := readers.ExecContext(t.Context(), "CREATE TABLE t (n BIGINT)"); err == nil {
		t.Error("a reading connection could write")
	}
	for name, want := range map[string]string{"transaction_isolation": "repeatable read", "synchronous_commit": "on", "statement_timeout": "20s"} {
		var got string
		if err := readers.QueryRowContext(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, want %q (%v)", name, got, want, err)
		}
	}
}

// TestAClosedStoreIsQuiet: closing twice, and with a lane that is broken.
func TestAClosedStoreIsQuiet(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t)
	s := openAt(t, uri)
	clientOf(t, s, 1)
	do(t, session(t, uri), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	}
	if err := put(t.Context(), s, document(uuid.New(), []byte("x"), "t1")); !errors.Is(err, store.ErrClosed) {
		t.Errorf("writing: %v", err)
	}
	if _, err := s.ClientExists(t.Context(), registry, uuid.New()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("reading: %v", err)
	}
}
