// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

// TestConformance runs on a database that sorts by Finnish rules, as one's server may: nothing may rest on the
// order of text. Each place is a schema of its own, which is made much faster than a database.
func TestConformance(t *testing.T) {
	cluster := pgcluster.Shared(t)
	database, err := cluster.NewDatabase(t.Context(), "LOCALE_PROVIDER icu ICU_LOCALE 'fi' LC_COLLATE 'C' LC_CTYPE 'C'")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.DropDatabase(context.Background(), database); err != nil {
			t.Error(err)
		}
	})
	places := 0
	storetest.Run(t, storetest.Engine{
		Open: func(t testing.TB, place string) store.Store { return openAt(t, place) },
		NewPlace: func(t testing.TB) string {
			t.Helper()
			places++
			schema := fmt.Sprintf("place%d", places)
			if err := cluster.Exec(t.Context(), database, "CREATE SCHEMA "+schema); err != nil {
				t.Fatal(err)
			}
			return cluster.URI(database) + "&search_path=" + schema
		},
		Raw: func(t testing.TB, place string) *sql.DB {
			t.Helper()
			db, err := OpenDatabase(t.Context(), place)
			if err != nil {
				t.Fatal(err)
			}
			return db
		},
		Through: func(t testing.TB, place string, faults func(sqlstore.Tx) sqlstore.Tx) store.Store {
			t.Helper()
			engine, err := openEngine(t.Context(), Options{URI: place, Lanes: 1}, nil, checkServe)
			if err != nil {
				t.Fatal(err)
			}
			return storetest.Faulty(t, engine, cursorKey, faults)
		},
	})
}
