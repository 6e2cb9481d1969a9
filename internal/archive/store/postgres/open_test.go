// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

func TestOpenIsEnoughForAPlainUser(t *testing.T) {
	uri, _ := plainUser(t, pgcluster.Shared(t).Database(t))
	s := openAt(t, uri)
	if err := put(t.Context(), s, document(clientOf(t, s, 1), []byte("x"), "t1")); err != nil {
		t.Fatal(err)
	}
}

func TestAServerThatDoesNotPromiseDurabilityIsRefused(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t)
	for name, open := range map[string]func() error{
		"synchronous_commit": func() error { return tryOpen(t, uri+"&synchronous_commit=off") },
		"fsync": func() error {
			cluster := pgcluster.ForTest(t, pgcluster.Options{Settings: map[string]string{"fsync": "off"}})
			return tryOpen(t, cluster.Database(t))
		},
		"UTF8": func() error {
			cluster := pgcluster.Shared(t)
			name, err := cluster.NewDatabase(t.Context(), "ENCODING 'LATIN1'")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cluster.DropDatabase(context.Background(), name) }()
			return tryOpen(t, cluster.URI(name))
		},
	} {
		if err := open(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: the error does not say what to set: %v", name, err)
		}
	}
	if err := judgeServer("140011", "UTF8", "on", "on"); err == nil || !strings.Contains(err.Error(), "15") {
		t.Errorf("an old server: %v", err)
	}
	for _, promise := range []string{"on", "local", "remote_write", "remote_apply"} {
		if err := judgeServer("150000", "UTF8", "on", promise); err != nil {
			t.Errorf("synchronous_commit = %s: %v", promise, err)
		}
	}
}

func tryOpen(t *testing.T, uri string) error {
	t.Helper()
	s, err := Open(t.Context(), Options{URI: uri, CursorKey: cursorKey})
	if err == nil {
		_ = s.Close()
	}
	return err
}

