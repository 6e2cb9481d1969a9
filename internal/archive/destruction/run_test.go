// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package destruction_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/destruction"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

var ctx = context.Background()

// speaksOf are the tables that may speak of a document, but for those that outlive it.
var speaksOf = []string{
	"documents", "document_versions", "document_bodies", "document_signatures", "document_clients", "document_tasks",
	"document_matters", "relationship_documents", "relationship_versions",
}

// lifetime makes a family: a parent and a child with a matter in common, a document of each, and a relationship
// document of the parent.
func lifetime(t tester, w *world) (parent, child uuid.UUID, documents []uuid.UUID) {
	t.Helper()
	parent, child = w.client(t, "1970-01-01", ""), w.client(t, "1995-01-01", "")
	w.matter(t, "M-1", []string{"families"}, parent, child)
	w.matter(t, "M-2", []string{"older-people"}, parent)
	relationship := storetest.NewDocument(registry, parent, start, []byte("a relationship"), "families")
	relationship.Type = "client-relationship"
	relationship.Relationship = &store.Relationship{Unit: "1.2.246.10.99999993.10.1", Start: start, Procurement: "Outsourced"}
	relationship.Representations[0].Signature = &store.Signature{JWS: "a signature", Signer: "T-1", SignedAt: start}
	if _, _, err := w.store.StoreDocument(ctx, relationship, storetest.Row("a", start)); err != nil {
		t.Fatal(err)
	}
	settle(t, w, relationship.ID)
	for _, doc := range []store.NewDocument{
		w.put(t, "case-note", "M-1", []string{"families"}, parent, child), w.put(t, "case-note", "M-2", []string{"older-people"}, parent),
	} {
		documents = append(documents, doc.ID)
	}
	return parent, child, append(documents, relationship.ID)
}

func settle(t tester, w *world, id uuid.UUID) {
	t.Helper()
	err := w.store.SettleRelationship(ctx, store.Settlement{DocumentID: id, Version: 1, Agreement: store.AgreementReached, AgreedVersion: 1, ObjectUID: "u"})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEachGoesWhenItsTimeHasEnded(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		parent, child, documents := lifetime(t, w)
		wantThere := func(when string, want ...bool) {
			t.Helper()
			for i, id := range documents {
				if w.is(t, id) != want[i] {
					t.Errorf("%s: document %d is there: %v", when, i, !want[i])
				}
			}
		}
		w.to("2005-05-05")
		if report := w.run(t); report.Documents.Due != 0 || report.Clients.Due != 0 {
			t.Errorf("while all is open: %+v", report)
		}
		w.closeMatter(t, "M-1")
		w.closeMatter(t, "M-2")
		w.lives(t, parent, "1970-01-01", "2005-05-05")
		w.to("2007-05-05")
		w.run(t)
		wantThere("on the last day", true, true, true)
		w.to("2007-05-06")
		report := w.run(t)
		wantThere("two years after the death", true, true, false)
		if report.Documents != (destruction.Counts{Examined: 3, Due: 1, Destroyed: 1}) {
			t.Errorf("report %+v", report)
		}
		w.to("2015-05-06")
		w.run(t)
		wantThere("ten years after the closing", true, false, false)
		if there, err := w.store.ClientExists(ctx, registry, parent); err != nil || !there {
			t.Errorf("a client of whom there is a document: %v, %v", there, err)
		}
		w.to("2035-05-06")
		report = w.run(t)
		wantThere("thirty years after the closing", false, false, false)
		if report.Clients.Destroyed != 1 {
			t.Errorf("report %+v", report)
		}
		if n := w.count(t, "clients") + w.count(t, "client_codes") + w.count(t, "client_keys"); n != 3 {
			t.Errorf("%d rows of clients, and one client is left", n)
		}
		if n := w.count(t, "matters WHERE matter = 'M-2'") + w.count(t, "matter_events WHERE matter = 'M-2'"); n != 0 {
			t.Errorf("%d rows of a matter of nobody", n)
		}
		w.lives(t, child, "1995-01-01", "2040-01-01")
		w.to("2042-01-02")
		w.run(t)
		for _, table := range append([]string{"clients", "client_codes", "client_keys", "matters", "matter_clients", "matter_events"}, speaksOf...) {
			if n := w.count(t, table); n != 0 {
				t.Errorf("%d rows of %s are left", n, table)
			}
		}
		if n := w.count(t, "destructions"); n != 3+2+2 {
			t.Errorf("%d records of 3 documents, 2 matters and 2 clients", n)
		}
		if n := w.count(t, "access_log WHERE operation = 'Destroy'"); n != 3+1+2 {
			t.Errorf("%d rows of 5 destructions, one of them for two clients", n)
		}
	})
}

