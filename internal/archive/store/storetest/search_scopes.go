// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// searchScopesAreWithinTheQuery walks, in small pages, every kind of scope with every kind of search: what the
// scopes leave out is in no page and in no total.
func searchScopesAreWithinTheQuery(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	clients := []uuid.UUID{Client(t, s, registryA, 1), Client(t, s, registryA, 2)}
	all := fill(t, s, clients)
	notes, plans := []string{"case-note"}, []string{"plan", "decision"}
	for _, scopes := range [][]store.Scope{
		{}, {{}}, {{Tasks: []string{}}}, {{Types: []string{}}}, {{Types: plans}}, {{Tasks: []string{"t1", "t2"}}},
		{{Tasks: []string{"t1"}, Types: notes}},
		{{Tasks: []string{"t1"}, Types: notes}, {Tasks: []string{"t1", "t3"}, Types: plans}},
		{{Types: notes}, {Tasks: []string{"t2"}}},
		{{Types: notes}, {Tasks: []string{"t2"}, Types: plans}, {Types: plans[:1]}},
	} {
		for _, allowed := range []*[]string{nil, {"t1"}, {"t1", "t2"}} {
			for _, query := range []store.SearchQuery{
				{ClientID: clients[0]}, {ClientID: clients[0], ServiceTask: "t1"}, {ClientID: clients[1], Type: "plan"},
				{Matter: "m1"}, {ClientID: clients[1], Matter: "s1"}, {ClientID: clients[0], Annulled: true},
				{ClientID: clients[0], OldData: true}, {ClientID: clients[0], OldData: true, Annulled: true},
			} {
				query.Registry, query.AllowedTasks, query.AllowedScopes, query.Limit = registryA, allowed, &scopes, 2
				checkSearch(t, t, s, query, all)
			}
		}
	}
}

// searchNarrowerScopesNarrowTheNextPage: a cursor is bound to the search, not to what could be seen at the time.
func searchNarrowerScopesNarrowTheNextPage(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	fill(t, s, []uuid.UUID{client})
	query := store.SearchQuery{Registry: registryA, ClientID: client, Limit: 2, CallerBinding: "unit-1"}
	first, err := s.Search(t.Context(), query)
	if err != nil || first.Next == "" {
		t.Fatalf("next=%q err=%v", first.Next, err)
	}
	query.Cursor, query.Limit = first.Next, store.MaxPage
	query.AllowedScopes = &[]store.Scope{{Tasks: []string{"t1"}, Types: []string{"plan"}}}
	got, err := s.Search(t.Context(), query)
	if err != nil {
		t.Fatalf("a narrowed right must narrow the next page, not break it: %v", err)
	}
	if len(got.Items) == 0 || got.Total >= first.Total {
		t.Errorf("%d items, total %d, before %d", len(got.Items), got.Total, first.Total)
	}
	for _, item := range got.Items {
		if !slices.Contains(item.ServiceTasks, "t1") || item.Type != "plan" {
			t.Error("the page shows a document outside the right of now")
		}
	}
}

func drawScope(rt *rapid.T) (scope store.Scope) {
	if rapid.Bool().Draw(rt, "of tasks") {
		scope.Tasks = rapid.SliceOfN(rapid.SampledFrom(append(slices.Clone(taskCodes), "t9", "none")), 0, 3).Draw(rt, "tasks")
	}
	if rapid.Bool().Draw(rt, "of types") {
		scope.Types = rapid.SliceOfN(rapid.SampledFrom([]string{"case-note", "plan", "decision", "none"}), 0, 3).Draw(rt, "types")
	}
	return scope
}
