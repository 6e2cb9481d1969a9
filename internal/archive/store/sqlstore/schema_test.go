// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"database/sql"
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// column is a column as both engines know it.
type column struct {
	name, kind string
	notNull    bool
	// key is the column's place in the primary key, from 1; 0 outside it.
	key int
}

var (
	createTable = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \(\n(.*?)\n\)`)
	addColumn   = regexp.MustCompile(`ALTER TABLE (\w+) ADD COLUMN (.*);`)
	dropColumn  = regexp.MustCompile(`ALTER TABLE (\w+) DROP COLUMN (\w+);`)
	tableKey    = regexp.MustCompile(`^(PRIMARY KEY|UNIQUE) \((.*)\)$`)
)

// postgresSchema reads the tables out of PostgreSQL's migrations, which create tables, add columns and drop them.
func postgresSchema(t *testing.T) map[string][]column {
	t.Helper()
	paths, err := fs.Glob(migrations, "migrations/postgres/*.sql") // in the order of their numbers
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string][]column{}
	for _, path := range paths {
		raw, err := migrations.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text := sqlComment.ReplaceAllString(string(raw), "")
		for _, m := range createTable.FindAllStringSubmatch(text, -1) {
			tables[m[1]] = parseTable(t, m[2])
		}
		for _, m := range addColumn.FindAllStringSubmatch(text, -1) {
			tables[m[1]] = append(tables[m[1]], parseColumn(t, m[2]))
		}
		for _, m := range dropColumn.FindAllStringSubmatch(text, -1) {
			tables[m[1]] = slices.DeleteFunc(tables[m[1]], func(c column) bool { return c.name == m[2] })
		}
	}
	return tables
}

func parseTable(t *testing.T, body string) (columns []column) {
	t.Helper()
	for line := range strings.SplitSeq(body, "\n") {
		line = strings.TrimSuffix(strings.TrimSpace(line), ",")
		key := tableKey.FindStringSubmatch(line)
		if key == nil {
			columns = append(columns, parseColumn(t, line))
			continue
		}
		if key[1] == "PRIMARY KEY" {
			for i, name := range strings.Split(key[2], ", ") {
				columns[slices.IndexFunc(columns, func(c column) bool { return c.name == name })].key = i + 1
			}
		}
	}
	return columns
}

func parseColumn(t *testing.T, line string) column {
	t.Helper()
	kinds := map[string]string{"BYTEA": "BLOB", "BIGINT": "INTEGER", "TEXT": "TEXT"}
	words := strings.Fields(line)
	if len(words) < 2 || kinds[words[1]] == "" {
		t.Fatalf("%q is no column of a type that both engines have", line)
	}
	one := column{name: words[0], kind: kinds[words[1]], notNull: strings.Contains(line, "NOT NULL")}
	if strings.Contains(line, "PRIMARY KEY") {
		one.key = 1
	}
	return one
}

func primaryKeys(t *testing.T) map[string]string {
	t.Helper()
	keys := map[string]string{}
	for table, columns := range postgresSchema(t) {
		var names []string
		for _, c := range columns {
			if c.key > 0 {
				names = append(names, c.name)
			}
		}
		keys[table] = strings.Join(names, ", ")
	}
	return keys
}

func sqliteSchema(t *testing.T, db *sql.DB) map[string][]column {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT m.name, c.name, c.type, c."notnull", c.pk
		FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	tables := map[string][]column{}
	for rows.Next() {
		var (
			table string
			c     column
		)
		if err := rows.Scan(&table, &c.name, &c.kind, &c.notNull, &c.key); err != nil {
			t.Fatal(err)
		}
		if table == "registries" && c.key == 1 {
			c.notNull = true // INTEGER PRIMARY KEY of the first form: SQLite puts a number for a NULL
		}
		tables[table] = append(tables[table], c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return tables
}

// TestBothEnginesHaveOneSchema holds the two ways to it, SQLite's migrations one by one and PostgreSQL's present
// form, to the same tables, columns and keys.
func TestBothEnginesHaveOneSchema(t *testing.T) {
	ours, theirs := sqliteSchema(t, migrated(t)), postgresSchema(t)
	for table := range theirs {
		if !reflect.DeepEqual(ours[table], theirs[table]) {
			t.Errorf("%s:\nSQLite     %+v\nPostgreSQL %+v", table, ours[table], theirs[table])
		}
	}
	for table := range ours {
		if theirs[table] == nil {
			t.Errorf("PostgreSQL has no table %s", table)
		}
	}
}

func noTable(err error) bool { return strings.Contains(err.Error(), "no such table") }

func TestMigratingTwiceChangesNothingAndANewerSchemaIsRefused(t *testing.T) {
	db := migrated(t)
	before := sqliteSchema(t, db)
	if _, err := Migrate(t.Context(), db, goose.DialectSQLite3, noTable); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(sqliteSchema(t, db), before) {
		t.Error("the second migration changed the schema")
	}
	newer(t, db, 9998)
	if _, err := Migrate(t.Context(), db, goose.DialectSQLite3, noTable); !errors.Is(err, store.ErrSchemaTooNew) || !strings.Contains(err.Error(), "newer") {
		t.Errorf("a newer schema: %v", err)
	}
	if _, err := Migrate(t.Context(), db, goose.DialectMySQL, noTable); err == nil {
		t.Error("an unknown dialect has migrations")
	}
}

// newer makes the schema one of version 9999, to which programs from the version on may write.
func newer(t *testing.T, db *sql.DB, oldest int64) {
	t.Helper()
	for statement, arg := range map[string]int64{
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, 1)`: 9999,
		`UPDATE schema_writers SET oldest = $1`:                                oldest,
	} {
		if _, err := db.ExecContext(t.Context(), statement, arg); err != nil {
			t.Fatal(err)
		}
	}
}

