// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func TestEverythingSaidOfADocumentIsKept(t *testing.T) {
	a := newArena(t)
	a.openMatter("1.2.246.10.1.14.7", []uuid.UUID{a.client}, task)
	a.show(true)
	path := storePath(a.client, task) + "&matter=1.2.246.10.1.14.7&language=sv-FI&schema=1&nonDisclosure=true&display=delayed&displayFrom=2027-01-01T00:00:00Z"
	stored := a.expect("storing", a.unit.send("POST", path, typeOfBoth, []byte(both(note("x"), page("x")))), http.StatusCreated)
	got := a.expect("metadata", a.unit.get("/documents/"+stored.id()+"/metadata"), http.StatusOK)
	if !reflect.DeepEqual(got.json, stored.json) || got.header.Get("ETag") != `"1"` {
		t.Errorf("stored %s\nread %s", stored, got)
	}
	for name, want := range map[string]any{
		"registry": registryOID, "organizer": a.world.Registry.Organization, "clients": []any{a.client.String()}, "type": "case-note",
		"version": 1.0, "current": 1.0, "state": "stored", "matter": "1.2.246.10.1.14.7", "serviceTasks": []any{task},
		"created": "2026-11-21T11:00:00Z", "firstStored": "2026-11-21T12:00:00Z", "stored": "2026-11-21T12:00:00Z", "language": "sv-FI", "schema": "1",
		"labels": map[string]any{"nonDisclosure": true, "display": "delayed", "displayFrom": "2027-01-01T00:00:00Z"},
	} {
		if !reflect.DeepEqual(got.json[name], want) {
			t.Errorf("%s is %v, want %v", name, got.json[name], want)
		}
	}
	if formats := got.json["formats"].([]any); len(formats) != 2 {
		t.Errorf("formats %v", formats)
	}
	plain := a.expect("plain", a.unit.store(a.client, note("x"), task), http.StatusCreated)
	if !reflect.DeepEqual(plain.json["labels"], map[string]any{"nonDisclosure": false, "display": "shown"}) || plain.json["schema"] != "1" {
		t.Errorf("without labels: %s", plain)
	}
}

func TestTheRegistryControllerIsTold(t *testing.T) {
	a := newArena(t)
	r := a.world.Registry
	r.Controller, r.Revision = "1.2.246.10.77", 7000
	if _, err := a.index.UpsertRegistry(r); err != nil {
		t.Fatal(err)
	}
	if got := a.unit.store(a.client, note("x"), task); got.json["registryController"] != "1.2.246.10.77" {
		t.Errorf("got %s", got)
	}
}

func TestTheCatalogDecidesWhatIsTaken(t *testing.T) {
	a := newArena(t)
	one := []uuid.UUID{a.client}
	plan := `{"preparedOn": "2024-06-01", "situation": "x", "goals": [{"goal": "x"}]}`
	for name, c := range map[string]struct {
		query, contentType, body string
		status                   int
		reason                   string
	}{
		"unknown type":         {query("novel", one, versionQuery(task)), "application/json", note("x"), 422, "document-type-unknown"},
		"unknown task":         {query("case-note", one, versionQuery(task, "plumbing")), "application/json", note("x"), 422, "service-task-unknown"},
		"unknown schema":       {query("case-note", one, versionQuery(task)+"&schema=9"), "application/json", note("x"), 422, "schema-unknown"},
		"schema of former day": {query("client-plan", one, versionQuery(task)+"&schema=1"), "application/json", plan, 422, "schema-not-in-force"},
		"no schema that day":   {query("case-note", one, "created=2019-12-31T12:00:00Z&serviceTask="+task), "application/json", note("x"), 422, "schema-not-in-force"},
		"schema of today":      {query("client-plan", one, "created=2024-12-31T12:00:00Z&schema=2&serviceTask="+task), "application/json", plan, 422, "schema-not-in-force"},
		"Finnish day, too early": {
			query("client-plan", one, "created=2024-12-31T21:59:59Z&schema=2&serviceTask="+task), "application/json", plan, 422, "schema-not-in-force",
		},
		"schema of XHTML":            {query("case-note", one, versionQuery(task)+"&schema=1"), "application/xhtml+xml", page("x"), 400, "invalid-parameter"},
		"format of another type":     {query("client-relationship", one, versionQuery(task)), "application/xhtml+xml", page("x"), 415, "format-not-taken"},
		"one format of another type": {query("matter", one, versionQuery(task)), typeOfBoth, both(note("x"), page("x")), 415, "format-not-taken"},
	} {
		a.check(name, a.organizer.send("POST", "/documents"+c.query, c.contentType, []byte(c.body)), c.status, c.reason)
	}
	if a.total(a.client) != 0 {
		t.Error("something was stored")
	}
	got := a.organizer.send("POST", "/documents"+query("client-plan", one, "created=2024-12-31T21:59:59Z&serviceTask="+task), "application/json", []byte(plan))
	if a.expect("the schema of that day", got, 201); got.json["schema"] != "1" {
		t.Errorf("got %s", got)
	}
	got = a.organizer.send("POST", "/documents"+query("client-plan", one, "created=2024-12-31T22:00:00Z&serviceTask="+task), "application/json", []byte(plan))
	a.check("the day begins in Finland", got, 422, "document-invalid")
}

