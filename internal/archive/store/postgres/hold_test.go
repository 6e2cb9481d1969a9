// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/groupcommit"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

// numbersHeld gives lanes, a session beside them, and what holds the one number there is.
func numbersHeld(t *testing.T) (l *lanes, other *pgx.Conn, hold func(sqlstore.Tx) error) {
	t.Helper()
	uri := pgcluster.Shared(t).Database(t)
	other = session(t, uri)
	do(t, other, "CREATE TABLE numbers (n BIGINT PRIMARY KEY, changed BIGINT)", "INSERT INTO numbers VALUES (1, 0)")
	config, err := parse(uri + patient)
	if err != nil {
		t.Fatal(err)
	}
	l = newLanes(config.ConnConfig, 3)
	t.Cleanup(func() { _ = l.close() })
	return l, other, func(tx sqlstore.Tx) error {
		var n int
		_, err := tx.Hold("holding", "SELECT changed FROM numbers WHERE n = $1", []any{1}, &n)
		return err
	}
}

// waiting says whether so many wait for a lock of the database.
func waiting(t *testing.T, conn *pgx.Conn, want int) error {
	t.Helper()
	var n int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE NOT l.granted AND a.datname = current_database()`).Scan(&n); err != nil {
		return err
	}
	if n != want {
		return fmt.Errorf("%d wait", n)
	}
	return nil
}

func TestWhatIsHeldStaysAsItIs(t *testing.T) {
	l, other, hold := numbersHeld(t)
	one, two, late := begin(t, l), begin(t, l), begin(t, l)
	for _, tx := range []sqlstore.Tx{one, two, late} {
		defer tx.Rollback()
	}
	var n int
	if _, err := late.Get("asking", "SELECT n FROM numbers", nil, &n); err != nil { // it sees the number as it was
		t.Fatal(err)
	}
	if err := errors.Join(hold(one), hold(two)); err != nil { // neither waits for the other
		t.Fatal(err)
	}
	const change = "UPDATE numbers SET changed = 1"
	do(t, other, "SET lock_timeout = '50ms'")
	for _, tx := range []sqlstore.Tx{one, two} {
		if _, err := other.Exec(t.Context(), change); err == nil {
			t.Error("what is held was changed")
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	do(t, other, change)
	if err := hold(late); !errors.Is(err, groupcommit.ErrConflict) {
		t.Errorf("what was changed meanwhile: %v", err)
	}
}

// A claim waits for those before it, and those after it wait for the claim: it does not wait for ever.
func TestAClaimIsNotOvertaken(t *testing.T) {
	l, other, hold := numbersHeld(t)
	before, claiming, after := begin(t, l), begin(t, l), begin(t, l)
	defer before.Rollback()
	if err := hold(before); err != nil {
		t.Fatal(err)
	}
	claimed, held := make(chan error, 1), make(chan error, 1)
	go func() {
		defer claiming.Rollback()
		claimed <- errors.Join(claiming.Claim("claiming", "numbers"), claiming.Exec("changing", "UPDATE numbers SET changed = 1"), claiming.Commit())
	}()
	eventually(t, func() error { return waiting(t, other, 1) })
	go func() {
		defer after.Rollback()
		held <- hold(after)
	}()
	eventually(t, func() error { return waiting(t, other, 2) })
	if err := errors.Join(before.Commit(), <-claimed); err != nil {
		t.Error(err)
	}
	if err := <-held; err != nil && !errors.Is(err, groupcommit.ErrConflict) { // by when it first looked
		t.Error(err)
	}
}

// Two replicas: one closes a test registry in the middle of another's write.
func TestAClosedTestRegistryHasNoWriteUnderWay(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t)
	writing, closing := openAt(t, uri+patient), openAt(t, uri+patient)
	const oid = "2.25.4711"
	storetest.OpenTest(t, writing, oid)
	client, _, err := writing.RegisterClient(t.Context(), oid, storetest.Registration(store.IdentityHash{31: 1}), start, row("client.register"))
	if err != nil {
		t.Fatal(err)
	}
	newIn := func(client uuid.UUID) store.NewDocument {
		doc := document(client, []byte("x"), "t1")
		doc.Registry = oid
		return doc
	}
	other, watcher, doc := session(t, uri), session(t, uri), newIn(client)
	do(t, other, "BEGIN", "LOCK TABLE document_bodies IN ACCESS EXCLUSIVE MODE")
	written, closed := make(chan error, 1), make(chan error, 1)
	go func() { written <- put(t.Context(), writing, doc) }()
	eventually(t, func() error { return waiting(t, watcher, 1) })
	go func() { closed <- closing.CloseTestRegistry(t.Context(), oid, start) }()
	eventually(t, func() error {
		if len(closed) > 0 {
			t.Fatal("closed while a write is under way")
		}
		return waiting(t, watcher, 2)
	})
	do(t, other, "ROLLBACK")
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if _, err := closing.DocumentFacts(t.Context(), oid, doc.ID, 0); err != nil {
		t.Errorf("the write that was under way: %v", err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	if err := put(t.Context(), writing, newIn(client)); !errors.Is(err, store.ErrOver) {
		t.Errorf("a write after the closing: %v", err)
	}
}
