// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

// writersFrom leaves the tables to programs from the version on, as a migration does.
func writersFrom(t testing.TB, conn *pgx.Conn, oldest int64) {
	t.Helper()
	do(t, conn, "BEGIN", "LOCK TABLE schema_writers IN ACCESS EXCLUSIVE MODE")
	if _, err := conn.Exec(t.Context(), "UPDATE schema_writers SET oldest = $1", oldest); err != nil {
		t.Fatal(err)
	}
	do(t, conn, "COMMIT")
}

// TestAnOlderProgramStopsWritingWithTheMigration has many write while a newer program's migration takes the tables from
// them: nothing is written once it is done, and service resumes when the tables are given back.
func TestAnOlderProgramStopsWritingWithTheMigration(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t)
	s := openAt(t, uri+patient)
	client := clientOf(t, s, 1)
	program, err := sqlstore.ProgramVersion(goose.DialectPostgres)
	if err != nil {
		t.Fatal(err)
	}
	var all told
	w := all.write(t, s, client, 16, 5*time.Millisecond, store.ErrSchemaTooNew)
	count := func(conn *pgx.Conn) (rows int) {
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM access_log").Scan(&rows); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	other := session(t, uri)
	eventually(t, func() error { return reached(&w.stored, 100) })
	do(t, other, "BEGIN", "LOCK TABLE schema_writers IN ACCESS EXCLUSIVE MODE")
	before := count(other)
	eventually(t, func() error { // writers wait for the lock
		var waiting int
		if err := session(t, uri).QueryRow(t.Context(), "SELECT count(*) FROM pg_locks WHERE NOT granted").Scan(&waiting); err != nil || waiting < defaultLanes {
			return errors.New("too few wait")
		}
		return nil
	})
	if _, err := other.Exec(t.Context(), "UPDATE schema_writers SET oldest = $1", program+1); err != nil {
		t.Fatal(err)
	}
	do(t, other, "COMMIT")
	eventually(t, func() error { return reached(&w.refused, 50) })
	if after := count(other); after != before {
		t.Errorf("%d rows were written after the migration", after-before)
	}
	if err := s.Probe(t.Context(), start); !errors.Is(err, store.ErrSchemaTooNew) {
		t.Errorf("probe: %v", err)
	}
	writersFrom(t, other, program)
	had := w.stored.Load()
	eventually(t, func() error { return reached(&w.stored, had+50) })
	w.stop()
	all.check(t, s)
}

func TestANewerSchemaThatLeavesRoomIsOpened(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t)
	if err := openAt(t, uri).Close(); err != nil {
		t.Fatal(err)
	}
	do(t, session(t, uri), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)")
	s := openAt(t, uri)
	if err := s.Probe(t.Context(), start); err != nil {
		t.Error(err)
	}
	for name, open := range map[string]func() error{
		"for a copy out of it": func() error { _, err := OpenLive(t.Context(), uri); return err },
		"for a copy into it":   func() error { _, err := OpenDatabase(t.Context(), uri); return err },
		"beside":               func() error { _, err := OpenBeside(t.Context(), Options{URI: uri, CursorKey: cursorKey}); return err },
	} {
		if err := open(); !errors.Is(err, store.ErrSchemaTooNew) {
			t.Errorf("opening it %s: %v", name, err)
		}
	}
}

// TestTheSchemaIsKept opens databases whose tables are not there, or older, without changing them.
func TestTheSchemaIsKept(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t)
	open := func() error {
		s, err := Open(t.Context(), Options{URI: uri, CursorKey: cursorKey, KeepSchema: true})
		if err == nil {
			_ = s.Close()
		}
		return err
	}
	tables := func() (n int) {
		if err := session(t, uri).QueryRow(t.Context(), "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := open(); !errors.Is(err, store.ErrSchemaTooOld) || !strings.Contains(err.Error(), "migrate-schema") {
		t.Errorf("an empty database: %v", err)
	}
	schema, err := SchemaOf(t.Context(), uri)
	if err != nil || schema.Version != 0 || len(schema.Pending) != int(schema.Program) {
		t.Errorf("its schema: %+v, %v", schema, err)
	}
	if n := tables(); n != 0 {
		t.Errorf("%d tables were made", n)
	}
	former, err := MigrateSchema(t.Context(), uri)
	if err != nil || former.Version != 0 {
		t.Fatalf("%+v, %v", former, err)
	}
	if err := open(); err != nil {
		t.Errorf("up to date: %v", err)
	}
	if former, err = MigrateSchema(t.Context(), uri); err != nil || former.Version != former.Program || len(former.Pending) > 0 {
		t.Errorf("up to date: %+v, %v", former, err)
	}
	do(t, session(t, uri), "DELETE FROM goose_db_version WHERE version_id > 4", "DROP TABLE schema_writers")
	if err := open(); !errors.Is(err, store.ErrSchemaTooOld) {
		t.Errorf("an older schema: %v", err)
	}
}

// TestEveryMigrationSaysWhoMayGoOnWriting: see the test of the same name in the package sqlstore. One that takes the
// tables from some waits for those who write just now.
func TestEveryMigrationSaysWhoMayGoOnWriting(t *testing.T) {
	uri := pgcluster.Shared(t).Database(t)
	config, err := parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config.ConnConfig)
	defer func() { _ = db.Close() }()
	files, err := sqlstore.Migrations(goose.DialectPostgres)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		t.Fatal(err)
	}
	none, err := sqlstore.NoSchema(goose.DialectPostgres)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range none.Pending {
		if _, err := provider.UpTo(t.Context(), m.Version); err != nil {
			t.Fatal(err)
		}
		at, err := schemaOf(t.Context(), config.ConnConfig)
		if err != nil {
			t.Fatal(err)
		}
		if at.Version != m.Version || at.OldestWriter != m.Writers || m.Writers > m.Version || (m.Writers == 0) != (m.Version < 6) {
			t.Errorf("%s says that programs from %d on may write, and the tables say from %d on", m.Name, m.Writers, at.OldestWriter)
		}
		if m.Version <= 6 || m.Writers == none.Pending[i-1].Writers {
			continue
		}
		text, err := fs.ReadFile(files, m.Name)
		if err != nil || !strings.Contains(string(text), "LOCK TABLE schema_writers IN ACCESS EXCLUSIVE MODE") {
			t.Errorf("%s takes no lock (%v)", m.Name, err)
		}
	}
}
