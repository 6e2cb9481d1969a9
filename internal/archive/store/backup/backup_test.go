// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package backup_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/backup"
	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/archive/store/transfer"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

const registry = "1.2.246.10.99999991.19.0"

var (
	cursorKey = bytes.Repeat([]byte{7}, 32)
	keyCheck  = bytes.Repeat([]byte{8}, 32)
	start     = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
)

func TestMain(m *testing.M) { os.Exit(pgcluster.Main(m)) }

// A backup of a store that is written to meanwhile holds all that was acknowledged before it was begun, and of the
// rest only whole operations: no document without its log row, and no row without its document.
func TestABackupOfALiveStoreIsWholeAndComesBack(t *testing.T) {
	for _, name := range []string{"SQLite", "PostgreSQL"} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			dir := filepath.Join(t.TempDir(), "data")
			uri := ""
			var s *sqlstore.Store
			var err error
			if name == "SQLite" {
				s, err = sqlite.Open(t.Context(), sqlite.Options{Dir: dir, CursorKey: cursorKey})
			} else {
				uri = pgcluster.Shared(t).Database(t)
				s, err = postgres.Open(t.Context(), postgres.Options{URI: uri, CursorKey: cursorKey})
			}
			g.Expect(err).NotTo(HaveOccurred())
			defer func() { g.Expect(s.Close()).To(Succeed()) }()
			g.Expect(s.Adopt(t.Context(), keyCheck)).To(Succeed())
			client := storetest.Client(t, s, registry, 1)
			before := storeSome(t, s, client, 40)

			ctx, stop := context.WithCancel(t.Context())
			var writers sync.WaitGroup
			for range 4 {
				writers.Go(func() {
					for ctx.Err() == nil {
						doc, row := document(client)
						_, _, _ = s.StoreDocument(ctx, doc, row)
					}
				})
			}
			snapshot, end := snapshotOf(t, dir, uri)
			out := filepath.Join(t.TempDir(), "backup")
			manifest, err := backup.Take(t.Context(), snapshot, out, start, func(transfer.Step) {})
			stop()
			writers.Wait()
			end()
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(manifest.Rows()).To(BeNumerically(">", 100))
			g.Expect(filepath.Join(out, sqlite.FileName+"-wal")).NotTo(BeAnExistingFile())

			for _, to := range []string{"SQLite", "PostgreSQL"} {
				restored := restore(t, to, out)
				ids := map[uuid.UUID]bool{}
				for _, row := range storetest.AllLog(t, restored, store.LogQuery{}) {
					for _, id := range row.DocumentIDs {
						ids[id] = true
					}
				}
				for _, id := range before {
					g.Expect(ids).To(HaveKey(id), "what was acknowledged before the backup is in it")
				}
				page, err := restored.Search(t.Context(), store.SearchQuery{Registry: registry, ClientID: client, Limit: 1})
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(page.Total).To(Equal(len(ids)), "as many documents as rows of stores")
				for id := range ids {
					_, err := restored.Document(t.Context(), registry, id, 0, store.ContentJSON)
					g.Expect(err).NotTo(HaveOccurred())
				}
			}
		})
	}
}

func TestADamagedBackupIsRefused(t *testing.T) {
	g := NewWithT(t)
	whole := filepath.Join(t.TempDir(), "whole")
	take(t, whole)
	for name, damage := range map[string]func(dir string) error{
		"a bit of the data": func(dir string) error {
			return change(filepath.Join(dir, sqlite.FileName), func(raw []byte) []byte { raw[len(raw)/2] ^= 1; return raw })
		},
		"a cut file": func(dir string) error {
			return change(filepath.Join(dir, sqlite.FileName), func(raw []byte) []byte { return raw[:len(raw)-4096] })
		},
		"a manifest of another": func(dir string) error {
			return change(filepath.Join(dir, backup.ManifestName), func(raw []byte) []byte {
				return bytes.Replace(raw, []byte(`"sha256": "`), []byte(`"sha256": "0`), 1)
			})
		},
		"a manifest that is cut": func(dir string) error {
			return change(filepath.Join(dir, backup.ManifestName), func(raw []byte) []byte { return raw[:len(raw)/2] })
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			dir := t.TempDir()
			g.Expect(os.CopyFS(dir, os.DirFS(whole))).To(Succeed())
			g.Expect(damage(dir)).To(Succeed())
			target := t.TempDir()
			to, err := sqlite.OpenFile(t.Context(), target)
			g.Expect(err).NotTo(HaveOccurred())
			defer func() { _ = to.Close() }()
			_, err = backup.Restore(t.Context(), dir, to, func(transfer.Step) {})
			g.Expect(err).To(MatchError(backup.ErrDamaged))
		})
	}
	_, err := backup.ReadManifest(t.TempDir())
	g.Expect(err).To(MatchError(os.ErrNotExist))
}

