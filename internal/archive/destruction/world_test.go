// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package destruction_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/destruction"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

const registry = "1.2.246.10.99999991.19.0"

var (
	start     = time.Date(2000, 1, 1, 10, 0, 0, 0, time.UTC)
	cursorKey = bytes.Repeat([]byte{7}, 32)
)

func TestMain(m *testing.M) { os.Exit(pgcluster.Main(m)) }

// testing.TB and *rapid.T have these.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// world is a store with a clock, another connection to its data, and a second store beside it that destroys.
type world struct {
	store, beside *sqlstore.Store
	raw           *sql.DB
	clock         *clocktesting.FakeClock
	numbers       int // of clients registered
	dir           string
}

// engines make worlds.
var engines = map[string]func(t testing.TB) *world{
	"SQLite": func(t testing.TB) *world {
		t.Helper()
		dir := t.TempDir()
		s := must(sqlite.Open(t.Context(), sqlite.Options{Dir: dir, CursorKey: cursorKey}))(t)
		w := newWorld(t, s, must(sqlite.OpenFile(t.Context(), dir))(t), must(sqlite.OpenBeside(t.Context(), sqlite.Options{Dir: dir, CursorKey: cursorKey}))(t))
		w.dir = dir
		return w
	},
	"PostgreSQL": func(t testing.TB) *world {
		t.Helper()
		uri := pgcluster.Shared(t).Database(t)
		s := must(postgres.Open(t.Context(), postgres.Options{URI: uri, CursorKey: cursorKey}))(t)
		return newWorld(t, s, must(postgres.OpenDatabase(t.Context(), uri))(t), must(postgres.OpenBeside(t.Context(), postgres.Options{URI: uri, CursorKey: cursorKey}))(t))
	},
}

func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func newWorld(t testing.TB, s *sqlstore.Store, raw *sql.DB, beside *sqlstore.Store) *world {
	t.Helper()
	t.Cleanup(func() {
		for _, err := range []error{beside.Close(), raw.Close(), s.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	return &world{store: s, beside: beside, raw: raw, clock: clocktesting.NewFakeClock(start)}
}

func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// sql runs a statement on the other connection.
func (w *world) sql(t tester, query string, args ...any) {
	t.Helper()
	if _, err := w.raw.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// count gives the number of rows that a query selects.
func (w *world) count(t tester, query string, args ...any) (n int) {
	t.Helper()
	if err := w.raw.QueryRow(`SELECT count(*) FROM `+query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// tables are all that the tests look at, but for the registry.
var tables = append([]string{
	"clients", "client_codes", "client_keys", "matters", "matter_clients", "matter_events", "destructions", "access_log",
}, speaksOf...)

// wipe empties the world and puts its clock back.
func (w *world) wipe(t tester) {
	t.Helper()
	for _, table := range tables {
		w.sql(t, `DELETE FROM `+table)
	}
	w.clock.SetTime(start)
}

// client registers one, with days of birth and death, which may be empty.
func (w *world) client(t tester, born, died catalog.Day) uuid.UUID {
	t.Helper()
	w.numbers++
	id, created, err := w.store.RegisterClient(ctx, registry, storetest.Registration(storetest.Hash(w.numbers)), w.clock.Now(), storetest.Row("client.register", w.clock.Now()))
	if err != nil || !created {
		t.Fatalf("registering a client: %v, %v", created, err)
	}
	w.lives(t, id, born, died)
	return id
}

func (w *world) lives(t tester, id uuid.UUID, born, died catalog.Day) {
	t.Helper()
	w.sql(t, `UPDATE clients SET born_on = $1, died_on = $2 WHERE client_id = $3`, string(born), string(died), id[:])
}

// matter opens one now.
func (w *world) matter(t tester, id string, tasks []string, clients ...uuid.UUID) {
	t.Helper()
	raw, err := json.Marshal(tasks)
	if err != nil {
		t.Fatal(err)
	}
	var ids []byte
	for _, client := range clients {
		ids = append(ids, client[:]...)
		w.sql(t, `INSERT INTO matter_clients (client_id, registry_id, matter) VALUES ($1, 1, $2)`, client[:], id)
	}
	w.sql(t, `INSERT INTO matters (registry_id, matter, client_ids, service_tasks, opened_us, events) VALUES (1, $1, $2, $3, $4, 1)`,
		id, ids, string(raw), store.Micros(w.clock.Now()))
	w.sql(t, `INSERT INTO matter_events (registry_id, matter, event, kind, at_us, recorded_us, organization, unit, professional, role)
	  VALUES (1, $1, 1, 'Opened', 1, 1, 'o', '', 'p', 'r')`, id)
}

// closeMatter closes it now; reopen opens it again.
func (w *world) closeMatter(t tester, id string) {
	t.Helper()
	w.sql(t, `UPDATE matters SET closed_us = $1 WHERE matter = $2`, store.Micros(w.clock.Now()), id)
}

func (w *world) reopen(t tester, id string) {
	t.Helper()
	w.sql(t, `UPDATE matters SET closed_us = NULL WHERE matter = $1`, id)
}

// put stores a document now. Its matter is set beside the store, as one may be that was stored before matters were kept:
// it may be closed, of others, or unknown.
func (w *world) put(t tester, documentType, matter string, tasks []string, clients ...uuid.UUID) store.NewDocument {
	t.Helper()
	doc := storetest.NewDocument(registry, clients[0], w.clock.Now(), []byte("a body"), tasks...)
	doc.Type, doc.ClientIDs = documentType, clients
	if _, _, err := w.store.StoreDocument(ctx, doc, storetest.Row("document.store", w.clock.Now())); err != nil {
		t.Fatalf("storing: %v", err)
	}
	if matter != "" {
		w.putInto(t, &doc, matter)
	}
	return doc
}

// putInto has the document name a matter.
func (w *world) putInto(t tester, doc *store.NewDocument, matter string) {
	t.Helper()
	w.sql(t, `UPDATE document_versions SET matter = $1 WHERE document_id = $2`, matter, doc.ID[:])
	w.sql(t, `INSERT INTO document_matters (registry_id, matter, annulled, first_stored_us, document_id, client_id) VALUES (1, $1, 0, $2, $3, $4)`,
		matter, store.Micros(doc.Stored), doc.ID[:], doc.ClientIDs[0][:])
}

// run destroys what is due now.
func (w *world) run(t tester, change ...func(*destruction.Options)) destruction.Report {
	t.Helper()
	report, err := w.try(change...)
	if err != nil {
		t.Fatalf("a run: %v", err)
	}
	return report
}

func (w *world) try(change ...func(*destruction.Options)) (destruction.Report, error) {
	opts := destruction.Options{Store: w.beside, Catalog: catalog.StandIn(), Clock: w.clock, Batch: 3}
	for _, c := range change {
		c(&opts)
	}
	return destruction.Run(ctx, opts)
}

func (w *world) is(t tester, id uuid.UUID) bool {
	t.Helper()
	_, err := w.store.DocumentFacts(ctx, registry, id, 0)
	if err != nil && err.Error() != store.ErrNotFound.Error() {
		t.Fatal(err)
	}
	return err == nil
}

func dry(o *destruction.Options) { o.DryRun = true }

func (w *world) to(day string) {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	w.clock.SetTime(at.Add(10 * time.Hour))
}
