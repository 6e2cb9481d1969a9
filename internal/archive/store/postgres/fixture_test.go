// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/archive/store/storetest/crashtest"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

const registry = "1.2.246.10.99999991.19.0"

var (
	start     = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	cursorKey = []byte("a key for tests only, 32 bytes!!")
)

func TestMain(m *testing.M) {
	crashtest.BeWriter(openPlace)
	os.Exit(pgcluster.Main(m))
}

func openPlace(ctx context.Context, uri string) (crashtest.Storage, error) {
	s, err := Open(ctx, Options{URI: uri, CursorKey: cursorKey})
	return crashtest.Storage{Store: s}, err
}

func openAt(t testing.TB, uri string) *sqlstore.Store {
	t.Helper()
	s, err := Open(t.Context(), Options{URI: uri, CursorKey: cursorKey})
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openNew(t testing.TB) *sqlstore.Store {
	t.Helper()
	return openAt(t, pgcluster.Shared(t).Database(t))
}

func row(operation string, documents ...uuid.UUID) store.LogRow {
	return store.LogRow{
		Time: start, Operation: operation, Outcome: store.OutcomeAllowed, RequestID: uuid.NewString(),
		DocumentIDs: documents, DocumentCount: len(documents),
	}
}

func content(body []byte, tasks ...string) store.Content {
	return store.Content{
		ServiceTasks: tasks,
		Author:       store.Author{Organization: "1.2.246.10.99999993", Unit: "1.2.246.10.99999993.10.1", Professional: "T-1"},
		Created:      start.Add(-time.Hour), Stored: start,
		Representations: []store.Representation{{ContentType: store.ContentJSON, Body: body}},
		ViewRevision:    "42",
	}
}

func document(client uuid.UUID, body []byte, tasks ...string) store.NewDocument {
	return store.NewDocument{
		ID: uuid.New(), Registry: registry, ClientIDs: []uuid.UUID{client}, Type: "case-note",
		Content: content(body, tasks...),
	}
}

func put(ctx context.Context, s store.Store, doc store.NewDocument) error {
	_, _, err := s.StoreDocument(ctx, doc, row("document.store", doc.ID))
	return err
}

func clientOf(t testing.TB, s store.Store, n byte) uuid.UUID {
	t.Helper()
	id, _, err := s.RegisterClient(t.Context(), registry, storetest.Registration(store.IdentityHash{0: n, 31: 0xA5}), start, row("client.register"))
	if err != nil {
		t.Fatalf("registering a client: %v", err)
	}
	return id
}

// logged gives how often each document is in the log.
func logged(t testing.TB, s store.Store) map[uuid.UUID]int {
	t.Helper()
	times := map[uuid.UUID]int{}
	query := store.LogQuery{Limit: store.MaxPage}
	for {
		page, err := s.Log(t.Context(), query)
		if err != nil {
			t.Fatalf("reading the log: %v", err)
		}
		for i := range page.Rows {
			for _, id := range page.Rows[i].DocumentIDs {
				times[id]++
			}
		}
		if page.Next == nil {
			return times
		}
		query.After = page.Next
	}
}

// session is another session in the database.
func session(t testing.TB, uri string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func do(t testing.TB, conn *pgx.Conn, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// plainUser gives the URI with a user that owns the database and may nothing else, and that user's name.
func plainUser(t testing.TB, uri string) (plain, role string) {
	t.Helper()
	admin := session(t, uri)
	role, password := "plain_"+admin.Config().Database, rand.Text()
	do(t, admin, "CREATE ROLE "+role+" LOGIN PASSWORD '"+password+"'", "ALTER DATABASE "+admin.Config().Database+" OWNER TO "+role)
	t.Cleanup(func() { // before the database is dropped
		_, err := admin.Exec(context.Background(), "ALTER DATABASE "+admin.Config().Database+" OWNER TO CURRENT_USER")
		if err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, password)
	return u.String(), role
}

// patient is an option of a URI for tests in which a write waits for a lock until the test has seen it wait.
const patient = "&lock_timeout=10min&statement_timeout=10min"

// eventually tries until fn succeeds.
func eventually(t testing.TB, fn func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = fn(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// told holds what callers were told of their documents.
type told struct {
	mu           sync.Mutex
	acknowledged map[uuid.UUID]bool
	failed       map[uuid.UUID]error
}

func (a *told) put(ctx context.Context, s store.Store, client uuid.UUID) error {
	doc := document(client, make([]byte, 3000), "t1", "t2")
	err := put(ctx, s, doc)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.acknowledged == nil {
		a.acknowledged, a.failed = map[uuid.UUID]bool{}, map[uuid.UUID]error{}
	}
	if err == nil {
		a.acknowledged[doc.ID] = true
	} else {
		a.failed[doc.ID] = err
	}
	return err
}

// writers write until they are stopped, and count what they are told.
type writers struct {
	stored, refused atomic.Int32
	stop            func() // waits for all of them
}

// write has so many callers write, who are refused with one kind of error only and wait then for a while.
func (a *told) write(t testing.TB, s store.Store, client uuid.UUID, callers int, pause time.Duration, refusal error) *writers {
	t.Helper()
	w := &writers{}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	w.stop = func() { stop(); running.Wait() }
	for range callers {
		running.Go(func() {
			for ctx.Err() == nil {
				switch err := a.put(t.Context(), s, client); {
				case err == nil:
					w.stored.Add(1)
				case errors.Is(err, store.ErrUnavailable) && errors.Is(err, refusal):
					w.refused.Add(1)
					time.Sleep(pause)
				default:
					t.Errorf("got %v, want %v", err, refusal)
					return
				}
			}
		})
	}
	return w
}

// check holds that what was acknowledged is there with its one row, and what failed is there with its row or
// without either.
func (a *told) check(t testing.TB, s store.Store) {
	t.Helper()
	rows := logged(t, s)
	for id := range a.acknowledged {
		if _, err := s.Document(t.Context(), registry, id, 0, store.ContentJSON); err != nil || rows[id] != 1 {
			t.Errorf("an acknowledged document: %v, %d rows", err, rows[id])
		}
	}
	for id := range a.failed {
		_, err := s.Document(t.Context(), registry, id, 0, store.ContentJSON)
		if stored := err == nil; stored != (rows[id] == 1) || rows[id] > 1 {
			t.Errorf("a document that was not acknowledged: stored %v, %d rows", stored, rows[id])
		}
	}
}
