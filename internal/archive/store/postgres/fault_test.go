// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/archive/store/storetest/crashtest"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

// TestInvariant4_KillOfTheServerLosesNothingAcknowledged kills the server without warning while many write, over
// and over, and goes on with the same store.
func TestInvariant4_KillOfTheServerLosesNothingAcknowledged(t *testing.T) {
	cluster := pgcluster.ForTest(t, pgcluster.Options{})
	s := openAt(t, cluster.Database(t))
	client := clientOf(t, s, 1)
	var all told
	for round := range 3 {
		w := all.write(t, s, client, 24, 20*time.Millisecond, store.ErrUnavailable)
		eventually(t, func() error { return reached(&w.stored, int32(200+50*round)) })
		if err := cluster.Kill(); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error { return reached(&w.refused, 10) })
		if err := s.Probe(t.Context(), start); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("probing a dead server: %v", err)
		}
		if _, _, err := s.FindClient(t.Context(), registry, store.IdentityHash{}); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("reading from a dead server: %v", err)
		}
		if err := cluster.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := w.stored.Load()
		eventually(t, func() error { return reached(&w.stored, before+50) }) // the same store works again
		w.stop()
		all.check(t, s)
	}
	t.Logf("%d documents acknowledged, %d not, over 3 kills", len(all.acknowledged), len(all.failed))
}

// TestInvariant4_KillLosesNothingAcknowledged kills the archive's process, and in some rounds the server before it, over
// and over on the same data, and looks for everything that was acknowledged, for its log row, and for that row in the
// log that a witness follows.
func TestInvariant4_KillLosesNothingAcknowledged(t *testing.T) {
	cluster := pgcluster.ForTest(t, pgcluster.Options{})
	rounds, err := crashtest.New(crashtest.Options{Place: cluster.Database(t), Open: openPlace, Server: cluster, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rounds.Close)
	for round := range 6 {
		if err := rounds.Round(t.Context(), 40+round*37, round%3 == 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := rounds.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	crashtest.Check(t, rounds)
}

func reached(n *atomic.Int32, want int32) error {
	if n.Load() < want {
		return errors.New("too few calls came through")
	}
	return nil
}

// TestAServerThatComesBackAtRestIsNotNoticed restarts the server while nothing is asked of it.
func TestAServerThatComesBackAtRestIsNotNoticed(t *testing.T) {
	cluster := pgcluster.ForTest(t, pgcluster.Options{})
	s := openAt(t, cluster.Database(t))
	client := clientOf(t, s, 1)
	if err := cluster.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(restTimeout + 100*time.Millisecond)
	for range 2 * defaultLanes {
		if err := put(t.Context(), s, document(client, []byte("x"), "t1")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ClientExists(t.Context(), registry, client); err != nil {
			t.Fatal(err)
		}
	}
}

// TestACallerLeavesABlockedWrite has another session hold a lock that the write needs.
func TestACallerLeavesABlockedWrite(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t)
	s := openAt(t, uri+patient)
	client := clientOf(t, s, 1)
	other, watcher := session(t, uri), session(t, uri)
	do(t, other, "BEGIN", "LOCK TABLE document_bodies IN ACCESS EXCLUSIVE MODE")
	doc := document(client, []byte("x"), "t1")
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { left <- put(ctx, s, doc) }()
	eventually(t, func() error { return waiting(t, watcher, 1) })
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the caller's own end", err)
	}
	if err := waiting(t, watcher, 1); err != nil {
		t.Errorf("the caller waited for the write: %v", err)
	}
	if err := s.Probe(t.Context(), start); err != nil { // another lane is free
		t.Errorf("another write meanwhile: %v", err)
	}
	do(t, other, "ROLLBACK")
	eventually(t, func() error { // it was not undone by the caller's leaving
		_, err := s.DocumentFacts(t.Context(), registry, doc.ID, 0)
		return err
	})
}

// TestALongWaitEndsOnTheServer asks for shorter bounds in the URI, which must win.
func TestALongWaitEndsOnTheServer(t *testing.T) {
	for name, bound := range map[string]string{"lock": "lock_timeout=1s", "statement": "statement_timeout=1s"} {
		t.Run(name, func(t *testing.T) {
			uri := pgcluster.Shared(t).Database(t)
			s := openAt(t, uri)
			client := clientOf(t, s, 1)
			other := session(t, uri)
			do(t, other, "BEGIN", "LOCK TABLE document_bodies IN ACCESS EXCLUSIVE MODE")
			doc := document(client, []byte("x"), "t1")
			if err := put(t.Context(), openAt(t, uri+"&"+bound), doc); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("got %v, want ErrUnavailable", err)
			}
			do(t, other, "ROLLBACK")
			if err := put(t.Context(), s, doc); err != nil {
				t.Errorf("without the lock: %v", err)
			}
		})
	}
}

// TestACommitThatWaitsForAStandby: a commit that somebody stops waiting for is not known to be safe, although the
// server says that it was done.
func TestACommitThatWaitsForAStandby(t *testing.T) {
	cluster := pgcluster.ForTest(t, pgcluster.Options{})
	uri := cluster.Database(t)
	s := openAt(t, uri)
	client := clientOf(t, s, 1)
	admin := session(t, uri)
	do(t, admin, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
	waits := func(want int) error {
		n := 0
		if err := admin.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").Scan(&n); err != nil {
			return err
		}
		if n != want {
			return fmt.Errorf("%d commits wait", n)
		}
		return nil
	}
	stopWaiting := func() {
		t.Helper()
		do(t, admin, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
		eventually(t, func() error { return waits(0) })
	}
	outcome := make(chan error, 1)
	eventually(t, func() error { // the server has read it
		go func() { outcome <- s.Probe(t.Context(), start) }()
		for waits(1) != nil {
			if len(outcome) > 0 {
				return fmt.Errorf("a commit does not wait for the standby: %w", errors.Join(errors.New("it is done"), <-outcome))
			}
		}
		return nil
	})
	stopWaiting()
	if err := <-outcome; !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a commit that is not on the standby: got %v, want ErrUnavailable", err)
	}

	ctx, leave := context.WithCancel(t.Context())
	go func() { outcome <- put(ctx, s, document(client, []byte("x"), "t1")) }()
	eventually(t, func() error { return waits(1) })
	leave()
	if err := <-outcome; !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for the standby: got %v, want the caller's own end", err)
	}
	stopWaiting()

	go func() { outcome <- put(t.Context(), s, document(client, []byte("x"), "t1")) }()
	eventually(t, func() error { return waits(1) })
	stopWaiting()
	if err := <-outcome; !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a commit that is not on the standby: got %v, want ErrUnavailable", err)
	}

	do(t, admin, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
	eventually(t, func() error { return put(t.Context(), s, document(client, []byte("x"), "t1")) })
}

