// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"database/sql"
	"io/fs"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
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

func TestMigratingTwiceChangesNothingAndANewerSchemaIsRefused(t *testing.T) {
	db := migrated(t)
	before := sqliteSchema(t, db)
	if err := Migrate(t.Context(), db, goose.DialectSQLite3); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(sqliteSchema(t, db), before) {
		t.Error("the second migration changed the schema")
	}
	if _, err := db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := Migrate(t.Context(), db, goose.DialectSQLite3); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("a newer schema: %v", err)
	}
	if err := Migrate(t.Context(), db, goose.DialectMySQL); err == nil {
		t.Error("an unknown dialect has migrations")
	}
}
