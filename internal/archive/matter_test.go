// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

// inMatter is the address for storing a note of the clients into the matter.
func inMatter(id string, clients []uuid.UUID, tasks ...string) string {
	return "/documents" + query("case-note", clients, "matter="+id+"&"+versionQuery(tasks...))
}

func (c *caller) storeAt(path string) reply {
	c.arena.t.Helper()
	return c.send("POST", path, "application/json", []byte(note("x")))
}

// reviseIn stores a new version in the matter.
func (c *caller) reviseIn(matter, id, tag string, tasks ...string) reply {
	c.arena.t.Helper()
	return c.send("POST", "/documents/"+id+"/versions?matter="+matter+"&"+versionQuery(tasks...), "application/json", []byte(note("new")), matching(tag))
}

func (c *caller) closeMatter(id string) reply {
	c.arena.t.Helper()
	return c.post("/matters/"+id+"/closure", "{}")
}

func matterBody(id string, clients []uuid.UUID, tasks ...string) map[string]any {
	return map[string]any{"id": id, "clients": clients, "serviceTasks": tasks}
}

func TestAMattersLife(t *testing.T) {
	a := newArena(t)
	one := []uuid.UUID{a.client}
	opening := matterBody("m-1", one, task)
	opening["openedAt"] = "2026-11-20T08:00:00Z"
	opened := a.expect("opening", a.organizer.post("/matters", opening), 201)
	if opened.header.Get("Location") != "/v1/registries/"+registryOID+"/matters/m-1" || opened.json["state"] != "open" || opened.json["openedAt"] != "2026-11-20T08:00:00Z" {
		t.Errorf("opened %s", opened)
	}
	if row := a.row(opened); row.Operation != "OpenMatter" || row.ClientID != a.client || string(row.Criteria) != `{"matter":"m-1"}` {
		t.Errorf("the row is %+v", row)
	}
	a.expect("opening again", a.organizer.post("/matters", opening), 200)
	a.check("opening another under its identifier", a.organizer.post("/matters", matterBody("m-1", []uuid.UUID{a.another(0)}, task)), 409, "matter-exists")
	id := a.expect("storing", a.unit.storeAt(inMatter("m-1", one, task)), 201).id()

	a.check("closing before it was opened", a.organizer.post("/matters/m-1/closure", map[string]any{"closedAt": "2026-11-19T08:00:00Z"}), 400, "invalid-field")
	a.check("closing in the future", a.organizer.post("/matters/m-1/closure", map[string]any{"closedAt": "2027-11-19T08:00:00Z"}), 400, "invalid-field")
	closed := a.expect("closing", a.organizer.post("/matters/m-1/closure", map[string]any{"closedAt": "2026-11-21T08:00:00Z"}), 200)
	if closed.json["state"] != "closed" || closed.json["closedAt"] != "2026-11-21T08:00:00Z" {
		t.Errorf("closed %s", closed)
	}
	for _, body := range []string{"{}", `{"closedAt": "2026-11-21T08:00:00Z"}`} {
		if again := a.expect("closing again", a.organizer.post("/matters/m-1/closure", body), 200); len(again.json["events"].([]any)) != 2 {
			t.Errorf("closed again %s", again)
		}
	}
	a.check("closing at another time", a.organizer.post("/matters/m-1/closure", map[string]any{"closedAt": "2026-11-21T09:00:00Z"}), 409, "matter-closed")
	a.check("a document", a.unit.storeAt(inMatter("m-1", one, task)), 409, "matter-closed")
	a.check("a version", a.unit.reviseIn("m-1", id, `"1"`, task), 409, "matter-closed")
	a.check("a version that leaves", a.unit.revise(id, `"1"`, note("y"), task), 409, "matter-closed")
	path := "/documents/" + id + "/corrections?reason=clerical-error&matter=m-1&" + versionQuery(task)
	a.expect("a correction", a.organizer.send("POST", path, "application/json", []byte(note("y")), matching(`"1"`)), 201)

	for range 2 {
		reopened := a.expect("reopening", a.organizer.post("/matters/m-1/reopening", "{}"), 200)
		if reopened.json["state"] != "open" || reopened.json["closedAt"] != nil {
			t.Errorf("reopened %s", reopened)
		}
	}
	a.expect("a document", a.unit.storeAt(inMatter("m-1", one, task)), 201)
	a.expect("closing", a.organizer.closeMatter("m-1"), 200)
	a.expect("annulling in a closed one", a.organizer.annul(id, `"2"`, "duplicate"), 200)

	read := a.expect("reading", a.unit.get("/matters/m-1"), 200)
	var kinds []string
	for _, event := range read.json["events"].([]any) {
		kinds = append(kinds, event.(map[string]any)["kind"].(string))
	}
	if strings.Join(kinds, " ") != "opened closed reopened closed" || !read.has(`"role":"social-worker"`) {
		t.Errorf("read %s", read)
	}
	a.expect("head", a.unit.send("HEAD", "/matters/m-1", "", nil), 200)
	listed := a.expect("listing", a.unit.post("/matters/_search", map[string]any{"client": a.client}), 200)
	if !listed.has(`"id":"m-1"`) || listed.has("events") || a.row(listed).ClientID != a.client {
		t.Errorf("listed %s", listed)
	}
}