// TestANewerSchemaThatLeavesRoomIsServed: a program serves from newer tables whose migrations say that it may, and
// nobody copies them who does not know them all.
func TestANewerSchemaThatLeavesRoomIsServed(t *testing.T) {
	db := migrated(t)
	program, err := ProgramVersion(goose.DialectSQLite3)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		oldest int64
		serve  error
	}{{program - 1, nil}, {program, nil}, {program + 1, store.ErrSchemaTooNew}} {
		newer(t, db, c.oldest)
		schema, err := ReadSchema(t.Context(), db, goose.DialectSQLite3, noTable)
		if err != nil || len(schema.Pending) > 0 {
			t.Fatalf("%+v, %v", schema, err)
		}
		if err := schema.CheckServe(); !errors.Is(err, c.serve) {
			t.Errorf("serving beside programs from %d on: %v", c.oldest, err)
		}
		if _, err := Migrate(t.Context(), db, goose.DialectSQLite3, noTable); !errors.Is(err, c.serve) {
			t.Errorf("migrating where programs from %d on may write: %v", c.oldest, err)
		}
		if err := schema.CheckCopy(); !errors.Is(err, store.ErrSchemaTooNew) {
			t.Errorf("copying: %v", err)
		}
	}
}

func TestAnOlderSchemaIsNotServed(t *testing.T) {
	for _, version := range []int64{0, 1, 6} {
		s := Schema{Version: version, Program: 7, OldestWriter: 6}
		if err := s.CheckServe(); !errors.Is(err, store.ErrSchemaTooOld) {
			t.Errorf("serving from %d: %v", version, err)
		}
		if err := s.CheckCopy(); !errors.Is(err, store.ErrSchemaTooOld) {
			t.Errorf("copying from %d: %v", version, err)
		}
	}
}

// TestEveryMigrationSaysWhoMayGoOnWriting: from the one that made schema_writers on, each migration says in its header
// who may, and leaves the table saying so. PostgreSQL's are held to it in the package postgres.
func TestEveryMigrationSaysWhoMayGoOnWriting(t *testing.T) {
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "each.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	provider, err := newProvider(db, goose.DialectSQLite3)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := NoSchema(goose.DialectSQLite3)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range schema.Pending {
		if _, err := provider.UpTo(t.Context(), m.Version); err != nil {
			t.Fatal(err)
		}
		at, err := ReadSchema(t.Context(), db, goose.DialectSQLite3, noTable)
		if err != nil {
			t.Fatal(err)
		}
		if at.Version != m.Version || at.OldestWriter != m.Writers || m.Writers > m.Version || (m.Writers == 0) != (m.Version < 7) {
			t.Errorf("%s says that programs from %d on may write, and the tables say from %d on", m.Name, m.Writers, at.OldestWriter)
		}
	}
}

func TestWhoMustStopBeforeAMigration(t *testing.T) {
	for name, c := range map[string]struct {
		version int64
		pending []Migration
		stops   bool
	}{
		"none is pending":         {version: 7},
		"a new store":             {pending: []Migration{{Version: 1}, {Version: 7, Writers: 6}}},
		"they may go on":          {6, []Migration{{Version: 7, Writers: 6}}, false},
		"they may not":            {6, []Migration{{Version: 7, Writers: 6}, {Version: 8, Writers: 7}}, true},
		"it does not say":         {5, []Migration{{Version: 6}, {Version: 7, Writers: 5}}, true},
		"raised after they ended": {7, []Migration{{Version: 8, Writers: 7}}, false},
	} {
		if got := (Schema{Version: c.version, Pending: c.pending}).StopsWriters(); got != c.stops {
			t.Errorf("%s: %v", name, got)
		}
	}
}