func TestAReadOnlyServerIsUnavailable(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t)
	s := openAt(t, uri)
	client := clientOf(t, s, 1)
	admin := session(t, uri)
	database := admin.Config().Database
	do(t, admin, "ALTER DATABASE "+database+" SET default_transaction_read_only = on",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	for range 2 * defaultLanes {
		if err := put(t.Context(), s, document(client, []byte("x"), "t1")); !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("got %v, want ErrUnavailable", err)
		}
	}
	if err := s.Probe(t.Context(), start); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("probe: %v", err)
	}
	eventually(t, func() error { // reading goes on
		_, err := s.ClientExists(t.Context(), registry, client)
		return err
	})
	do(t, admin, "SET default_transaction_read_only = off", "ALTER DATABASE "+database+" RESET default_transaction_read_only")
	if err := put(t.Context(), s, document(client, []byte("x"), "t1")); err != nil {
		t.Errorf("writable again: %v", err)
	}
}

func TestTooManyConnectionsIsUnavailable(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t)
	plain, role := plainUser(t, uri)
	s := openAt(t, plain)
	client := clientOf(t, s, 1)
	admin := session(t, uri)
	do(t, admin, "ALTER ROLE "+role+" CONNECTION LIMIT 0",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+role+"'")
	for range 2 * defaultLanes {
		if err := put(t.Context(), s, document(client, []byte("x"), "t1")); !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("got %v, want ErrUnavailable", err)
		}
	}
	do(t, admin, "ALTER ROLE "+role+" CONNECTION LIMIT -1")
	if err := put(t.Context(), s, document(client, []byte("x"), "t1")); err != nil {
		t.Errorf("connections again: %v", err)
	}
}

// TestADiskThatIsFullInABatchOfLeavesLeavesTheLogWhole has the server say so in the middle of a batch.
func TestADiskThatIsFullInABatchOfLeavesLeavesTheLogWhole(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t)
	s := openAt(t, uri)
	client := clientOf(t, s, 1)
	rows := make([]store.LogRow, 299)
	for i := range rows {
		rows[i] = row("document.read")
		rows[i].Registry, rows[i].ClientID = registry, client
	}
	if err := s.AppendLog(t.Context(), rows...); err != nil {
		t.Fatal(err)
	}
	admin := session(t, uri)
	do(t, admin, `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF NEW.level = 0 AND length(NEW.hashes) > 100 * 32 THEN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END IF;
		RETURN NEW; END $$`,
		`CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON log_tiles FOR EACH ROW EXECUTE FUNCTION full_disk()`)
	one := storetest.Sequencer(s, storetest.LogKey(t), start)
	if err := one.CatchUp(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("on a full disk: got %v, want ErrUnavailable", err)
	}
	storetest.CheckLog(t, s, 300, 300-64)
	do(t, admin, `DROP TRIGGER full_disk ON log_tiles`)
	if err := errors.Join(one.CatchUp(t.Context()), one.Checkpoint(t.Context())); err != nil {
		t.Fatal(err)
	}
	storetest.CheckLog(t, s, 300, 0)
}
