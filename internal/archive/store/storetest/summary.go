// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testSummary(t *testing.T, engine Engine) {
	t.Run("ASummaryIsWhatSearchesFind", func(t *testing.T) { summaryIsWhatSearchesFind(t, engine) })
	t.Run("ASummaryTellsOfTheClient", func(t *testing.T) { summaryTellsOfTheClient(t, engine) })
}

// summaryIsWhatSearchesFind holds counts and lists to the naive answer and to the total of a search.
func summaryIsWhatSearchesFind(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	clients := []uuid.UUID{Client(t, s, registryA, 1), Client(t, s, registryA, 2)}
	all := fill(t, s, clients)
	rapid.Check(t, func(rt *rapid.T) {
		visible := drawQuery(rt, clients)
		visible.Registry, visible.ClientID = registryA, rapid.SampledFrom(clients).Draw(rt, "of")
		query := store.SummaryQuery{
			Visible:  visible,
			Sections: rapid.SliceOfN(rapid.SampledFrom([][]string{{"plan"}, {"decision", "plan"}, {"none"}, {}, nil}), 0, 3).Draw(rt, "sections"),
			Newest:   rapid.IntRange(1, 12).Draw(rt, "newest"),
		}
		got, err := s.Summary(t.Context(), query)
		if err != nil {
			rt.Fatal(err)
		}
		found, err := s.Search(t.Context(), visible)
		if err != nil {
			rt.Fatal(err)
		}
		wanted := naive(all, visible)
		if got.Total != len(wanted) || got.Total != found.Total || len(got.Newest) != len(query.Sections) {
			rt.Fatalf("%+v: %d documents in %d lists, %d are found and %d visible", query, got.Total, len(got.Newest), found.Total, len(wanted))
		}
		var counts []store.TypeCount
		for _, kind := range []string{"case-note", "decision", "plan"} {
			if n := len(ofTypes(wanted, kind)); n > 0 {
				counts = append(counts, store.TypeCount{Type: kind, Count: n})
			}
		}
		if !reflect.DeepEqual(got.Counts, counts) {
			rt.Fatalf("%+v: counted %v, want %v", query, got.Counts, counts)
		}
		for i, types := range query.Sections {
			newest := ofTypes(wanted, types...)
			newest = newest[:min(len(newest), query.Newest)]
			if len(newest) != len(got.Newest[i]) || len(newest) > 0 && !reflect.DeepEqual(newest, got.Newest[i]) {
				rt.Fatalf("%+v: %d newest of %v, want %d, or another order", query, len(got.Newest[i]), types, len(newest))
			}
		}
	})
}

func ofTypes(all []store.Facts, types ...string) (of []store.Facts) {
	for _, f := range all {
		if slices.Contains(types, f.Type) {
			of = append(of, f)
		}
	}
	return of
}

// summaryTellsOfTheClient holds what does not hang on the access filter.
func summaryTellsOfTheClient(t *testing.T, engine Engine) {
	place := engine.NewPlace(t)
	s := engine.Open(t, place)
	db := engine.Raw(t, place)
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	one, other := Client(t, s, registryA, 1), Client(t, s, registryA, 2)
	ofBoth := OpenMatter(t, s, NewMatter(registryA, "m-1", []uuid.UUID{other, one}, "t1"))
	OpenMatter(t, s, NewMatter(registryA, "m-2", []uuid.UUID{one}, "t1"))
	OpenMatter(t, s, NewMatter(registryA, "m-3", []uuid.UUID{other}, "t1"))
	change := store.MatterChange{At: start, Recorded: start, By: store.Author{Organization: "1.2.246.10.99999991"}}
	if _, _, err := s.CloseMatter(t.Context(), registryA, "m-2", change, Row("close", start)); err != nil {
		t.Fatal(err)
	}
	ask := func(client uuid.UUID) store.SummaryQuery {
		return store.SummaryQuery{Visible: store.SearchQuery{Registry: registryA, ClientID: client}, Newest: 1}
	}
	for _, allowed := range []*[]string{nil, {"t1"}, {}} {
		query := ask(one)
		query.Visible.AllowedTasks = allowed
		got, err := s.Summary(t.Context(), query)
		if err != nil || !reflect.DeepEqual(got.Matters, []store.Matter{ofBoth}) || got.NonDisclosure || got.Total != 0 {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	setNonDisclosure(t, db, one, true)
	if got, err := s.Summary(t.Context(), ask(one)); err != nil || !got.NonDisclosure {
		t.Errorf("under a non-disclosure: %+v, %v", got, err)
	}
	if got, err := s.Summary(t.Context(), ask(other)); err != nil || got.NonDisclosure || len(got.Matters) != 2 {
		t.Errorf("the other: %+v, %v", got, err)
	}
	for name, c := range map[string]struct {
		change func(*store.SummaryQuery)
		wrong  func(error) bool
	}{
		"unknown client":         {func(q *store.SummaryQuery) { q.Visible.ClientID = uuid.New() }, is(store.ErrNotFound)},
		"client of another":      {func(q *store.SummaryQuery) { q.Visible.Registry = registryB }, is(store.ErrNotFound)},
		"no client":              {func(q *store.SummaryQuery) { q.Visible.ClientID = uuid.Nil }, isInvalid},
		"no client but a matter": {func(q *store.SummaryQuery) { q.Visible.ClientID, q.Visible.Matter = uuid.Nil, "m-1" }, isInvalid},
		"no registry":            {func(q *store.SummaryQuery) { q.Visible.Registry = "" }, isInvalid},
		"none of the newest":     {func(q *store.SummaryQuery) { q.Newest = 0 }, isInvalid},
		"too many of them":       {func(q *store.SummaryQuery) { q.Newest = store.MaxPage + 1 }, isInvalid},
	} {
		query := ask(one)
		c.change(&query)
		if _, err := s.Summary(t.Context(), query); !c.wrong(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
