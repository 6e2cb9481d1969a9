// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testSearch(t *testing.T, engine Engine) {
	t.Run("PagesAreTheNaiveAnswer", func(t *testing.T) { searchPagesAreTheNaiveAnswer(t, engine) })
	t.Run("AnEmptySetOfTasksSeesNothing", func(t *testing.T) { searchAnEmptySetOfTasksSeesNothing(t, engine) })
	t.Run("InvariantSearchNeverLeaks_CursorBelongsToCallerAndQuery", func(t *testing.T) { searchNeverLeaksCursorBelongsToCallerAndQuery(t, engine) })
	t.Run("BoundsAreChecked", func(t *testing.T) { searchBoundsAreChecked(t, engine) })
}

func searchPagesAreTheNaiveAnswer(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	clients := []uuid.UUID{Client(t, s, registryA, 1), Client(t, s, registryA, 2)}
	all := fill(t, s, clients)
	rapid.Check(t, func(rt *rapid.T) {
		query := drawQuery(rt, clients)
		want := naive(all, query)
		got, totals := walk(t, s, query)
		if !reflect.DeepEqual(ids(got), ids(want)) {
			rt.Fatalf("%d documents, naively %d, or another order", len(got), len(want))
		}
		for _, total := range totals {
			if total != len(want) {
				rt.Fatalf("total %d, visible %d", total, len(want))
			}
		}
	})
}

func searchAnEmptySetOfTasksSeesNothing(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	fill(t, s, []uuid.UUID{client})
	got, err := s.Search(t.Context(), store.SearchQuery{
		Registry: registryA, ClientID: client, AllowedTasks: &[]string{}, Limit: 10,
	})
	if err != nil || len(got.Items) != 0 || got.Total != 0 || got.Next != "" {
		t.Errorf("got %d items, total %d, err %v", len(got.Items), got.Total, err)
	}
}

func searchNeverLeaksCursorBelongsToCallerAndQuery(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client, other := Client(t, s, registryA, 1), Client(t, s, registryA, 2)
	fill(t, s, []uuid.UUID{client, other})
	query := store.SearchQuery{Registry: registryA, ClientID: client, Limit: 2, CallerBinding: "unit-1"}
	first, err := s.Search(t.Context(), query)
	if err != nil || first.Next == "" {
		t.Fatalf("next=%q err=%v", first.Next, err)
	}
	query.Cursor = first.Next
	for name, change := range map[string]func(*store.SearchQuery){
		"another caller":   func(q *store.SearchQuery) { q.CallerBinding = "unit-2" },
		"another client":   func(q *store.SearchQuery) { q.ClientID = other },
		"another registry": func(q *store.SearchQuery) { q.Registry = registryB },
		"another type":     func(q *store.SearchQuery) { q.Type = "plan" },
		"another task":     func(q *store.SearchQuery) { q.ServiceTask = "t1" },
		"another unit":     func(q *store.SearchQuery) { q.AuthorUnit = "u1" },
		"another from":     func(q *store.SearchQuery) { q.StoredFrom = start },
		"another until":    func(q *store.SearchQuery) { q.StoredUntil = start.Add(time.Hour) },
		"forged":           func(q *store.SearchQuery) { q.Cursor = flip(q.Cursor, 3) },
		"forged tag":       func(q *store.SearchQuery) { q.Cursor = flip(q.Cursor, len(q.Cursor)-4) },
		"cut":              func(q *store.SearchQuery) { q.Cursor = q.Cursor[:len(q.Cursor)-4] },
		"garbage":          func(q *store.SearchQuery) { q.Cursor = "%" },
	} {
		bad := query
		change(&bad)
		if _, err := s.Search(t.Context(), bad); !errors.Is(err, store.ErrCursor) {
			t.Errorf("%s: got %v, want ErrCursor", name, err)
		}
	}
	narrowed := query
	narrowed.AllowedTasks = &[]string{"t1"}
	got, err := s.Search(t.Context(), narrowed)
	if err != nil {
		t.Fatalf("a narrowed right must narrow the next page, not break it: %v", err)
	}
	for _, item := range got.Items {
		if !slices.Contains(item.ServiceTasks, "t1") {
			t.Error("the page shows a document outside the right of now")
		}
	}
}