func TestAMatterWithoutAnIdentifier(t *testing.T) {
	a := newArena(t)
	body := matterBody("", []uuid.UUID{a.client}, task)
	first := a.expect("opening", a.organizer.post("/matters", body, header("Idempotency-Key", "k")), 201)
	again := a.expect("repeating", a.organizer.post("/matters", body, header("Idempotency-Key", "k")), 200)
	other := a.expect("another", a.organizer.post("/matters", body), 201)
	if first.id() != again.id() || first.id() == other.id() || uuid.Validate(other.id()) != nil {
		t.Errorf("%s, %s and %s", first.id(), again.id(), other.id())
	}
}

func TestWhatAMatterSays(t *testing.T) {
	a := newArena(t)
	good := func() map[string]any { return matterBody("m-1", []uuid.UUID{a.client}, task) }
	for name, c := range map[string]struct {
		field  string
		value  any
		status int
		reason string
	}{
		"no client":        {"clients", []string{}, 400, "invalid-field"},
		"a client twice":   {"clients", []string{a.client.String(), a.client.String()}, 400, "invalid-field"},
		"nine clients":     {"clients", strings.Split(strings.Repeat(a.client.String()+" ", 9), " ")[:9], 400, "invalid-field"},
		"no id of one":     {"clients", []string{"x"}, 400, "invalid-field"},
		"unknown client":   {"clients", []string{uuid.NewString()}, 404, "client-unknown"},
		"no task":          {"serviceTasks", []string{}, 400, "invalid-field"},
		"no code":          {"serviceTasks", []string{"a b"}, 400, "invalid-field"},
		"empty task":       {"serviceTasks", []string{""}, 400, "invalid-field"},
		"unknown task":     {"serviceTasks", []string{"none"}, 422, "service-task-unknown"},
		"identifier":       {"id", "a/b", 400, "invalid-field"},
		"code as an id":    {"id", testCode, 400, "identity-code-misplaced"},
		"future":           {"openedAt", "2027-01-01T00:00:00Z", 400, "invalid-field"},
		"no time":          {"openedAt", "yesterday", 400, "invalid-field"},
		"an unknown field": {"client", a.client, 400, "unknown-field"},
	} {
		body := good()
		body[c.field] = c.value
		a.check(name, a.organizer.post("/matters", body), c.status, c.reason)
	}
	a.check("parameters", a.organizer.post("/matters?id=m-1", good()), 400, "unknown-parameter")
	a.check("reading with parameters", a.organizer.get("/matters/m-1?x=y"), 400, "unknown-parameter")
	a.check("reading what is none", a.organizer.get("/matters/a+b"), 400, "invalid-parameter")
	a.check("reading none", a.organizer.get("/matters/m-1"), 404, "matter-unknown")
	a.check("closing none", a.organizer.closeMatter("m-1"), 404, "matter-unknown")
	a.check("reopening none", a.organizer.post("/matters/m-1/reopening", "{}"), 404, "matter-unknown")
	a.check("reopening with a field", a.organizer.post("/matters/m-1/reopening", `{"at": 1}`), 400, "unknown-field")
	a.check("of nobody", a.organizer.post("/matters/_search", "{}"), 400, "invalid-field")
	a.check("of an unknown client", a.organizer.post("/matters/_search", map[string]any{"client": uuid.New()}), 404, "client-unknown")
	a.store.set(func(f *faultyStore) { f.write = fmt.Errorf("disk: %w", store.ErrUnavailable) })
	a.check("without a disk", a.organizer.post("/matters", good()), 503, "store-unavailable")
}

