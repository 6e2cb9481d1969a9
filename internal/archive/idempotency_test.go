// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestPutIsRepeatable(t *testing.T) {
	a := newArena(t)
	id := uuid.NewString()
	path := strings.TrimPrefix(storePath(a.client, task), "/documents")
	first := a.expect("first", a.unit.putDocument(id, path, note("x")), 201)
	if first.id() != id || first.header.Get("ETag") != `"1"` || first.header.Get("Location") != "/v1/registries/"+registryOID+"/documents/"+id {
		t.Errorf("got %s %v", first, first.header)
	}
	again := a.expect("again", a.unit.putDocument(id, path, note("x")), 200)
	if again.id() != id || again.header.Get("ETag") != `"1"` {
		t.Errorf("got %s %v", again, again.header)
	}
	if row := a.row(again); row.Operation != "Store" || len(row.DocumentIDs) != 1 {
		t.Errorf("the row of the repetition is %+v", row)
	}
	a.check("other content", a.unit.putDocument(id, path, note("y")), 409, "document-exists")
	a.check("other metadata", a.unit.putDocument(id, path+"&language=fi", note("x")), 409, "document-exists")
	a.check("another caller", a.organizer.putDocument(id, path, note("x")), 409, "document-exists")
	for _, bad := range []string{"7", "urn:uuid:" + id, uuid.Nil.String()} {
		a.check("id "+bad, a.unit.putDocument(bad, path, note("x")), 400, "invalid-parameter")
	}
	if a.total(a.client) != 1 {
		t.Error("something more was stored")
	}
	a.endRelationship()
	a.check("after the end", a.unit.putDocument(id, path, note("x")), 403, "relationship-ended")
}

func TestAnIdempotencyKeyMakesAPostRepeatable(t *testing.T) {
	a := newArena(t)
	store := func(c *caller, key, text string) reply {
		return c.send("POST", storePath(a.client, task), "application/json", []byte(note(text)), header("Idempotency-Key", key))
	}
	first := a.expect("first", store(a.unit, "visit-1", "x"), 201)
	again := a.expect("again", store(a.unit, "visit-1", "x"), 200)
	if again.id() != first.id() || again.header.Get("Location") != first.header.Get("Location") {
		t.Errorf("first %s\nagain %s", first, again)
	}
	if id := uuid.MustParse(first.id()); id.Version() != 8 || id.Variant() != uuid.RFC4122 {
		t.Errorf("id %s", id)
	}
	got := store(a.unit, "visit-1", "y")
	a.check("other content", got, 422, "idempotency-key-reused")
	if got.has(first.id()) {
		t.Errorf("it tells of the first: %s", got)
	}
	if other := a.expect("another key", store(a.unit, "visit-2", "x"), 201); other.id() == first.id() {
		t.Error("two keys give one document")
	}
	if other := a.expect("another caller", store(a.organizer, "visit-1", "x"), 201); other.id() == first.id() {
		t.Error("two callers' keys give one document")
	}
	a.check("code as key", store(a.unit, testCode, "x"), 400, "identity-code-misplaced")
	for name, key := range map[string]string{"empty": "", "long": strings.Repeat("k", 129), "space": "a b", "not ASCII": "ä"} {
		a.check(name, store(a.unit, key, "x"), 400, "invalid-parameter")
	}
	if a.total(a.client) != 3 {
		t.Errorf("%v documents", a.total(a.client))
	}
	a.restart()
	a.organizer, a.unit = a.callerOf(a.organizer.certificate, a.organizer.fingerprint), a.callerOf(a.unit.certificate, a.unit.fingerprint)
	if again := a.expect("after a restart", store(a.unit, "visit-1", "x"), 200); again.id() != first.id() {
		t.Errorf("got %s", again)
	}
}

// What was stored before is not shown again by a repetition once it is annulled or has gone out of reach.
func TestInvariantNoLeak_ARepetitionShowsNothingNew(t *testing.T) {
	a := newArena(t)
	id, path := uuid.NewString(), strings.TrimPrefix(storePath(a.client, task), "/documents")
	put := func() reply { return a.unit.putDocument(id, path, note("x")) }
	a.expect("first", put(), 201)
	a.expect("second version", a.organizer.correct(id, `"1"`, "clerical-error", note("y"), task), 201)
	if got := a.expect("superseded", put(), 200); got.json["version"] != 1.0 || got.json["state"] != "superseded" {
		t.Errorf("got %s", got)
	}
	a.expect("out of reach", a.organizer.correct(id, `"2"`, "clerical-error", note("z"), "family-law"), 201)
	if got := put(); got.status != 403 || got.reason() != "task-not-covered" || got.has(`"current"`) {
		t.Errorf("out of reach: %s", got)
	}
	a.expect("annulled", a.organizer.annul(id, `"3"`, "duplicate"), 200)
	if got := put(); got.status < 400 || got.has(`"annulment"`) {
		t.Errorf("annulled: %s", got)
	}
	if rows := a.row(put()); rows.Operation != "Store" {
		t.Errorf("the row is %+v", rows)
	}
}