func TestADryRunDestroysNothingAndToldTheTruth(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		parent, child, _ := lifetime(t, w)
		w.closeMatter(t, "M-1")
		w.closeMatter(t, "M-2")
		for _, id := range []uuid.UUID{parent, child} {
			w.lives(t, id, "1970-01-01", "2001-01-01")
		}
		before := contents(t, w)
		later := w.run(t, dry, func(o *destruction.Options) { o.AsOf = "2050-01-01" })
		if _, err := w.try(func(o *destruction.Options) { o.AsOf = "2050-01-01" }); err == nil {
			t.Error("destroyed by another day than today")
		}
		if after := contents(t, w); !reflect.DeepEqual(before, after) {
			t.Errorf("a dry run left %v, not %v", after, before)
		}
		w.to("2050-01-01")
		now := w.run(t, dry)
		done := w.run(t)
		if now.Documents.Due != 3 || now.Clients.Due != 2 || now.Documents.Destroyed != 0 {
			t.Errorf("a dry run tells %+v", now)
		}
		done.Run, done.DryRun, done.Documents.Destroyed, done.Clients.Destroyed = "", true, 0, 0
		if !reflect.DeepEqual(now, later) || !reflect.DeepEqual(now, done) {
			t.Errorf("told %+v, later %+v, did %+v", now, later, done)
		}
		raw, err := json.Marshal(now)
		if err != nil || strings.Contains(string(raw), parent.String()) || strings.Contains(string(raw), "M-1") {
			t.Errorf("a report tells of persons: %s, %v", raw, err)
		}
	})
}

// contents gives the number of rows of every table.
func contents(t tester, w *world) map[string]int {
	t.Helper()
	rows := map[string]int{}
	for _, table := range tables {
		rows[table] = w.count(t, table)
	}
	return rows
}

func TestALimitStopsAndTheNextRunGoesOn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		client := w.client(t, "1970-01-01", "2000-01-01")
		for range 7 {
			w.put(t, "voucher", "", []string{"families"}, client)
		}
		w.to("2010-01-01")
		destroyed := 0
		for round, want := range []struct {
			destroyed int
			stopped   bool
		}{{3, true}, {3, true}, {2, false}, {0, false}} {
			report := w.run(t, func(o *destruction.Options) { o.Limit = 3 })
			if destroyed = report.Documents.Destroyed + report.Clients.Destroyed; destroyed != want.destroyed || report.Stopped != want.stopped {
				t.Errorf("round %d: %+v", round, report)
			}
		}
	})
}

func TestWhatHasNoRuleIsNeverDestroyed(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		client := w.client(t, "1900-01-01", "2000-01-01")
		w.matter(t, "M-1", []string{"a-task-of-no-catalog"}, client)
		w.closeMatter(t, "M-1")
		doc := w.put(t, "case-note", "M-1", []string{"a-task-of-no-catalog"}, client)
		w.to("2900-01-01")
		report := w.run(t)
		if !w.is(t, doc.ID) || report.Documents.Due+report.Clients.Due != 0 {
			t.Errorf("report %+v", report)
		}
		if report.Kept[0] != (destruction.KeptGroup{Kind: store.KindDocument, WaitsFor: "rule", Count: 1}) {
			t.Errorf("report %+v", report)
		}
	})
}

// TestARelationshipThatMayStandKeepsItsDocument: an end that is in the document alone holds as long as it is there.
func TestARelationshipThatMayStandKeepsItsDocument(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		client := w.client(t, "1970-01-01", "2000-01-01")
		doc := storetest.NewDocument(registry, client, start, []byte("a relationship"), "families")
		doc.Type, doc.Relationship = "client-relationship", &store.Relationship{Unit: "1.2.246.10.99999993.10.1", Start: start, Procurement: "Outsourced"}
		if _, _, err := w.store.StoreDocument(ctx, doc, storetest.Row("a", start)); err != nil {
			t.Fatal(err)
		}
		w.to("2010-01-01")
		if w.run(t); !w.is(t, doc.ID) {
			t.Fatal("destroyed while it was not settled")
		}
		settle(t, w, doc.ID)
		if w.run(t); w.is(t, doc.ID) {
			t.Error("kept for good")
		}
	})
}