func TestStatement9_OnlyTheExtendedRightLetsAProducerManageMatters(t *testing.T) {
	a := newArena(t)
	sibling := a.another(0)
	a.openMatter("theirs", []uuid.UUID{a.client, sibling}, task)
	a.openMatter("own", []uuid.UUID{a.client}, task)
	mine := func(id string) reply { return a.unit.post("/matters", matterBody(id, []uuid.UUID{a.client}, task)) }
	a.check("basic, opening", mine("m-1"), 403, "extent-insufficient")
	a.check("basic, closing", a.unit.closeMatter("own"), 403, "extent-insufficient")
	a.check("basic, reopening", a.unit.post("/matters/own/reopening", "{}"), 403, "extent-insufficient")
	a.extend()
	a.expect("extended, opening", mine("m-1"), 201)
	a.expect("extended, closing", a.unit.closeMatter("m-1"), 200)
	a.expect("extended, reopening", a.unit.post("/matters/m-1/reopening", "{}"), 200)
	a.check("a task outside the right", a.unit.post("/matters", matterBody("m-2", []uuid.UUID{a.client}, task, "family-law")), 403, "task-not-covered")
	a.check("a client without a relationship", a.unit.post("/matters", matterBody("m-2", []uuid.UUID{a.client, sibling}, task)), 403, "no-relationship")
	a.check("closing for one without", a.unit.closeMatter("theirs"), 403, "no-relationship")
	a.check("a role without the right", a.unit.post("/matters", matterBody("m-2", []uuid.UUID{a.client}, task), a.unit.as("practical-nurse")), 403, "user-right-missing")
	a.check("the organizer's nurse", a.organizer.post("/matters", matterBody("m-2", []uuid.UUID{a.client}, task), a.organizer.as("practical-nurse")), 403, "user-right-missing")
	a.check("reading without the right", a.organizer.get("/matters/own", a.organizer.as("practical-nurse")), 403, "user-right-missing")
	a.expect("a secretary", a.organizer.post("/matters", matterBody("m-2", []uuid.UUID{a.client}, task), a.organizer.as("office-secretary")), 201)
	a.endRelationship()
	a.check("after the end", mine("m-3"), 403, "relationship-ended")
	a.check("closing after the end", a.unit.closeMatter("m-1"), 404, "matter-unknown")
}

