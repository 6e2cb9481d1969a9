// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

const registry = "1.2.246.10.99999991.19.0"

var (
	start     = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	cursorKey = []byte("a key for tests only, 32 bytes!!")
)

// opened is a store with its connections in the test's reach.
type opened struct {
	*sqlstore.Store
	write   *writer
	readers *sql.DB
}

func openAt(t testing.TB, dir string) *opened {
	t.Helper()
	engine, write, err := openEngine(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	s, err := sqlstore.New(engine, sqlstore.Options{CursorKey: cursorKey})
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	return &opened{s, write, engine.Readers}
}

func openNew(t testing.TB) *opened {
	t.Helper()
	s := openAt(t, t.TempDir())
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, storetest.Engine{
		Open:     func(t testing.TB, place string) store.Store { return openAt(t, place) },
		NewPlace: func(t testing.TB) string { return t.TempDir() },
		Raw: func(t testing.TB, place string) *sql.DB {
			t.Helper()
			db, err := OpenFile(t.Context(), place)
			if err != nil {
				t.Fatal(err)
			}
			return db
		},
		Through: func(t testing.TB, place string, faults func(sqlstore.Tx) sqlstore.Tx) store.Store {
			t.Helper()
			engine, _, err := openEngine(t.Context(), Options{Dir: place})
			if err != nil {
				t.Fatal(err)
			}
			return storetest.Faulty(t, engine, cursorKey, faults)
		},
	})
}

func TestFilesAreReadableByTheOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openAt(t, dir)
	defer func() { _ = s.Close() }()
	storetest.Client(t, s, registry, 1)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", filepath.Base(path), info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestConnectionsAreDurableAndCheckKeys(t *testing.T) {
	s := openNew(t)
	for name, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1"} {
		var got string
		if err := s.write.conn.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, want %q (err=%v)", name, got, want, err)
		}
	}
	if _, err := s.readers.ExecContext(t.Context(), `DELETE FROM access_log`); err == nil {
		t.Error("a reading connection could write")
	}
}

func TestANewerFileIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	for _, statement := range []string{
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`, `UPDATE schema_writers SET oldest = 9999`,
	} {
		if _, err := s.write.conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Probe(t.Context(), start); !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, store.ErrSchemaTooNew) {
		t.Errorf("a write after the tables were changed: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if again, err := Open(t.Context(), Options{Dir: dir, CursorKey: cursorKey}); err == nil {
		_ = again.Close()
		t.Fatal("a file of a newer program was opened")
	} else if !strings.Contains(err.Error(), "newer") {
		t.Errorf("the error does not say why: %v", err)
	}
}

func TestAShortCursorKeyIsRefused(t *testing.T) {
	if _, err := Open(t.Context(), Options{Dir: t.TempDir(), CursorKey: []byte("short")}); err == nil {
		t.Fatal("opened")
	}
}

func TestCorruptBytesAreNotServed(t *testing.T) {
	s := openNew(t)
	client := storetest.Client(t, s, registry, 1)
	doc := storetest.NewDocument(registry, client, start, []byte("body"), "t1")
	if _, _, err := s.StoreDocument(t.Context(), doc, storetest.Row("document.store", start)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.write.conn.ExecContext(t.Context(), `UPDATE document_bodies SET body = x'00' WHERE document_id = $1`, doc.ID[:]); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Document(t.Context(), registry, doc.ID, 0, store.ContentJSON); err != store.ErrCorrupt { //nolint:errorlint // exactly this one
		t.Fatalf("got %v", err)
	}
}

func TestACorruptSignatureIsNotServed(t *testing.T) {
	s := openNew(t)
	doc := storetest.NewDocument(registry, storetest.Client(t, s, registry, 1), start, []byte("body"), "t1")
	doc.Representations[0].Signature = storetest.NewSignature("T-1")
	storetest.StoreNew(t, s, doc)
	if _, err := s.write.conn.ExecContext(t.Context(), `UPDATE document_signatures SET jws = 'x' WHERE document_id = $1`, doc.ID[:]); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Signature(t.Context(), registry, doc.ID, 0, store.ContentJSON); err != store.ErrCorrupt { //nolint:errorlint // exactly this one
		t.Fatalf("got %v", err)
	}
}

func TestDataDirectoryMayExistAlready(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "lost+found"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := openAt(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
}
