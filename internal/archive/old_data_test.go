// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"testing"

	"github.com/google/uuid"
)

// oldPath is the address for storing a note of the client as old client data.
func oldPath(client uuid.UUID) string {
	return "/documents" + query("case-note", []uuid.UUID{client}, "oldClientData=true&created=2019-05-01T00:00:00Z&serviceTask="+task)
}

func (c *caller) storeOld(client uuid.UUID) reply {
	c.arena.t.Helper()
	return c.send("POST", oldPath(client), "application/xhtml+xml", []byte(page("from before")))
}

// Old client data (vanhat asiakastiedot) is outside the register access right, whatever its extent; its own registry
// controller uses it.
func TestOldClientDataIsUsedByTheOrganizerOnly(t *testing.T) {
	a := newArena(t)
	stored := a.expect("storing", a.organizer.storeOld(a.client), 201)
	id := stored.id()
	if stored.json["oldClientData"] != true {
		t.Errorf("stored %s", stored)
	}
	plain := a.expect("a plain one", a.unit.store(a.client, note("x"), task), 201)
	if plain.has("oldClientData") {
		t.Errorf("a plain one: %s", plain)
	}
	same := header("X-Request-Id", "the-same-request")
	for _, extent := range []string{"basic", "extended"} {
		if extent == "extended" {
			a.extend()
		}
		a.check(extent+", storing", a.unit.storeOld(a.client), 403, "extent-insufficient")
		for name, send := range map[string]func(id string) reply{
			"reading":       func(id string) reply { return a.unit.get("/documents/"+id, same) },
			"metadata":      func(id string) reply { return a.unit.get("/documents/"+id+"/metadata", same) },
			"versions":      func(id string) reply { return a.unit.get("/documents/"+id+"/versions", same) },
			"the first":     func(id string) reply { return a.unit.get("/documents/"+id+"/versions/1", same) },
			"a new version": func(id string) reply { return a.unit.sendVersion(id, "/versions?", same) },
			"a correction":  func(id string) reply { return a.unit.sendVersion(id, "/corrections?reason=clerical-error&", same) },
			"annulling": func(id string) reply {
				return a.unit.post("/documents/"+id+"/annulment", `{"reason": "duplicate"}`, same)
			},
			"the signature": func(id string) reply { return a.unit.get("/documents/"+id+"/versions/1/signature", same) },
		} {
			sameAnswer(t, extent+", "+name, send(id), send(uuid.NewString()))
		}
		found := a.expect(extent+", searching", a.unit.search(map[string]any{}), 200)
		if found.json["total"] != 1.0 || found.has(id) {
			t.Errorf("%s: found %s", extent, found)
		}
	}
	a.endRelationship()
	a.check("after the end", a.unit.get("/documents/"+id), 404, "document-not-found")

	if found := a.expect("the organizer's search", a.organizer.search(map[string]any{}), 200); found.json["total"] != 2.0 || !found.has(`"oldClientData":true`) {
		t.Errorf("the organizer found %s", found)
	}
	a.expect("the organizer reads", a.organizer.get("/documents/"+id), 200)
	corrected := a.expect("the organizer corrects", a.organizer.correct(id, `"1"`, "clerical-error", note("y"), task), 201)
	if corrected.json["oldClientData"] != true {
		t.Errorf("a correction makes it new: %s", corrected)
	}
	a.expect("the organizer annuls", a.organizer.annul(id, `"2"`, "duplicate"), 200)
	if got := a.expect("as evidence", a.organizer.search(map[string]any{"state": "annulled"}), 200); got.json["total"] != 1.0 {
		t.Errorf("annulled: %s", got)
	}
}

func (c *caller) sendVersion(id, path string, options ...option) reply {
	c.arena.t.Helper()
	return c.send("POST", "/documents/"+id+path+versionQuery(task), "application/json", []byte(note("x")), append(options, matching(`"1"`))...)
}

func TestWhatOldClientDataIsNot(t *testing.T) {
	a := newArena(t)
	a.openMatter("m-1", []uuid.UUID{a.client}, task)
	send := func(path string) reply {
		return a.organizer.send("POST", path, "application/json", []byte(note("x")))
	}
	a.check("in a matter", send(oldPath(a.client)+"&matter=m-1"), 400, "invalid-parameter")
	a.check("false", send(storePath(a.client, task)+"&oldClientData=false"), 400, "invalid-parameter")
	path := "/documents" + query("client-relationship", []uuid.UUID{a.client}, "oldClientData=true&"+versionQuery(task))
	body := relationshipDocument(unitOID, "2026-11-01T00:00:00Z", "", "service-voucher")
	a.check("a client relationship document", a.organizer.send("POST", path, "application/json", []byte(body)), 400, "invalid-parameter")
	id := a.expect("storing", a.organizer.storeOld(a.client), 201).id()
	a.check("moving it into a matter", a.organizer.reviseIn("m-1", id, `"1"`, task), 400, "invalid-parameter")
	a.check("a version that says so", a.organizer.send("POST", "/documents/"+id+"/versions?oldClientData=true&"+versionQuery(task),
		"application/json", []byte(note("x")), matching(`"1"`)), 400, "unknown-parameter")
}