func TestADocumentInASharedMatterIsOfAllItsClients(t *testing.T) {
	a := newArena(t)
	sibling, stranger := a.another(0), a.another(1)
	a.relateTo(sibling, otherUnitOID, 2)
	a.relateTo(stranger, otherUnitOID, 3)
	a.openMatter("family", []uuid.UUID{a.client, sibling}, task)
	stored := a.expect("naming one of them", a.unit.storeAt(inMatter("family", []uuid.UUID{a.client}, task)), 201)
	if !stored.has(a.client.String()) || stored.has(sibling.String()) {
		t.Errorf("the unit is told of %s", stored)
	}
	id := stored.id()
	for name, c := range map[string]struct {
		caller     *caller
		client     uuid.UUID
		told, kept uuid.UUID
	}{
		"through one": {a.unit, a.client, a.client, sibling}, "through the other": {a.otherUnit, sibling, sibling, a.client},
	} {
		for _, path := range []string{"", "/metadata", "/versions", "/versions/1"} {
			got := a.expect(name+path, c.caller.get("/documents/"+id+path), 200)
			if got.has(c.kept.String()) {
				t.Errorf("%s%s tells of the other: %s", name, path, got)
			}
		}
		for _, ask := range []map[string]any{{"client": c.client}, {"client": c.client, "matter": "family"}} {
			if got := a.expect(name, c.caller.search(ask), 200); got.json["total"] != 1.0 || got.has(c.kept.String()) {
				t.Errorf("%s: found %s", name, got)
			}
		}
		read := a.expect(name, c.caller.get("/matters/family"), 200)
		listed := a.expect(name, c.caller.post("/matters/_search", map[string]any{"client": c.client}), 200)
		for _, got := range []reply{read, listed} {
			if !got.has(c.told.String()) || got.has(c.kept.String()) {
				t.Errorf("%s: the matter is told as %s", name, got)
			}
		}
	}
	if got := a.organizer.get("/documents/" + id + "/metadata"); !got.has(a.client.String()) || !got.has(sibling.String()) {
		t.Errorf("the organizer: %s", got)
	}
	if a.total(a.client) != 1 || a.total(sibling) != 1 || a.total(stranger) != 0 {
		t.Error("it is not among the documents of each, and of nobody else")
	}
	// Nobody else: not a unit of another client, nor one whose relationship with the last of them ended.
	a.relateTo(sibling, otherUnitOID, 2, func(r *index.Relationship) { r.End = a.clock.Now() })
	a.check("another client's unit", a.otherUnit.get("/documents/"+id), 403, "relationship-ended")
	a.check("the matter", a.otherUnit.get("/matters/family"), 404, "matter-unknown")

	all := "/documents" + query("case-note", nil, "matter=family&"+versionQuery(task))
	a.check("naming none, without a right to each", a.unit.storeAt(all), 403, "no-relationship")
	if got := a.expect("naming none", a.organizer.storeAt(all), 201); !got.has(a.client.String()) || !got.has(sibling.String()) {
		t.Errorf("naming none: %s", got)
	}
	a.relateTo(sibling, unitOID, 4)
	if got := a.expect("naming none, with a right to each", a.unit.storeAt(all), 201); !got.has(a.client.String()) || !got.has(sibling.String()) {
		t.Errorf("naming none: %s", got)
	}
}

func TestAMatterTakesNothingFromOutside(t *testing.T) {
	a := newArena(t)
	sibling := a.another(0)
	one := []uuid.UUID{a.client}
	a.openMatter("own", one, task)
	a.openMatter("theirs", []uuid.UUID{sibling}, task)
	a.openMatter("law", one, "family-law")
	a.check("an unknown matter", a.organizer.storeAt(inMatter("none", one, task)), 404, "matter-unknown")
	a.check("an unknown matter of nobody", a.organizer.storeAt(inMatter("none", nil, task)), 404, "matter-unknown")
	a.check("a client outside", a.organizer.storeAt(inMatter("theirs", one, task)), 422, "client-outside-matter")
	a.check("one outside of two", a.organizer.storeAt(inMatter("own", []uuid.UUID{a.client, sibling}, task)), 422, "client-outside-matter")
	a.check("a task outside", a.organizer.storeAt(inMatter("own", one, "family-law")), 422, "task-outside-matter")
	a.check("no client and no matter", a.organizer.storeAt("/documents"+query("case-note", nil, versionQuery(task))), 400, "invalid-parameter")
	id := a.expect("storing", a.unit.storeAt(inMatter("own", one, task)), 201).id()
	a.check("a version with a task outside", a.organizer.reviseIn("own", id, `"1"`, "family-law"), 422, "task-outside-matter")
	a.check("to another client's matter", a.organizer.reviseIn("theirs", id, `"1"`, task), 422, "client-outside-matter")
	a.check("to an unknown one", a.organizer.reviseIn("none", id, `"1"`, task), 404, "matter-unknown")
	a.openMatter("own-2", one, task)
	a.expect("to another of the same clients", a.unit.reviseIn("own-2", id, `"1"`, task), 201)
	if got := a.organizer.search(map[string]any{"matter": "own"}); got.json["total"] != 0.0 {
		t.Errorf("it is still in the former one: %s", got)
	}
}