func searchBoundsAreChecked(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	for name, query := range map[string]store.SearchQuery{
		"no client":   {Registry: registryA, Limit: 1},
		"no registry": {ClientID: uuid.New(), Limit: 1},
		"no limit":    {Registry: registryA, ClientID: uuid.New()},
		"large limit": {Registry: registryA, ClientID: uuid.New(), Limit: store.MaxPage + 1},
	} {
		var invalid *store.InvalidError
		if _, err := s.Search(t.Context(), query); !errors.As(err, &invalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

var taskCodes = []string{"t1", "t2", "t3"}

// fill stores documents of every combination, several of them in one microsecond.
func fill(t testing.TB, s store.Store, clients []uuid.UUID) (all []store.Facts) {
	t.Helper()
	for i := range 60 {
		doc := NewDocument(registryA, clients[i%len(clients)], start.Add(time.Duration(i/4)*time.Minute), fmt.Appendf(nil, "body %d", i))
		for bit, task := range taskCodes {
			if (i+1)&(1<<bit) != 0 {
				doc.ServiceTasks = append(doc.ServiceTasks, task)
			}
		}
		if len(doc.ServiceTasks) == 0 {
			doc.ServiceTasks = []string{"t9"}
		}
		doc.Type = []string{"case-note", "plan", "decision"}[i%3]
		doc.Author.Unit = []string{"", "u1", "u2"}[i/3%3]
		facts, err := s.StoreDocument(t.Context(), doc, Row("document.store", doc.Stored))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, facts)
	}
	return all
}

func drawQuery(rt *rapid.T, clients []uuid.UUID) store.SearchQuery {
	query := store.SearchQuery{
		Registry:      rapid.SampledFrom([]string{registryA, registryA, registryA, registryB}).Draw(rt, "registry"),
		ClientID:      rapid.SampledFrom(clients).Draw(rt, "client"),
		ServiceTask:   rapid.SampledFrom([]string{"", "", "t1", "t2", "none"}).Draw(rt, "task"),
		Type:          rapid.SampledFrom([]string{"", "", "plan", "none"}).Draw(rt, "type"),
		AuthorUnit:    rapid.SampledFrom([]string{"", "", "u1"}).Draw(rt, "unit"),
		Limit:         rapid.IntRange(1, 40).Draw(rt, "limit"),
		CallerBinding: "caller",
	}
	if rapid.Bool().Draw(rt, "restricted") {
		allowed := rapid.SliceOfN(rapid.SampledFrom(append(taskCodes, "t9", "none")), 0, 4).Draw(rt, "allowed")
		query.AllowedTasks = &allowed
	}
	if rapid.Bool().Draw(rt, "from") {
		query.StoredFrom = start.Add(time.Duration(rapid.IntRange(-1, 16).Draw(rt, "fromMinute")) * time.Minute)
	}
	if rapid.Bool().Draw(rt, "until") {
		query.StoredUntil = start.Add(time.Duration(rapid.IntRange(-1, 16).Draw(rt, "untilMinute")) * time.Minute)
	}
	return query
}

// naive filters and sorts by the words of the interface.
func naive(all []store.Facts, query store.SearchQuery) (out []store.Facts) {
	for _, f := range all {
		if query.Matches(f) {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b store.Facts) int {
		if c := b.Stored.Compare(a.Stored); c != 0 {
			return c
		}
		return bytes.Compare(b.ID[:], a.ID[:])
	})
	return out
}

// walk reads all pages.
func walk(t testing.TB, s store.Store, query store.SearchQuery) (items []store.Facts, totals []int) {
	t.Helper()
	for {
		page, err := s.Search(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Items) > query.Limit {
			t.Fatalf("%d items on a page of %d", len(page.Items), query.Limit)
		}
		items, totals = append(items, page.Items...), append(totals, page.Total)
		if page.Next == "" {
			return items, totals
		}
		query.Cursor = page.Next
	}
}

func ids(facts []store.Facts) []uuid.UUID {
	out := make([]uuid.UUID, len(facts))
	for i, f := range facts {
		out[i] = f.ID
	}
	return out
}

// flip changes one character of a cursor to another of its alphabet.
func flip(s string, i int) string {
	c := byte('A')
	if s[i] == c {
		c = 'B'
	}
	return s[:i] + string(c) + s[i+1:]
}