// TestAConnectionInUseStaysDurable: what is set on the server later must not weaken the open store.
func TestAConnectionInUseStaysDurable(t *testing.T) {
	cluster := pgcluster.ForTest(t, pgcluster.Options{})
	config, err := parse(cluster.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	lanes := newLanes(config.ConnConfig, 1)
	defer func() { _ = lanes.close() }()
	setting := func() (value string) {
		tx, err := lanes.begin()
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		if _, err := tx.Get("reading a setting", "SELECT current_setting('synchronous_commit')", nil, &value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	if got := setting(); got != "on" {
		t.Fatalf("it is %s", got)
	}
	admin := session(t, cluster.URI("postgres"))
	do(t, admin, "ALTER SYSTEM SET synchronous_commit = off", "SELECT pg_reload_conf()")
	eventually(t, func() error {
		var value string
		if err := admin.QueryRow(t.Context(), "SELECT current_setting('synchronous_commit')").Scan(&value); err != nil || value != "off" {
			return errors.New("not reloaded yet")
		}
		return nil
	})
	if got := setting(); got != "on" {
		t.Errorf("it became %s", got)
	}
}

func TestANewerSchemaIsNotOpened(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t)
	if err := openAt(t, uri).Close(); err != nil {
		t.Fatal(err)
	}
	do(t, session(t, uri), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)", "UPDATE schema_writers SET oldest = 9999")
	if err := tryOpen(t, uri); !errors.Is(err, store.ErrSchemaTooNew) || !strings.Contains(err.Error(), "newer") {
		t.Errorf("got %v", err)
	}
}

func TestAShortCursorKeyIsRefused(t *testing.T) {
	if s, err := Open(t.Context(), Options{URI: "postgres://nowhere", CursorKey: []byte("short")}); err == nil {
		_ = s.Close()
		t.Fatal("opened")
	}
}

func TestReplicasMayStartAtOnce(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := tryOpen(t, uri); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var applied int
	if err := session(t, uri).QueryRow(t.Context(), "SELECT count(*) FROM goose_db_version WHERE version_id = 1").Scan(&applied); err != nil || applied != 1 {
		t.Errorf("the migration was applied %d times (%v)", applied, err)
	}
}

// TestOpeningEndsWithItsContext: another replica migrates, and this one gives up waiting.
func TestOpeningEndsWithItsContext(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t)
	other := session(t, uri)
	do(t, other, "SELECT pg_advisory_lock(4097083626)") // goose's own lock
	ctx, end := context.WithCancel(t.Context())
	defer end()
	opened := make(chan error, 1)
	go func() {
		s, err := Open(ctx, Options{URI: uri, CursorKey: cursorKey})
		if err == nil {
			_ = s.Close()
		}
		opened <- err
	}()
	eventually(t, func() error { return waiting(t, other, 1) })
	end()
	if err := <-opened; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// replicas opens the database twice, as two replicas do.
func replicas(t *testing.T) [2]*sqlstore.Store {
	t.Helper()
	uri := pgcluster.Shared(t).Database(t)
	return [2]*sqlstore.Store{openAt(t, uri), openAt(t, uri)}
}

func TestTwoReplicasRegisterOneClientOnce(t *testing.T) {
	both := replicas(t)
	var mu sync.Mutex
	ids, made := map[byte]map[uuid.UUID]bool{}, map[byte]int{}
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			for n := range byte(20) {
				id, created, err := both[worker%2].RegisterClient(t.Context(), registry, storetest.Registration(store.IdentityHash{0: n, 31: 1}), start, row("client.register"))
				mu.Lock()
				switch {
				case err != nil:
					t.Error(err)
				case ids[n] == nil:
					ids[n] = map[uuid.UUID]bool{}
					fallthrough
				default:
					ids[n][id] = true
				}
				if created {
					made[n]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for n := range byte(20) {
		if len(ids[n]) != 1 || made[n] != 1 {
			t.Errorf("client %d: %d ids, made %d times", n, len(ids[n]), made[n])
		}
	}
}

func TestTwoReplicasAddOneVersionOnce(t *testing.T) {
	both := replicas(t)
	client := clientOf(t, both[0], 1)
	doc := document(client, []byte("1"), "t1")
	if err := put(t.Context(), both[0], doc); err != nil {
		t.Fatal(err)
	}
	for round := range 10 {
		var wg sync.WaitGroup
		var mu sync.Mutex
		added, stale := 0, 0
		for worker := range 8 {
			wg.Go(func() {
				next := store.NewVersion{
					Registry: registry, ID: doc.ID, Expected: round + 1, Content: content([]byte{byte('a' + round), byte('a' + worker)}, "t1"),
				}
				_, created, err := both[worker%2].AddVersion(t.Context(), next, row("document.version", doc.ID))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case errors.Is(err, store.ErrStale):
					stale++
				case err != nil || !created:
					t.Errorf("created %v, %v", created, err)
				default:
					added++
				}
			})
		}
		wg.Wait()
		if added != 1 || stale != 7 {
			t.Fatalf("round %d: %d added, %d stale", round, added, stale)
		}
	}
	versions, err := both[1].Versions(t.Context(), registry, doc.ID)
	if err != nil || len(versions) != 11 {
		t.Errorf("%d versions, %v", len(versions), err)
	}
}

// TestTwoReplicasDoNotAnnulWhatTheyHaveNotSeen races a version against an annulment that expects the version
// before: one of them must lose.
func TestTwoReplicasDoNotAnnulWhatTheyHaveNotSeen(t *testing.T) {
	both := replicas(t)
	client := clientOf(t, both[0], 1)
	for range 20 {
		doc := document(client, []byte("1"), "t1")
		if err := put(t.Context(), both[0], doc); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var versionErr, annulErr error
		wg.Go(func() {
			next := store.NewVersion{Registry: registry, ID: doc.ID, Expected: 1, Content: content([]byte("2"), "t1")}
			_, _, versionErr = both[0].AddVersion(t.Context(), next, row("document.version", doc.ID))
		})
		wg.Go(func() {
			end := store.NewAnnulment{
				Registry: registry, ID: doc.ID, Expected: 1,
				Annulment: store.Annulment{At: start, Reason: "error", By: doc.Author},
			}
			_, _, annulErr = both[1].Annul(t.Context(), end, row("document.annul", doc.ID))
		})
		wg.Wait()
		versionLost, annulLost := errors.Is(versionErr, store.ErrAnnulled), errors.Is(annulErr, store.ErrStale)
		if versionLost == annulLost || (versionErr == nil) == versionLost || (annulErr == nil) == annulLost {
			t.Fatalf("version: %v; annulment: %v", versionErr, annulErr)
		}
	}
}

// TestAReadingConnectionOnlyReads, also where the URI asks for a server that takes writes.
func TestAReadingConnectionOnlyReads(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t) + "&target_session_attrs=read-write"
	s := openAt(t, uri)
	if _, err := s.ClientExists(t.Context(), registry, uuid.New()); err != nil {
		t.Errorf("reading: %v", err)
	}
	config, err := parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	readers, closeReaders, err := openReaders(config, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = readers.Close(); closeReaders() }()
	if _, err := readers.ExecContext(t.Context(), "DELETE FROM access_log"); err == nil || !strings.Contains(err.Error(), "25006") {
		t.Errorf("a reading connection could write: %v", err)
	}
}
