// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// sql runs a statement beside the server.
func (a *arena) sql(query string, args ...any) {
	a.t.Helper()
	db := must(sqlite.OpenFile(a.t.Context(), a.dir))(a.t)
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(a.t.Context(), query, args...); err != nil {
		a.t.Fatal(err)
	}
}

// matter puts a matter of the client into the store, opened on 1 May 2020.
func (a *arena) matter(id string) {
	a.t.Helper()
	opened := time.Date(2020, 5, 1, 9, 0, 0, 0, time.UTC).UnixMicro()
	a.sql(`INSERT INTO matters (registry_id, matter, client_ids, service_tasks, opened_us, events) VALUES (1, $1, $2, $3, $4, 1)`,
		id, a.client[:], `["`+task+`"]`, opened)
	a.sql(`INSERT INTO matter_clients (client_id, registry_id, matter) VALUES ($1, 1, $2)`, a.client[:], id)
}

// destroy destroys a document, whatever its clock says.
func (a *arena) destroy(id string) {
	a.t.Helper()
	err := a.store.Destroy(a.t.Context(), uuid.MustParse(id), a.clock.Now(), storetest.Due, storetest.Row("Destroy", a.clock.Now()))
	if err != nil {
		a.t.Fatal(err)
	}
}

// TestStatement12_MetadataTellUntilWhenADocumentIsKept is statement 12 of the check list, as the organizer sees it.
func TestStatement12_MetadataTellUntilWhenADocumentIsKept(t *testing.T) {
	a := newArena(t)
	a.matter("M-1")
	id := a.expect("storing", a.unit.send("POST", storePath(a.client, task)+"&matter=M-1", "application/json", []byte(note("x"))), 201).id()
	path := "/documents/" + id + "/metadata"
	kept := func(want map[string]any) (tag string) {
		t.Helper()
		got := a.expect("metadata", a.organizer.get(path), 200)
		if !reflect.DeepEqual(got.json["retention"], any(want)) {
			t.Errorf("got %v, want %v", got.json["retention"], want)
		}
		return got.header.Get("ETag")
	}
	open := kept(map[string]any{"rule": "older-people", "countedFrom": "matterClosed", "waitsFor": "matterClosed"})
	a.sql(`UPDATE matters SET closed_us = $1`, time.Date(2026, 1, 15, 23, 30, 0, 0, time.UTC).UnixMicro())
	// It was written later than that.
	kept(map[string]any{"rule": "older-people", "countedFrom": "matterClosed", "startedOn": "2026-11-21", "destroyOn": "2036-11-22"})
	a.sql(`UPDATE matters SET closed_us = $1`, time.Date(2026, 12, 15, 23, 30, 0, 0, time.UTC).UnixMicro())
	want := map[string]any{"rule": "older-people", "countedFrom": "matterClosed", "startedOn": "2026-12-16", "destroyOn": "2036-12-17"}
	closed := kept(want)
	if got := a.organizer.get(path, header("If-None-Match", open)); got.status != 200 || open == closed {
		t.Errorf("who has the metadata of before the closing: %s", got)
	}
	if got := a.organizer.get(path, header("If-None-Match", closed)); got.status != 304 || got.header.Get("ETag") != closed {
		t.Errorf("who has those of now: %s", got)
	}
	if got := a.expect("as the unit", a.unit.get(path), 200); got.has("retention") || got.header.Get("ETag") != `"1"` {
		t.Errorf("a unit is told of it: %s", got)
	}
	if got := a.expect("all versions", a.organizer.get("/documents/"+id+"/versions"), 200); got.has("destroyOn") {
		t.Errorf("of versions nothing is destroyed: %s", got)
	}
	a.expect("a correction over that tag", a.organizer.correct(id, closed, "factual-error", note("y"), task), 201)

	alone := a.put(a.unit, note("x"), task)
	if got := a.expect("metadata", a.organizer.get("/documents/"+alone+"/metadata"), 200); !reflect.DeepEqual(got.json["retention"],
		any(map[string]any{"rule": "older-people", "countedFrom": "matterClosed", "waitsFor": "matter"})) {
		t.Errorf("without a matter: %v", got.json["retention"])
	}
	a.amend("serviceTasks: [older-people, elderly], years: 10", "serviceTasks: [working-age], years: 10")
	if got := a.expect("metadata", a.organizer.get(path), 200); !reflect.DeepEqual(got.json["retention"], any(map[string]any{"waitsFor": "rule"})) {
		t.Errorf("without a rule: %v", got.json["retention"])
	}
}