func TestSchemaViolationsAreTold(t *testing.T) {
	a := newArena(t)
	got := a.unit.store(a.client, `{"occurredAt": "yesterday", "contact": "phone-call", "secret-of-a-person": 1}`, task)
	a.check("violations", got, 422, "document-invalid")
	errors, _ := got.json["errors"].([]any)
	if len(errors) < 3 || got.has("yesterday", "secret-of-a-person") {
		t.Errorf("got %s", got)
	}
	for _, e := range errors {
		if violation := e.(map[string]any); violation["rule"] == "" || violation["detail"] == "" {
			t.Errorf("got %v", violation)
		}
	}
	a.check("malformed", a.unit.store(a.client, `{"text": "x", "text": "y"}`, task), 422, "document-malformed")
	evil := strings.Replace(page("x"), "<p>", `<p onclick="x()">`, 1)
	a.check("XHTML", a.unit.send("POST", storePath(a.client, task), "application/xhtml+xml", []byte(evil)), 422, "document-malformed")
	a.check("XHTML of two", a.unit.send("POST", storePath(a.client, task), typeOfBoth, []byte(both(note("x"), evil))), 422, "document-malformed")
	a.check("JSON of two", a.unit.send("POST", storePath(a.client, task), typeOfBoth, []byte(both(`{}`, page("x")))), 422, "document-invalid")
}

func TestBadBodies(t *testing.T) {
	a := newArena(t)
	good, whole := storePath(a.client, task), both(note("x"), page("x"))
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write([]byte(note("x")))
	_ = zip.Close()
	send := func(contentType, body string, options ...option) reply {
		return a.unit.send("POST", good, contentType, []byte(body), options...)
	}
	a.check("half a multipart", send(typeOfBoth, whole[:len(whole)/2]), 400, "multipart-malformed")
	a.check("three parts", send(typeOfBoth, related(jsonPart, xhtmlPart, xhtmlPart)), 400, "multipart-malformed")
	a.check("one part", send(typeOfBoth, related(jsonPart)), 400, "multipart-malformed")
	a.check("other boundary", send("multipart/related; boundary=c", whole), 400, "multipart-malformed")
	a.check("no boundary", send("multipart/related", whole), 415, "content-type-unsupported")
	a.check("long boundary", send("multipart/related; boundary="+strings.Repeat("b", 71), whole), 415, "content-type-unsupported")
	a.check("form", send("multipart/form-data; boundary=b", whole), 415, "content-type-unsupported")
	a.check("compressed", send("application/json", packed.String(), header("Content-Encoding", "gzip")), 415, "content-type-unsupported")
	a.check("digest of a multipart", send(typeOfBoth, whole, header("Content-Digest", reprDigest([32]byte{}))), 400, "digest-mismatch")
	a.check("too large in parts", send(typeOfBoth, both(note("x"), page(strings.Repeat("x", MaxDocument)))), 413, "body-too-large")
	if a.total(a.client) != 0 {
		t.Error("something was stored")
	}
	sum := reprDigest(sha256.Sum256([]byte(whole)))
	a.expect("the good one", send(typeOfBoth, whole, header("Content-Digest", sum)), 201)
}

