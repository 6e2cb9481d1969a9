// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

func TestADocumentOfSeveralClients(t *testing.T) {
	a := newArena(t)
	sibling := a.another(0)
	path := "/documents" + query("case-note", []uuid.UUID{a.client, sibling}, versionQuery(task))
	store := func(c *caller) reply { return c.send("POST", path, "application/json", []byte(note("x"))) }
	a.check("storing for one of whom there is no relationship", store(a.unit), 403, "no-relationship")
	stored := a.expect("the organizer", store(a.organizer), 201)
	if row := a.row(stored); row.ClientID != a.client {
		t.Errorf("the row is about %s", row.ClientID)
	}
	id := stored.id()
	a.relateTo(sibling, otherUnitOID, 2)
	for name, reader := range map[string]struct {
		caller  *caller
		through uuid.UUID
		other   uuid.UUID
	}{"through one": {a.unit, a.client, sibling}, "through the other": {a.otherUnit, sibling, a.client}} {
		for _, path := range []string{"", "/metadata", "/versions", "/versions/1"} {
			got := a.expect(name+path, reader.caller.get("/documents/"+id+path), 200)
			if row := a.row(got); row.ClientID != reader.through || row.Relationship.UID == "" {
				t.Errorf("%s%s: the row is %+v", name, path, row)
			}
			if path != "" && path != "/versions/1" && (!got.has(reader.through.String()) || got.has(reader.other.String())) {
				t.Errorf("%s%s: clients of %s", name, path, got)
			}
		}
		found := a.expect(name, reader.caller.search(map[string]any{"client": reader.through.String()}), 200)
		if found.json["total"] != 1.0 || found.has(reader.other.String()) {
			t.Errorf("%s: found %s", name, found)
		}
	}
	if got := a.organizer.get("/documents/" + id + "/metadata"); !got.has(a.client.String()) || !got.has(sibling.String()) {
		t.Errorf("the organizer: %s", got)
	}
	if a.total(a.client) != 1 || a.total(sibling) != 1 {
		t.Error("it is not among the documents of each")
	}
	a.relateTo(sibling, unitOID, 3)
	both := a.expect("storing for both", store(a.unit), 201)
	if !both.has(a.client.String()) || !both.has(sibling.String()) {
		t.Errorf("clients of %s", both)
	}
	a.expect("a version for both", a.unit.revise(both.id(), `"1"`, note("y"), task), 201)
	a.relateTo(sibling, unitOID, 3, func(r *index.Relationship) { r.End = a.clock.Now() })
	a.expect("reading after one ended", a.unit.get("/documents/"+both.id()), 200)
	got := a.unit.revise(both.id(), `"2"`, note("z"), task)
	a.check("a version after one ended", got, 403, "relationship-ended")
	if row := a.row(got); row.ClientID != sibling {
		t.Errorf("the row is about %s", row.ClientID)
	}
	a.extend()
	a.check("annulling after one ended", a.unit.annul(both.id(), `"2"`, "duplicate"), 403, "relationship-ended")
	a.check("an unknown one among them", a.organizer.send("POST", "/documents"+query("case-note", []uuid.UUID{a.client, uuid.New()}, versionQuery(task)),
		"application/json", []byte(note("x"))), 404, "client-unknown")
}

// Several clients do not widen the right: each reading is through one client with that client's tasks.
func TestInvariant1_RelationshipsOfSeveralClientsDoNotAddUp(t *testing.T) {
	a := newArena(t)
	sibling := a.another(0)
	a.relateTo(sibling, unitOID, 2)
	clients := []uuid.UUID{a.client, sibling}
	got := a.organizer.send("POST", "/documents"+query("case-note", clients, versionQuery(indextest.BoughtTask)), "application/json", []byte(note("x")))
	id := a.expect("storing", got, 201).id()
	a.check("a task of neither", a.unit.get("/documents/"+id), 403, "task-not-covered")
	a.relate(a.client, func(r *index.Relationship) { r.End = a.clock.Now() })
	a.check("told of the nearer one", a.unit.get("/documents/"+id), 403, "task-not-covered")
	a.relateTo(sibling, unitOID, 2, func(r *index.Relationship) { r.End = a.clock.Now() })
	a.check("ended for both", a.unit.get("/documents/"+id), 403, "relationship-ended")
}

// An older version is open through a client through whom the current one is, or not at all.
func TestInvariant3_OldVersionsThroughTheSameClient(t *testing.T) {
	a := newArena(t)
	sibling := a.another(0)
	a.relateTo(sibling, unitOID, 2, func(r *index.Relationship) { r.Tasks = []string{indextest.BoughtTask} })
	path := "/documents" + query("case-note", []uuid.UUID{a.client, sibling}, versionQuery(task))
	id := a.expect("storing", a.organizer.send("POST", path, "application/json", []byte(note("x"))), 201).id()
	a.expect("moving", a.organizer.correct(id, `"1"`, "clerical-error", note("y"), indextest.BoughtTask), 201)
	a.expect("the current one", a.unit.get("/documents/"+id), 200)
	a.check("the older one", a.unit.get("/documents/"+id+"/versions/1"), 403, "task-not-covered")
	if history := a.unit.get("/documents/" + id + "/versions"); history.has(`"version":1`) || !history.has(`"version":2`) {
		t.Errorf("history %s", history)
	}
}