// A matter that a unit has nothing to do with answers as one that does not exist.
func TestInvariantNoLeak_NothingTellsOfAMatterThatAUnitHasNothingToDoWith(t *testing.T) {
	a := newArena(t)
	stranger := a.another(0)
	one := []uuid.UUID{a.client}
	a.openMatter("theirs", []uuid.UUID{stranger}, task)
	a.openMatter("closed", []uuid.UUID{stranger}, task)
	a.openMatter("law", one, "family-law") // of its client, outside its service tasks
	a.expect("closing", a.organizer.closeMatter("closed"), 200)
	a.extend()
	id := a.expect("storing", a.unit.store(a.client, note("x"), task), 201).id()
	same := header("X-Request-Id", "the-same-request")
	for _, matter := range []string{"theirs", "closed", "law"} {
		for name, send := range map[string]func(matter string) reply{
			"reading":   func(m string) reply { return a.unit.get("/matters/"+m, same) },
			"closing":   func(m string) reply { return a.unit.post("/matters/"+m+"/closure", "{}", same) },
			"reopening": func(m string) reply { return a.unit.post("/matters/"+m+"/reopening", "{}", same) },
			"storing": func(m string) reply {
				return a.unit.send("POST", inMatter(m, one, task), "application/json", []byte(note("x")), same)
			},
			"storing, naming nobody": func(m string) reply {
				return a.unit.send("POST", inMatter(m, nil, task), "application/json", []byte(note("x")), same)
			},
			"moving": func(m string) reply {
				return a.unit.send("POST", "/documents/"+id+"/versions?matter="+m+"&"+versionQuery(task), "application/json", []byte(note("x")), matching(`"1"`), same)
			},
		} {
			theirs, missing := send(matter), send("none")
			sameAnswer(t, name+" "+matter, theirs, missing)
			if theirs.reason() != "matter-unknown" {
				t.Errorf("%s %s: %s", name, matter, theirs)
			}
		}
	}
	listed := a.expect("listing", a.unit.post("/matters/_search", map[string]any{"client": a.client}), 200)
	if listed.has("law", "theirs") {
		t.Errorf("listed %s", listed)
	}
	a.check("another client's", a.unit.post("/matters/_search", map[string]any{"client": stranger}), 403, "no-relationship")
}

func TestAUnitChangesItsOwnDocumentInASharedMatterThroughOneClient(t *testing.T) {
	a := newArena(t)
	sibling := a.another(0)
	clients := []uuid.UUID{a.client, sibling}
	a.openMatter("family", clients, task)
	a.openMatter("family-2", clients, task)
	id := a.expect("storing", a.unit.storeAt(inMatter("family", clients[:1], task)), 201).id()
	got := a.expect("a version", a.unit.reviseIn("family", id, `"1"`, task), 201)
	if row := a.row(got); got.has(sibling.String()) || row.ClientID != a.client || row.Relationship.UID == "" {
		t.Errorf("a version: %s, recorded as %+v", got, row)
	}
	a.expect("moving to a matter of the same clients", a.unit.reviseIn("family-2", id, `"2"`, task), 201)
	a.check("taking it out of its matter", a.unit.revise(id, `"3"`, note("y"), task), 403, "no-relationship")
	theirs := a.expect("the organizer's", a.organizer.storeAt(inMatter("family", nil, task)), 201).id()
	a.check("another's", a.unit.reviseIn("family", theirs, `"1"`, task), 403, "not-own-document")
	a.extend()
	a.check("another's, extended", a.unit.reviseIn("family", theirs, `"1"`, task), 403, "no-relationship")
	a.check("annulling another's", a.unit.annul(theirs, `"1"`, "duplicate"), 403, "no-relationship")
	if got := a.expect("annulling its own", a.unit.annul(id, `"3"`, "duplicate"), 200); got.has(sibling.String()) {
		t.Errorf("annulled: %s", got)
	}
	// Without a matter each client still has to allow it.
	loose := a.expect("without a matter", a.organizer.storeAt("/documents"+query("case-note", clients, versionQuery(task))), 201).id()
	a.check("without a matter", a.unit.revise(loose, `"1"`, note("y"), task), 403, "no-relationship")
}

