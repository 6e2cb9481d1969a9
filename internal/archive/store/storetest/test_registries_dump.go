// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// dataTables hold what is known of clients and documents, as against the logs and the records of destruction.
var dataTables = []string{
	"clients", "client_codes", "client_keys", "matters", "matter_clients", "matter_events",
	"documents", "document_versions", "document_bodies", "document_signatures", "document_clients", "document_tasks",
	"document_matters", "relationship_documents", "relationship_versions", "relationship_history", "log_withholdings",
}

// dump is every row of the data tables as text, with what tells whose it is.
type dump struct {
	rows map[string][]string
	// marks are, by registry, the ids that its rows hold.
	marks map[string][]string
}

func newDump(t testing.TB, engine Engine, place string) *dump {
	t.Helper()
	db := engine.Raw(t, place)
	defer func() { _ = db.Close() }()
	d := &dump{rows: map[string][]string{}, marks: map[string][]string{}}
	for _, table := range dataTables {
		d.rows[table] = slices.Collect(func(yield func(string) bool) {
			each(t, db, `SELECT * FROM `+table, func(names []string, values []any) {
				var row strings.Builder
				for i, value := range values {
					fmt.Fprintf(&row, "%s=%s|", names[i], text(value))
				}
				yield(row.String())
			})
		})
		slices.Sort(d.rows[table])
	}
	// A naive oracle of whose a row is: the registry's number or OID, or the ids of its documents and clients.
	registries := map[string]string{}
	each(t, db, `SELECT registry_id, oid FROM registries`, func(_ []string, values []any) {
		registries[text(values[1])] = text(values[0])
	})
	for registry, number := range registries {
		d.marks[registry] = append(d.marks[registry], "registry_id="+number+"|", "registry_oid="+registry+"|")
		for _, of := range []string{"document_id FROM documents", "client_id FROM clients"} {
			column, _, _ := strings.Cut(of, " ")
			each(t, db, `SELECT `+of+` WHERE registry_id = `+number, func(_ []string, ids []any) {
				d.marks[registry] = append(d.marks[registry], column+"="+text(ids[0])+"|")
			})
		}
	}
	return d
}

func text(value any) string {
	if raw, ok := value.([]byte); ok {
		return fmt.Sprintf("%x", raw)
	}
	return fmt.Sprint(value)
}

func each(t testing.TB, db *sql.DB, query string, take func(names []string, values []any)) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, places := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			t.Fatal(err)
		}
		take(names, values)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// of gives the rows that are the registry's.
func (d *dump) of(t testing.TB, registry string) (found []string) {
	t.Helper()
	if len(d.marks[registry]) == 0 {
		t.Fatalf("nothing was ever written to %s", registry)
	}
	for _, table := range dataTables {
		for _, row := range d.rows[table] {
			if slices.ContainsFunc(d.marks[registry], func(mark string) bool { return strings.Contains("|"+row, "|"+mark) }) {
				found = append(found, table+": "+row)
			}
		}
	}
	return found
}

// rest counts the rows that are not the registry's.
func (d *dump) rest(registry string) (rows int) {
	for _, table := range dataTables {
		for _, row := range d.rows[table] {
			if !slices.ContainsFunc(d.marks[registry], func(mark string) bool { return strings.Contains("|"+row, "|"+mark) }) {
				rows++
			}
		}
	}
	return rows
}

// aDestructionThatFailsAnywhereGoesOn lets the database refuse the writes to each table that a destruction writes to: the
// part that meets it is not done at all, and a program that begins anew destroys the rest.
func aDestructionThatFailsAnywhereGoesOn(t *testing.T, engine Engine) {
	for i, table := range append(slices.Clone(dataTables), "destructions", "access_log", "log_pending", "test_registries") {
		place, s := populated(t, engine, uint64(i), table)
		others := newDump(t, engine, place).of(t, registryA)
		if err := errors.Join(s.CloseTestRegistry(t.Context(), testRegistry1, start), s.NoteObserved(t.Context(), testRegistry1, start)); err != nil {
			t.Fatal(err)
		}
		restore := refuseWrites(t, engine, place, table)
		var r store.TestRegistry
		var before *dump
		var err error
		for err == nil && r.Destroyed.IsZero() {
			before = newDump(t, engine, place)
			r, err = s.DestroyTestRegistry(t.Context(), testRegistry1, 1, start, Row("DestroyTest", start))
		}
		restore()
		if err == nil || !reflect.DeepEqual(before.rows, newDump(t, engine, place).rows) {
			t.Errorf("%s: a part was destroyed although a write was refused: %v", table, err)
		}
		if err := s.Close(); err != nil { // the program dies of it
			t.Fatal(err)
		}
		s = engine.Open(t, place)
		r = destroyAll(t, s, testRegistry1, 1)
		after := newDump(t, engine, place)
		if left := after.of(t, testRegistry1); len(left) > 0 || !reflect.DeepEqual(after.of(t, registryA), others) {
			t.Errorf("%s: %d rows are left, or others were touched: %v", table, len(left), left)
		}
		if rows := AllLog(t, s, store.LogQuery{Registry: testRegistry1}); len(rows) < r.Documents+r.Clients {
			t.Errorf("%s: %d rows of the log, %+v", table, len(rows), r)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// populated gives a store whose test registry has something in the table.
func populated(t *testing.T, engine Engine, seed uint64, table string) (string, store.Store) {
	t.Helper()
	for ; ; seed += 100 {
		random := rand.New(rand.NewPCG(seed, 11))
		place := engine.NewPlace(t)
		s := engine.Open(t, place)
		OpenTest(t, s, testRegistry1)
		populate(t, s, random, registryA)
		populate(t, s, random, testRegistry1)
		if rows := newDump(t, engine, place).of(t, testRegistry1); !slices.Contains(dataTables, table) ||
			slices.ContainsFunc(rows, func(row string) bool { return strings.HasPrefix(row, table+": ") }) {
			return place, s
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// refuseWrites lets the database refuse every change of a table until it is restored.
func refuseWrites(t testing.TB, engine Engine, place, table string) (restore func()) {
	t.Helper()
	db := engine.Raw(t, place)
	ctx := context.WithoutCancel(t.Context())
	drop := `DROP TRIGGER refused_%s`
	_, err := db.ExecContext(ctx, `CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$ LANGUAGE plpgsql`)
	postgres := err == nil || strings.Contains(err.Error(), "already exists")
	for _, what := range []string{"INSERT", "UPDATE", "DELETE"} {
		statement := fmt.Sprintf(`CREATE TRIGGER refused_%s BEFORE %s ON %s BEGIN SELECT RAISE(ABORT, 'refused'); END`, what, what, table)
		if postgres {
			statement = fmt.Sprintf(`CREATE TRIGGER refused_%s BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION refuse()`, what, what, table)
			drop = `DROP TRIGGER refused_%s ON ` + table
		}
		if _, err := db.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		for _, what := range []string{"INSERT", "UPDATE", "DELETE"} {
			if _, err := db.ExecContext(ctx, fmt.Sprintf(drop, what)); err != nil {
				t.Fatal(err)
			}
		}
		_ = db.Close()
	}
}