// TestWhatChangesAfterItWasReadIsKept opens a matter again between the reading and the destruction.
func TestWhatChangesAfterItWasReadIsKept(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		client := w.client(t, "1970-01-01", "2001-01-01")
		w.matter(t, "M-1", []string{"older-people"}, client)
		w.closeMatter(t, "M-1")
		doc := w.put(t, "case-note", "M-1", []string{"older-people"}, client)
		w.to("2020-01-01")
		report := w.run(t, func(o *destruction.Options) {
			o.Progress = func(r *destruction.Report) {
				if r.Documents.Due == 1 && r.Clients.Examined == 0 {
					w.reopen(t, "M-1")
				}
			}
		})
		if !w.is(t, doc.ID) || report.Documents.Due != 1 || report.Documents.Destroyed != 0 {
			t.Errorf("report %+v", report)
		}
	})
}

// TestACrashAtEveryWrite lets each write of a destruction fail in turn, in the database itself: then all is there as
// it was, without a record and without a row; and a run without faults finishes.
func TestACrashAtEveryWrite(t *testing.T) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			dead, lives := w.client(t, "1970-01-01", "2001-01-01"), w.client(t, "1970-01-01", "")
			w.matter(t, "M-1", []string{"families"}, dead, lives)
			w.matter(t, "M-2", []string{"older-people"}, dead)
			w.closeMatter(t, "M-1")
			w.closeMatter(t, "M-2")
			doc := storetest.NewDocument(registry, dead, start, []byte("a relationship"), "families")
			doc.Type = "client-relationship"
			doc.Relationship = &store.Relationship{Unit: "1.2.246.10.99999993.10.1", Start: start, Procurement: "Outsourced"}
			doc.Representations[0].Signature = &store.Signature{JWS: "a signature", Signer: "T-1", SignedAt: start}
			if _, _, err := w.store.StoreDocument(ctx, doc, storetest.Row("a", start)); err != nil {
				t.Fatal(err)
			}
			w.putInto(t, &doc, "M-1")
			settle(t, w, doc.ID)
			w.to("2050-01-01")
			fails := func(table, verb string) {
				t.Helper()
				drop := breakWrites(t, w, name, table, verb)
				before := contents(t, w)
				if _, err := w.try(); err == nil {
					t.Errorf("%s of %s: no error", verb, table)
				}
				if after := contents(t, w); !reflect.DeepEqual(before, after) {
					t.Errorf("%s of %s: %v before, %v after", verb, table, before, after)
				}
				drop()
			}
			for _, table := range speaksOf {
				fails(table, "DELETE")
			}
			fails("access_log", "INSERT")
			fails("destructions", "INSERT")
			w.run(t, func(o *destruction.Options) { o.Limit = 1 })
			for _, write := range [][2]string{
				{"client_codes", "DELETE"}, {"client_keys", "DELETE"}, {"clients", "DELETE"}, {"matters", "UPDATE"}, {"matters", "DELETE"},
				{"matter_events", "DELETE"}, {"matter_clients", "DELETE"}, {"access_log", "INSERT"}, {"destructions", "INSERT"},
			} {
				fails(write[0], write[1])
			}
			w.run(t)
			rows := contents(t, w)
			for _, table := range speaksOf {
				if rows[table] != 0 {
					t.Errorf("%d rows of %s are left", rows[table], table)
				}
			}
			for table, want := range map[string]int{"clients": 1, "client_codes": 1, "client_keys": 1, "matters": 1, "matter_clients": 1, "matter_events": 1, "destructions": 3} {
				if rows[table] != want {
					t.Errorf("%d rows of %s, want %d", rows[table], table, want)
				}
			}
			if w.count(t, `matters WHERE matter = 'M-1' AND client_ids = $1`, lives[:]) != 1 {
				t.Error("the shared matter is not the other client's alone")
			}
		})
	}
}

// breakWrites makes writes to a table fail until drop.
func breakWrites(t tester, w *world, engine, table, verb string) (drop func()) {
	t.Helper()
	if engine == "SQLite" {
		w.sql(t, fmt.Sprintf(`CREATE TRIGGER broken BEFORE %s ON %s BEGIN SELECT RAISE(ABORT, 'broken'); END`, verb, table))
		return func() { w.sql(t, `DROP TRIGGER broken`) }
	}
	w.sql(t, `CREATE OR REPLACE FUNCTION fail() RETURNS trigger AS 'BEGIN RAISE EXCEPTION ''broken''; END' LANGUAGE plpgsql`)
	w.sql(t, fmt.Sprintf(`CREATE TRIGGER broken BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION fail()`, verb, table))
	return func() { w.sql(t, `DROP TRIGGER broken ON `+table) }
}