func TestBadMetadata(t *testing.T) {
	a := newArena(t)
	good := storePath(a.client, task)
	nine := ""
	for range 9 {
		nine += "&client=" + uuid.NewString()
	}
	for name, path := range map[string]string{
		"matter": good + "&matter=a/b", "language": good + "&language=finnish-language-of-the-north-and-the-south", "no language": good + "&language=7",
		"schema": good + "&schema=/", "nonDisclosure": good + "&nonDisclosure=false", "display": good + "&display=never",
		"delayed without a time": good + "&display=delayed", "a time without delay": good + "&displayFrom=2027-01-01T00:00:00Z",
		"client twice": good + "&client=" + strings.ToUpper(a.client.String()), "nine clients": "/documents?type=case-note&" + versionQuery(task) + nine,
		"matter twice": good + "&matter=a&matter=b",
	} {
		a.check(name, a.unit.send("POST", path, "application/json", []byte(note("x"))), 400, "invalid-parameter")
	}
	for name, path := range map[string]string{
		"author": good + "&author=" + otherUnitOID, "authorUnit": good + "&authorUnit=" + otherUnitOID, "reason": good + "&reason=factual-error",
		"state": good + "&state=stored", "version": good + "&version=2",
	} {
		a.check(name, a.unit.send("POST", path, "application/json", []byte(note("x"))), 400, "unknown-parameter")
	}
	a.check("code as matter", a.unit.send("POST", good+"&matter="+strings.ReplaceAll(testCode, "C", "%43"), "application/json", []byte(note("x"))), 400, "identity-code-in-url")
	if a.total(a.client) != 0 {
		t.Error("something was stored")
	}
}

func TestTheAuthorIsWhoeverTheCertificateNames(t *testing.T) {
	a := newArena(t)
	a.relateTo(a.client, otherUnitOID, 2)
	id := a.put(a.unit, note("x"), task)
	// Another unit may read it, but a version of it would have the wrong author.
	a.check("basic", a.otherUnit.revise(id, `"1"`, note("y"), task), 403, "not-own-document")
	a.check("basic, before its body is looked at", a.otherUnit.revise(id, `"1"`, `{}`, task), 403, "not-own-document")
	got := a.expect("own", a.unit.revise(id, `"1"`, note("y"), task), 201)
	if author := got.json["author"].(map[string]any); author["unit"] != unitOID {
		t.Errorf("author %v", author)
	}
	if row := a.row(got); row.Operation != "NewVersion" || row.ClientID != a.client || len(row.DocumentIDs) != 1 {
		t.Errorf("the row is %+v", row)
	}
}

func TestMatterDocumentsNeedTheExtendedRight(t *testing.T) {
	a := newArena(t)
	path := "/documents" + query("matter", []uuid.UUID{a.client}, versionQuery(task))
	matter := `{}`
	a.check("basic", a.unit.send("POST", path, "application/json", []byte(matter)), 403, "extent-insufficient")
	a.check("relationship", a.unit.send("POST", strings.Replace(path, "matter", "client-relationship", 1), "application/json", []byte(matter)), 403, "extent-insufficient")
	a.extend()
	a.check("extended", a.unit.send("POST", path, "application/json", []byte(matter)), 422, "document-invalid") // the right does not stand in the way
	if row := a.row(a.organizer.send("POST", path, "application/json", []byte(matter))); row.Operation != "Store" || row.Outcome != store.OutcomeError {
		t.Errorf("the row is %+v", row)
	}
}
