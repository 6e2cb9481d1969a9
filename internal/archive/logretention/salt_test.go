// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logretention_test

import (
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// Without its salt a leaf of the provable log says nothing of the row that it was of. One that was still waiting for
// its leaf waits no more.
func TestWithARowGoesTheSaltOfItsLeaf(t *testing.T) {
	onBoth(t, func(t *testing.T, e engine, place string) {
		old, young := time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 5, 0, 0, 0, 0, time.UTC)
		e.with(t, place, func(s *sqlstore.Store) {
			fill(t, s, registryA, old, 3)
			fill(t, s, registryA, young, 2)
			if err := storetest.Sequencer(s, storetest.LogKey(t), young).CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			fill(t, s, registryA, old.Add(time.Hour), 1)
			if told, err := run(t, s, time.Date(2038, 4, 1, 0, 0, 0, 0, time.UTC), false); err != nil || len(told) != 1 {
				t.Fatalf("told %v, %v", told, err)
			}
		})
		db, err := e.raw(t.Context(), place)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		for query, want := range map[string]int{
			`SELECT count(*) FROM log_leaves`:                                  2,
			`SELECT coalesce(max(leaf_index), 0) FROM log_leaves`:              4, // the tree keeps its size
			`SELECT count(*) FROM log_pending`:                                 1, // the row that tells of the destruction
			`SELECT count(*) FROM log_leaves WHERE time_us < 1774998000000000`: 0,
		} {
			var got int
			if err := db.QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %d, want %d (%v)", query, got, want, err)
			}
		}
	})
}
