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
	t.Run("EveryNarrowingGoesWithEveryFilter", func(t *testing.T) { searchEveryNarrowingGoesWithEveryFilter(t, engine) })
	t.Run("AnEmptySetOfTasksSeesNothing", func(t *testing.T) { searchAnEmptySetOfTasksSeesNothing(t, engine) })
	t.Run("InvariantSearchNeverLeaks_CursorBelongsToCallerAndQuery", func(t *testing.T) { searchNeverLeaksCursorBelongsToCallerAndQuery(t, engine) })
	t.Run("ScopesAreWithinTheQuery", func(t *testing.T) { searchScopesAreWithinTheQuery(t, engine) })
	t.Run("InvariantSearchNeverLeaks_NarrowerScopesNarrowTheNextPage", func(t *testing.T) { searchNarrowerScopesNarrowTheNextPage(t, engine) })
	t.Run("BoundsAreChecked", func(t *testing.T) { searchBoundsAreChecked(t, engine) })
}

func searchPagesAreTheNaiveAnswer(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	clients := []uuid.UUID{Client(t, s, registryA, 1), Client(t, s, registryA, 2)}
	all := fill(t, s, clients)
	rapid.Check(t, func(rt *rapid.T) { checkSearch(t, rt, s, drawQuery(rt, clients), all) })
}

// searchEveryNarrowingGoesWithEveryFilter walks, in small pages, what the property draws too seldom.
func searchEveryNarrowingGoesWithEveryFilter(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	clients := []uuid.UUID{Client(t, s, registryA, 1), Client(t, s, registryA, 2)}
	all := fill(t, s, clients)
	for _, allowed := range []*[]string{nil, {"t1"}, {"t1", "t2"}, {"t1", "t2", "t3", "t9"}} {
		for _, of := range []store.SearchQuery{{ClientID: clients[0]}, {Matter: "m1"}, {Matter: "s1"}, {ClientID: clients[1], Matter: "s1"}} {
			for _, narrowing := range []store.SearchQuery{
				{}, {Type: "plan"}, {AuthorUnit: "u1"}, {CreatedFrom: start.Add(5 * time.Minute)},
				{CreatedUntil: start.Add(9 * time.Minute)}, {Annulled: true}, {ServiceTask: "t2"},
				{OldData: true}, {OldData: true, Type: "plan", Annulled: true},
				{StoredFrom: start.Add(3 * time.Minute), StoredUntil: start.Add(11 * time.Minute)},
			} {
				query := narrowing
				query.Registry, query.ClientID, query.Matter = registryA, of.ClientID, of.Matter
				query.AllowedTasks, query.Limit = allowed, 2
				checkSearch(t, t, s, query, all)
			}
		}
	}
}

// checkSearch holds the pages and totals of a search to the naive answer.
func checkSearch(t *testing.T, rt rapid.TB, s store.Store, query store.SearchQuery, all []store.Facts) {
	want := naive(all, query)
	got, totals := walk(t, s, query)
	if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		rt.Fatalf("%+v: %d documents, naively %d, or another order", query, len(got), len(want))
	}
	for _, total := range totals {
		if total != len(want) {
			rt.Fatalf("%+v: total %d, visible %d", query, total, len(want))
		}
	}
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
		"another matter":   func(q *store.SearchQuery) { q.Matter = "m1" },
		"annulled ones":    func(q *store.SearchQuery) { q.Annulled = true },
		"created from":     func(q *store.SearchQuery) { q.CreatedFrom = start },
		"created until":    func(q *store.SearchQuery) { q.CreatedUntil = start.Add(time.Hour) },
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
		"no text":     {Registry: registryA, Matter: "m\x00", Limit: 1},
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