func TestABackupOverwritesNothing(t *testing.T) {
	g := NewWithT(t)
	dir := filepath.Join(t.TempDir(), "backup")
	take(t, dir)
	before, err := os.ReadFile(filepath.Join(dir, backup.ManifestName))
	g.Expect(err).NotTo(HaveOccurred())
	data := t.TempDir()
	seed(t, data)
	snapshot, end := snapshotOf(t, data, "")
	defer end()
	_, err = backup.Take(t.Context(), snapshot, dir, start, func(transfer.Step) {})
	g.Expect(err).To(MatchError(ContainSubstring("is there already")))
	after, err := os.ReadFile(filepath.Join(dir, backup.ManifestName))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(after).To(Equal(before))
}

// A backup that was cut leaves no directory that looks like one.
func TestACutBackupIsNone(t *testing.T) {
	g := NewWithT(t)
	data := t.TempDir()
	seed(t, data)
	snapshot, end := snapshotOf(t, data, "")
	dir := filepath.Join(t.TempDir(), "backup")
	ctx, cut := context.WithCancel(t.Context())
	_, err := backup.Take(ctx, snapshot, dir, start, func(s transfer.Step) {
		if s.Doing == "compare" {
			cut()
		}
	})
	end()
	g.Expect(err).To(HaveOccurred())
	g.Expect(dir).NotTo(BeADirectory())

	snapshot, end = snapshotOf(t, data, "")
	defer end()
	_, err = backup.Take(t.Context(), snapshot, dir, start, func(transfer.Step) {})
	g.Expect(err).NotTo(HaveOccurred(), "the next one is not in its way")
}

func take(t *testing.T, dir string) {
	t.Helper()
	data := t.TempDir()
	seed(t, data)
	snapshot, end := snapshotOf(t, data, "")
	defer end()
	if _, err := backup.Take(t.Context(), snapshot, dir, start, func(transfer.Step) {}); err != nil {
		t.Fatal(err)
	}
}

func seed(t *testing.T, dir string) {
	t.Helper()
	g := NewWithT(t)
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, CursorKey: cursorKey})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.Adopt(t.Context(), keyCheck)).To(Succeed())
	storeSome(t, s, storetest.Client(t, s, registry, 1), 10)
	g.Expect(s.Close()).To(Succeed())
}

func storeSome(t *testing.T, s store.Store, client uuid.UUID, n int) (ids []uuid.UUID) {
	t.Helper()
	for range n {
		doc, row := document(client)
		if _, _, err := s.StoreDocument(t.Context(), doc, row); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, doc.ID)
	}
	return ids
}

func document(client uuid.UUID) (store.NewDocument, store.LogRow) {
	doc := storetest.NewDocument(registry, client, start, fmt.Appendf(nil, `{"text": %q}`, uuid.NewString()), "older-people")
	row := storetest.Row("Store", start)
	row.DocumentIDs, row.DocumentCount = []uuid.UUID{doc.ID}, 1
	return doc, row
}

// snapshotOf opens what `valtuus archive backup` reads.
func snapshotOf(t *testing.T, dir, uri string) (transfer.Source, func()) {
	t.Helper()
	var db *sql.DB
	var err error
	if uri == "" {
		db, err = sqlite.OpenLive(t.Context(), dir)
	} else {
		db, err = postgres.OpenDatabase(t.Context(), uri)
	}
	if err != nil {
		t.Fatal(err)
	}
	tx, err := backup.Snapshot(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return tx, func() { _, _ = tx.Rollback(), db.Close() }
}

func restore(t *testing.T, engine, from string) store.Store {
	t.Helper()
	g := NewWithT(t)
	var (
		to   *sql.DB
		open func() (*sqlstore.Store, error)
		err  error
	)
	if engine == "SQLite" {
		dir := t.TempDir()
		to, err = sqlite.OpenFile(t.Context(), dir)
		open = func() (*sqlstore.Store, error) {
			return sqlite.Open(t.Context(), sqlite.Options{Dir: dir, CursorKey: cursorKey})
		}
	} else {
		uri := pgcluster.Shared(t).Database(t)
		to, err = postgres.OpenDatabase(t.Context(), uri)
		open = func() (*sqlstore.Store, error) {
			return postgres.Open(t.Context(), postgres.Options{URI: uri, CursorKey: cursorKey})
		}
	}
	g.Expect(err).NotTo(HaveOccurred())
	_, err = backup.Restore(t.Context(), from, to, func(transfer.Step) {})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(to.Close()).To(Succeed())
	s, err := open()
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = s.Close() })
	g.Expect(s.Adopt(t.Context(), keyCheck)).To(Succeed())
	return s
}

func change(file string, how func([]byte) []byte) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, how(raw), 0o600)
}
