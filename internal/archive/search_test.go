// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func TestSearchByMatterAndTimes(t *testing.T) {
	a := newArena(t)
	other := a.another(0)
	in := func(c *caller, client uuid.UUID, matter, created, task string) string {
		path := "/documents" + query("case-note", []uuid.UUID{client}, "matter="+matter+"&created="+created+"&serviceTask="+task)
		return a.expect("storing", c.send("POST", path, "application/json", []byte(note("x"))), 201).id()
	}
	a.openMatter("m-1", []uuid.UUID{a.client}, task, "family-law")
	a.openMatter("m-2", []uuid.UUID{a.client}, task)
	a.openMatter("m-3", []uuid.UUID{other}, task)
	old := in(a.unit, a.client, "m-1", "2026-01-01T00:00:00Z", task)
	in(a.organizer, a.client, "m-1", "2026-06-01T00:00:00Z", "family-law")
	in(a.organizer, other, "m-3", "2026-06-01T00:00:00Z", task)
	in(a.unit, a.client, "m-2", "2026-06-01T00:00:00Z", task)
	client := a.client.String()
	for name, c := range map[string]struct {
		caller *caller
		query  map[string]any
		total  float64
	}{
		"organizer, matter":            {a.organizer, map[string]any{"client": "", "matter": "m-1"}, 2},
		"organizer, unknown matter":    {a.organizer, map[string]any{"client": "", "matter": "m-9"}, 0},
		"organizer, another's matter":  {a.organizer, map[string]any{"client": client, "matter": "m-3"}, 0},
		"organizer, matter and client": {a.organizer, map[string]any{"client": client, "matter": "m-1"}, 2},
		"unit, matter and client":      {a.unit, map[string]any{"client": client, "matter": "m-1"}, 1},
		"created from":                 {a.unit, map[string]any{"client": client, "createdFrom": "2026-01-01T00:00:01Z"}, 1},
		"created until":                {a.unit, map[string]any{"client": client, "createdUntil": "2026-06-01T00:00:00Z"}, 1},
		"stored":                       {a.unit, map[string]any{"client": client, "state": "stored"}, 2},
	} {
		if got := a.expect(name, c.caller.search(c.query), 200); got.json["total"] != c.total {
			t.Errorf("%s: %s, want %v", name, got, c.total)
		}
	}
	a.expect("another matter", a.organizer.correct(old, `"1"`, "clerical-error", note("x"), task), 201)
	if got := a.organizer.search(map[string]any{"client": "", "matter": "m-1"}); got.json["total"] != 1.0 {
		t.Errorf("a matter of a former version counts: %s", got)
	}
	row := a.row(a.organizer.search(map[string]any{"client": "", "matter": "m-1", "createdFrom": "2026-06-01T00:00:00Z"}))
	if string(row.Criteria) != `{"matter":"m-1","createdFrom":"2026-06-01T00:00:00Z","limit":50}` || row.ClientID != uuid.Nil || row.Outcome != store.OutcomeAllowed {
		t.Errorf("the row is %+v", row)
	}
	in(a.unit, a.client, "m-1", "2026-01-01T00:00:00Z", task)
	next := a.organizer.search(map[string]any{"client": "", "matter": "m-1", "limit": 1}).json["next"]
	a.check("a cursor of another matter", a.organizer.search(map[string]any{"client": "", "matter": "m-2", "limit": 1, "cursor": next}), 400, "cursor-invalid")
}