// TestAServerKeepsStoringMeanwhile runs a destruction beside a store that serves: it goes on from each fifth document
// once others have been stored since.
func TestAServerKeepsStoringMeanwhile(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		client, other := w.client(t, "1970-01-01", "2000-01-01"), w.client(t, "1970-01-01", "")
		const documents, writers = 100, 4
		for range documents {
			w.put(t, "voucher", "", []string{"families"}, client)
		}
		w.to("2010-01-01")
		stop := make(chan struct{})
		stored := make(chan uuid.UUID, 1_000_000) // nobody waits for it to be emptied
		var running sync.WaitGroup
		for range writers {
			running.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(2 * time.Millisecond):
					}
					doc := storetest.NewDocument(registry, other, start, make([]byte, 5000), "families")
					if _, _, err := w.store.StoreDocument(ctx, doc, storetest.Row("document.store", start)); err != nil {
						t.Errorf("storing meanwhile: %v", err)
						return
					}
					stored <- doc.ID
				}
			})
		}
		waited := 0
		report, err := w.try(func(o *destruction.Options) {
			o.Progress = func(r *destruction.Report) {
				if r.Documents.Due/5 == waited {
					return
				}
				waited++
				enough, deadline := len(stored)+writers, time.Now().Add(time.Minute)
				for len(stored) < enough && !t.Failed() {
					if time.Now().After(deadline) {
						t.Errorf("%d documents were stored, and then none for long", len(stored))
					}
					time.Sleep(time.Millisecond)
				}
			}
		})
		close(stop)
		running.Wait()
		close(stored)
		if err != nil || report.Documents.Destroyed != documents || waited != documents/5 {
			t.Errorf("%+v, %v, with %d waits for the writers", report.Documents, err, waited)
		}
		for id := range stored {
			if !w.is(t, id) {
				t.Error("an acknowledged document is gone")
			}
		}
	})
}

func TestTwoRunsAtOnceDestroyOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		client := w.client(t, "1970-01-01", "2000-01-01")
		for range 60 {
			w.put(t, "voucher", "", []string{"families"}, client)
		}
		w.to("2010-01-01")
		var both sync.WaitGroup
		var reports [2]destruction.Report
		var errs [2]error
		for i, s := range []destruction.Store{w.store, w.beside} {
			both.Go(func() { reports[i], errs[i] = w.try(func(o *destruction.Options) { o.Store = s }) })
		}
		both.Wait()
		if err := errors.Join(errs[:]...); err != nil {
			t.Fatal(err)
		}
		if n := reports[0].Documents.Destroyed + reports[1].Documents.Destroyed; n != 60 || w.count(t, "access_log WHERE operation = 'Destroy'") != 61 {
			t.Errorf("%d of 60 destroyed, %d rows", n, w.count(t, "access_log WHERE operation = 'Destroy'"))
		}
		if n := reports[0].Clients.Destroyed + reports[1].Clients.Destroyed; n != 1 {
			t.Errorf("the client was destroyed %d times", n)
		}
	})
}

// TestACancelledRunIsGoneOnWith stops a run in the midst.
func TestACancelledRunIsGoneOnWith(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		client := w.client(t, "1970-01-01", "2000-01-01")
		for range 10 {
			w.put(t, "voucher", "", []string{"families"}, client)
		}
		w.to("2010-01-01")
		cut, cancel := context.WithCancel(ctx)
		report, err := destruction.Run(cut, destruction.Options{
			Store: w.beside, Catalog: catalog.StandIn(), Clock: w.clock, Progress: func(r *destruction.Report) {
				if r.Documents.Destroyed == 4 {
					cancel()
				}
			},
		})
		if !errors.Is(err, context.Canceled) || report.Documents.Destroyed != 4 || w.count(t, "documents") != 6 {
			t.Errorf("%+v, %v", report, err)
		}
		w.run(t)
		if w.count(t, "documents")+w.count(t, "clients") != 0 {
			t.Error("something is left")
		}
	})
}