func TestAClientRelationshipDocumentIsOfOneClientAndEndsInAClosedMatter(t *testing.T) {
	a := newArena(t)
	sibling := a.another(0)
	a.openMatter("family", []uuid.UUID{a.client, sibling}, task)
	a.openMatter("own", []uuid.UUID{a.client}, task)
	body := relationshipDocument(unitOID, "2026-11-01T00:00:00Z", "", "service-voucher")
	send := func(matter string, clients []uuid.UUID) reply {
		path := "/documents" + query("client-relationship", clients, "matter="+matter+"&"+versionQuery(task))
		return a.organizer.send("POST", path, "application/json", []byte(body))
	}
	a.check("in a shared matter", send("family", []uuid.UUID{a.client}), 400, "invalid-parameter")
	a.check("in a shared matter, naming nobody", send("family", nil), 400, "invalid-parameter")
	id := a.expect("in its own", send("own", nil), 201).id()
	a.expect("closing", a.organizer.closeMatter("own"), 200)
	ends := relationshipDocument(unitOID, "2026-11-01T00:00:00Z", "2026-11-21T00:00:00Z", "service-voucher")
	got := a.organizer.send("POST", "/documents/"+id+"/versions?matter=own&"+versionQuery(task), "application/json", []byte(ends), matching(`"1"`))
	a.expect("the end", got, http.StatusCreated)
}

// A document that was stored before matters were kept stays readable, and its matter is opened for its clients.
func TestAMatterIsOpenedOverEarlierDocuments(t *testing.T) {
	a := newArena(t)
	sibling := a.another(0)
	id := a.expect("storing", a.unit.store(a.client, note("x"), task), 201).id()
	a.carryMatter(id, "old-1")
	if got := a.expect("reading", a.unit.get("/documents/"+id+"/metadata"), 200); got.json["matter"] != "old-1" {
		t.Fatalf("got %s", got)
	}
	a.expect("a version that stays", a.unit.reviseIn("old-1", id, `"1"`, task), 201)
	a.check("a new document", a.unit.storeAt(inMatter("old-1", []uuid.UUID{a.client}, task)), 404, "matter-unknown")
	a.check("opening it for another", a.organizer.post("/matters", matterBody("old-1", []uuid.UUID{sibling}, task)), 409, "matter-exists")
	a.openMatter("old-1", []uuid.UUID{a.client, sibling}, indextest.BoughtTask)
	a.expect("a version that stays", a.unit.reviseIn("old-1", id, `"2"`, task), 201)
	a.relateTo(sibling, otherUnitOID, 2)
	a.check("it keeps its clients", a.otherUnit.get("/documents/"+id), 404, "document-not-found")
}

// carryMatter makes a stored document one that carries a matter which the archive does not know, as those do that
// were stored before matters were kept.
func (a *arena) carryMatter(document, matter string) {
	t := a.t
	t.Helper()
	db := must(sql.Open("sqlite", "file:"+filepath.Join(a.dir, sqlite.FileName)+"?_pragma=busy_timeout(5000)"))(t)
	defer func() { _ = db.Close() }()
	id := uuid.MustParse(document)
	for _, statement := range []string{
		`UPDATE document_versions SET matter = $1 WHERE document_id = $2`,
		`INSERT INTO document_matters (registry_id, matter, annulled, first_stored_us, document_id, client_id)
		 SELECT registry_id, $1, annulled, first_stored_us, document_id, client_id FROM document_clients WHERE document_id = $2`,
	} {
		if _, err := db.ExecContext(t.Context(), statement, matter, id[:]); err != nil {
			t.Fatal(err)
		}
	}
}