// fill opens two matters of each client (m and n) and of both (s), and stores documents of every combination,
// several of them in one microsecond, some of two clients, changes some of them, annuls some, and gives the current
// versions.
func fill(t testing.TB, s store.Store, clients []uuid.UUID) (all []store.Facts) {
	t.Helper()
	matters := func(of string, clients ...uuid.UUID) {
		for _, id := range []string{of + "1", of + "2"} {
			OpenMatter(t, s, NewMatter(registryA, id, clients, append(slices.Clone(taskCodes), "t9")...))
		}
	}
	for i, client := range clients {
		matters([]string{"m", "n"}[i], client)
	}
	if len(clients) > 1 {
		matters("s", clients[1], clients[0])
	}
	for i := range 60 {
		doc := NewDocument(registryA, clients[i%len(clients)], start.Add(time.Duration(i/4)*time.Minute), fmt.Appendf(nil, "body %d", i))
		doc.OldData = i%6 == 5
		of := []string{"m", "n"}[i%len(clients)]
		if i%5 == 0 && len(clients) > 1 {
			doc.ClientIDs = append(doc.ClientIDs, clients[(i+1)%len(clients)])
			of = "s"
		}
		doc.Type = []string{"case-note", "plan", "decision"}[i%3]
		doc.Content = fillContent(i, of, doc.OldData, doc.Content)
		facts := StoreNew(t, s, doc)
		if i%4 == 1 {
			version := NewVersion(facts, start.Add(time.Hour), fmt.Appendf(nil, "changed %d", i))
			version.Content = fillContent(i+i/4, of, doc.OldData, version.Content)
			if changed, _, err := s.AddVersion(t.Context(), version, Row("document.version", start)); err != nil {
				t.Fatal(err)
			} else {
				facts = changed
			}
		}
		if i%7 == 3 {
			if annulled, _, err := s.Annul(t.Context(), NewAnnulment(facts, start.Add(2*time.Hour), "mistake"), Row("document.annul", start)); err != nil {
				t.Fatal(err)
			} else {
				facts = annulled
			}
		}
		all = append(all, facts)
	}
	return all
}

// fillContent varies what a search asks for.
func fillContent(i int, of string, old bool, content store.Content) store.Content {
	for bit, task := range taskCodes {
		if (i+1)&(1<<bit) != 0 {
			content.ServiceTasks = append(content.ServiceTasks, task)
		}
	}
	if len(content.ServiceTasks) == 0 {
		content.ServiceTasks = []string{"t9"}
	}
	content.Author.Unit = []string{"", "u1", "u2"}[i/3%3]
	if content.Matter = []string{"", of + "1", of + "2", of + "1"}[i/2%4]; old {
		content.Matter = ""
	}
	content.Created = start.Add(time.Duration(i*7%16) * time.Minute)
	return content
}

func drawQuery(rt *rapid.T, clients []uuid.UUID) store.SearchQuery {
	query := store.SearchQuery{
		Registry:      rapid.SampledFrom([]string{registryA, registryA, registryA, registryB}).Draw(rt, "registry"),
		ClientID:      rapid.SampledFrom(clients).Draw(rt, "client"),
		ServiceTask:   rapid.SampledFrom([]string{"", "", "t1", "t2", "none"}).Draw(rt, "task"),
		Type:          rapid.SampledFrom([]string{"", "", "plan", "none"}).Draw(rt, "type"),
		Annulled:      rapid.IntRange(0, 3).Draw(rt, "annulled") == 0,
		Matter:        rapid.SampledFrom([]string{"", "", "m1", "s1", "m2", "none"}).Draw(rt, "matter"),
		AuthorUnit:    rapid.SampledFrom([]string{"", "", "u1"}).Draw(rt, "unit"),
		Limit:         rapid.IntRange(1, 40).Draw(rt, "limit"),
		CallerBinding: "caller", OldData: rapid.Bool().Draw(rt, "oldData"),
	}
	if rapid.Bool().Draw(rt, "restricted") {
		allowed := rapid.SliceOfN(rapid.SampledFrom(append(taskCodes, "t9", "none")), 0, 4).Draw(rt, "allowed")
		query.AllowedTasks = &allowed
	}
	if rapid.Bool().Draw(rt, "scoped") {
		scopes := rapid.SliceOfN(rapid.Custom(drawScope), 0, 4).Draw(rt, "scopes")
		query.AllowedScopes = &scopes
	}
	if query.Matter != "" && rapid.Bool().Draw(rt, "wholeMatter") {
		query.ClientID = uuid.Nil
	}
	for _, bound := range []*time.Time{&query.StoredFrom, &query.StoredUntil, &query.CreatedFrom, &query.CreatedUntil} {
		if rapid.IntRange(0, 3).Draw(rt, "bounded") == 0 {
			*bound = start.Add(time.Duration(rapid.IntRange(-1, 17).Draw(rt, "minute")) * time.Minute)
		}
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
		if c := b.FirstStored.Compare(a.FirstStored); c != 0 {
			return c
		}
		return bytes.Compare(b.ID[:], a.ID[:])
	})
	return out
}

// walk reads all pages.
func walk(t testing.TB, s store.Store, query store.SearchQuery) (items []store.Facts, totals []int) {
	t.Helper()
	for range 1000 { // a broken cursor goes in circles
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
	t.Fatal("the pages have no end")
	return nil, nil
}

// flip changes one character of a cursor to another of its alphabet.
func flip(s string, i int) string {
	c := byte('A')
	if s[i] == c {
		c = 'B'
	}
	return s[:i] + string(c) + s[i+1:]
}