func TestADestroyedDocumentIsGoneForGood(t *testing.T) {
	a := newArena(t)
	id := uuid.NewString()
	path := storePath(a.client, task)[len("/documents"):]
	a.expect("storing", a.unit.putDocument(id, path, note("x")), 201)
	keyed := header("Idempotency-Key", "the-key")
	posted := a.expect("storing by a key", a.unit.send("POST", "/documents"+path, "application/json", []byte(note("x")), keyed), 201).id()
	other := a.put(a.unit, note("other"), task)
	a.destroy(id)
	a.destroy(posted)
	for _, at := range []string{"", "/metadata", "/versions", "/versions/1", "/versions/1/signature?format=application/json", "?annulled=true"} {
		a.check("the organizer at "+at, a.organizer.get("/documents/"+id+at), 410, "document-destroyed")
		a.check("the unit at "+at, a.unit.get("/documents/"+id+at), 404, "document-not-found")
	}
	row := a.row(a.organizer.get("/documents/" + id))
	if row.ClientID != a.client || row.Outcome != store.OutcomeError || row.Reason != "document-destroyed" {
		t.Errorf("row %+v", row)
	}
	a.check("the organizer annuls", a.organizer.annul(id, `"1"`, "duplicate"), 410, "document-destroyed")
	a.check("the organizer revises", a.organizer.revise(id, `"1"`, note("y"), task), 410, "document-destroyed")
	a.check("the unit revises", a.unit.revise(id, `"1"`, note("y"), task), 404, "document-not-found")
	a.check("the unit stores it again", a.unit.putDocument(id, path, note("x")), 410, "document-destroyed")
	a.check("the organizer stores another", a.organizer.putDocument(id, path, note("y")), 410, "document-destroyed")
	a.check("the unit stores it again by its key", a.unit.send("POST", "/documents"+path, "application/json", []byte(note("x")), keyed), 410, "document-destroyed")
	a.expect("the one beside it", a.unit.get("/documents/"+other), 200)
	for language, title := range map[string]string{"fi": "Asiakirja on hävitetty", "sv": "Handlingen är utplånad", "en": "The document has been destroyed"} {
		if got := a.organizer.get("/documents/"+id, header("Accept-Language", language)); got.json["title"] != title {
			t.Errorf("%s: %s", language, got)
		}
	}
}

// TestInvariantNoLeak_ADestroyedDocumentIsLikeNoneToAUnit compares whole answers.
func TestInvariantNoLeak_ADestroyedDocumentIsLikeNoneToAUnit(t *testing.T) {
	a := newArena(t)
	destroyed := a.put(a.unit, note("x"), task)
	a.destroy(destroyed)
	same := header("X-Request-Id", "the-same-request")
	for name, ask := range map[string]func(id string) reply{
		"bytes":    func(id string) reply { return a.unit.get("/documents/"+id, same) },
		"metadata": func(id string) reply { return a.unit.get("/documents/"+id+"/metadata", same) },
		"versions": func(id string) reply { return a.unit.get("/documents/"+id+"/versions", same) },
		"another unit's": func(id string) reply {
			return a.otherUnit.get("/documents/"+id, same)
		},
		"annulment": func(id string) reply {
			return a.unit.post("/documents/"+id+"/annulment", map[string]any{"reason": "duplicate"}, same, matching(`"1"`))
		},
	} {
		sameAnswer(t, name, ask(destroyed), ask(uuid.NewString()))
	}
}

// TestARoleIsToldOfADestroyedDocumentOnlyIfItMightHaveReadIt: the office secretary reads no notes.
func TestARoleIsToldOfADestroyedDocumentOnlyIfItMightHaveReadIt(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("x"), task)
	a.destroy(id)
	a.check("a secretary", a.organizer.get("/documents/"+id, a.organizer.as("office-secretary")), 403, "user-right-missing")
	a.check("a social worker", a.organizer.get("/documents/"+id), 410, "document-destroyed")
}
