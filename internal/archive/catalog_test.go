// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"encoding/json"
	"testing"
	"testing/fstest"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/store"
)

func TestTheCatalogIsOpenToClientsAndNotRecorded(t *testing.T) {
	a := newArena(t)
	before := len(a.rows(store.LogQuery{}))
	got := a.otherUnit.get("/catalog", header(assertion.Header, ""))
	if got.status != 200 || got.json["edition"] != a.catalog.Load().Edition() {
		t.Fatalf("got %s", got)
	}
	types := map[string]map[string]any{}
	for _, one := range got.json["documentTypes"].([]any) {
		kind := one.(map[string]any)
		types[kind["code"].(string)] = kind
	}
	if types["client-relationship"]["operation"] != "ManageRelationship" || types["case-note"]["operation"] != nil || len(types["client-plan"]["schemas"].([]any)) != 2 {
		t.Errorf("types %v", types)
	}
	schema := a.otherUnit.get("/catalog/schemas/client-plan/2", header(assertion.Header, ""))
	if schema.status != 200 || !json.Valid(schema.body) || schema.header.Get("Content-Type") != "application/schema+json" {
		t.Errorf("schema %s %v", schema, schema.header)
	}
	if after := len(a.rows(store.LogQuery{})); after != before {
		t.Errorf("%d rows more", after-before)
	}
	for path, want := range map[string]struct {
		status int
		reason string
	}{
		"/catalog?type=x": {400, "unknown-parameter"}, "/catalog/schemas/novel/1": {404, "not-found"}, "/catalog/schemas/case-note/9": {404, "not-found"},
		"/catalog/schemas/" + testCode + "/1": {400, "identity-code-in-url"}, "/v1/registries/x/catalog": {400, "invalid-parameter"},
	} {
		a.check(path, a.unit.get(path), want.status, want.reason)
	}
	a.check("method", a.unit.post("/catalog", map[string]any{}), 405, "method-not-allowed")
}

func TestANewEditionCountsAtOnce(t *testing.T) {
	a := newArena(t)
	edition, err := catalog.Load(fstest.MapFS{
		"catalog.yaml": &fstest.MapFile{Data: []byte(`
serviceTasks:
  - {code: older-people, names: {fi: x, sv: x, en: x}, validUntil: "2026-11-20"}
  - {code: disability, names: {fi: x, sv: x, en: x}}
correctionReasons: [{code: factual-error, names: {fi: x, sv: x, en: x}, validUntil: "2026-11-20"}]
annulmentReasons: [{code: duplicate, names: {fi: x, sv: x, en: x}, validUntil: "2026-11-20"}]
documentTypes:
  - {code: case-note, names: {fi: x, sv: x, en: x}, formats: [application/json]}
roles:
  - code: social-worker
    names: {fi: x, sv: x, en: x}
    rights: [{operations: [Store, Read, Correct, Annul], serviceTasks: ["*"], documentTypes: ["*"]}]
`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	id := a.put(a.organizer, note("x"), "disability")
	a.catalog.Store(edition)
	a.check("a task of yesterday", a.organizer.store(a.client, note("x"), task), 422, "service-task-unknown")
	a.check("a reason of yesterday", a.organizer.correct(id, `"1"`, "factual-error", note("y"), "disability"), 422, "reason-unknown")
	a.check("an annulment of yesterday", a.organizer.annul(id, `"1"`, "duplicate"), 422, "reason-unknown")
	a.check("a schema that is gone", a.organizer.send("POST", storePath(a.client, "disability")+"&schema=1", "application/json", []byte(note("x"))), 422, "schema-unknown")
	a.check("malformed without a schema", a.organizer.store(a.client, `{"a":1,"a":2}`, "disability"), 422, "document-malformed")
	got := a.expect("without a schema", a.organizer.store(a.client, `{"any": "thing"}`, "disability"), 201)
	if got.json["schema"] != nil {
		t.Errorf("got %s", got)
	}
	if read := a.organizer.get("/documents/" + id); !bytes.Contains(read.body, []byte(`"x"`)) {
		t.Errorf("an older document: %s", read)
	}
}