// TestDeletedBytesLeaveTheFiles looks for what was destroyed in the bytes of SQLite's files, while a store serves.
func TestDeletedBytesLeaveTheFiles(t *testing.T) {
	w := engines["SQLite"](t)
	client := w.client(t, "1970-01-01", "2000-01-01")
	other := w.client(t, "1970-01-01", "")
	w.matter(t, "MARKED-MATTER", []string{"older-people"}, client)
	w.closeMatter(t, "MARKED-MATTER")
	w.sql(t, `UPDATE client_codes SET sealed = $1 WHERE client_id = $2`, []byte("MARKED-SEALED-CODE"), client[:])
	w.sql(t, `UPDATE client_keys SET wrapped = $1 WHERE client_id = $2`, []byte("MARKED-WRAPPED-KEY"), client[:])
	for i, size := range []int{20, 3000, 100_000} {
		body := bytes.Repeat(fmt.Appendf(nil, "MARKED-BODY-%d ", i), size/10+1)
		doc := storetest.NewDocument(registry, client, start, body, "older-people")
		doc.Representations[0].Signature = &store.Signature{JWS: "MARKED-SIGNATURE" + strings.Repeat("x", 1500), Signer: "MARKED-SIGNER", SignedAt: start}
		facts, _, err := w.store.StoreDocument(ctx, doc, storetest.Row("a", start))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.store.AddVersion(ctx, storetest.NewVersion(facts, start, append([]byte("MARKED-VERSION "), body...), "older-people"), storetest.Row("a", start)); err != nil {
			t.Fatal(err)
		}
		w.putInto(t, &doc, "MARKED-MATTER")
		// Neighbors keep the pages in use.
		w.put(t, "case-note", "", []string{"older-people"}, other)
	}
	if n := marks(t, w.dir); n == 0 {
		t.Fatal("nothing was marked")
	}
	w.to("2020-01-01")
	if report := w.run(t); report.Documents.Destroyed != 3 || report.Clients.Destroyed != 1 {
		t.Fatalf("report %+v", report)
	}
	// The record of the matter's destruction, kept on purpose, names the matter.
	w.sql(t, `DELETE FROM destructions WHERE kind = 'matter'`)
	if err := w.beside.Scrub(ctx, false); err != nil {
		t.Fatal(err)
	}
	if n := marks(t, w.dir); n != 0 {
		t.Errorf("%d marks are left", n)
	}
	if _, err := sqlite.OpenBeside(ctx, sqlite.Options{Dir: t.TempDir(), CursorKey: cursorKey}); err == nil {
		t.Error("opened what is not there")
	}
	if files, _ := filepath.Glob(filepath.Join(w.dir, "*")); len(files) < 2 {
		t.Errorf("looked at %v", files)
	}
}

// TestARewriteLeavesNoStrayPiece: pages that were split before hold pieces of what was in them, a few in thousands.
func TestARewriteLeavesNoStrayPiece(t *testing.T) {
	w := engines["SQLite"](t)
	client, other := w.client(t, "1970-01-01", "2000-01-01"), w.client(t, "1970-01-01", "")
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		mark, who, kind := "MARKED-BODY", client, "voucher"
		if i%3 == 0 {
			mark, who, kind = "another body", other, "case-note"
		}
		doc := storetest.NewDocument(registry, who, start, []byte(strings.Repeat(mark+" ", 1+random.IntN(100))), "families")
		if doc.Type = kind; who == client {
			doc.Author.Professional = "MARKED-PROFESSIONAL"
		}
		if _, _, err := w.store.StoreDocument(ctx, doc, storetest.Row("a", start)); err != nil {
			t.Fatal(err)
		}
	}
	w.to("2010-01-01")
	report := w.run(t, func(o *destruction.Options) { o.Rewrite = true })
	if n := marks(t, w.dir); report.Documents.Destroyed != 200 || n != 0 {
		t.Errorf("%d marks are left: %+v", n, report)
	}
	w.put(t, "case-note", "", []string{"families"}, other) // the store that serves works on
	if n := w.count(t, "documents"); n != 101 {
		t.Errorf("%d documents", n)
	}
}

// marks counts what is marked in the files of a directory.
func marks(t testing.TB, dir string) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n += bytes.Count(raw, []byte("MARKED"))
	}
	return n
}

// TestADestructionWaitsForALock: a transaction of another process delays a run and does not fail it.
func TestADestructionWaitsForALock(t *testing.T) {
	w := engines["SQLite"](t)
	client := w.client(t, "1970-01-01", "2000-01-01")
	w.put(t, "voucher", "", []string{"families"}, client)
	w.to("2010-01-01")
	w.sql(t, `BEGIN IMMEDIATE`)
	released := time.AfterFunc(300*time.Millisecond, func() { _, _ = w.raw.Exec(`ROLLBACK`) })
	defer released.Stop()
	if report := w.run(t); report.Documents.Destroyed != 1 {
		t.Errorf("report %+v", report)
	}
}
