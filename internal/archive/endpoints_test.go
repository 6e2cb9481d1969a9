// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/identitycode"
	"github.com/valtuus/valtuus/internal/index"
)

func TestCodes(t *testing.T) {
	code, err := identitycode.Parse(realCode)
	if err != nil || code.Test() {
		t.Fatalf("%v", err)
	}
	if code, err = identitycode.Parse(testCode); err != nil || !code.Test() {
		t.Fatalf("%v", err)
	}
}

func TestRegisteringAClient(t *testing.T) {
	a := newArena(t)
	again := a.organizer.post("/clients", map[string]any{"identityCode": strings.ToLower(testCode)})
	if again.status != http.StatusOK || again.json["id"] != a.client.String() {
		t.Errorf("again: %s", again)
	}
	row := a.row(again)
	if row.ClientID != a.client || row.Outcome != store.OutcomeAllowed || row.Operation != "RegisterClient" ||
		row.Caller != "spiffe://archive.test/registry/"+registryOID+"/organizer" || row.Professional != "T-4711" ||
		row.Role != "social-worker" || row.CertificateThumbprint != a.organizer.fingerprint.String() ||
		row.RegistryObject.Revision != "101" || row.Registry != registryOID || row.AssertionKey == "" || row.CardThumbprint == "" {
		t.Errorf("the row is %+v", row)
	}
	a.check("by a unit", a.unit.post("/clients", map[string]any{"identityCode": testCode}), 403, "extent-insufficient")
	a.check("real code", a.organizer.post("/clients", map[string]any{"identityCode": realCode}), 422, "identity-code-not-test")
	for name, c := range map[string]struct{ code, hint string }{
		"form":  {"020516C903", "must be DDMMYY, a century sign, an individual number and a check character"},
		"date":  {"320516C903K", "there is no such date"},
		"check": {"020516C903L", "the check character does not fit"},
	} {
		got := a.organizer.post("/clients", map[string]any{"identityCode": c.code})
		a.check(name, got, 422, "identity-code-invalid")
		if got.json["hint"] != c.hint || bytes.Contains(got.body, []byte(c.code)) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestInvariant7_ProductionRegistryTakesRealCodes(t *testing.T) {
	a := newArena(t)
	r := a.world.Registry
	r.Purpose, r.Revision = access.PurposeProduction, 5000
	if _, err := a.index.UpsertRegistry(r); err != nil {
		t.Fatal(err)
	}
	if got := a.organizer.post("/clients", map[string]any{"identityCode": realCode}); got.status != http.StatusCreated {
		t.Errorf("got %s", got)
	}
}

func TestFindingAClient(t *testing.T) {
	a := newArena(t)
	for name, c := range map[string]*caller{"organizer": a.organizer, "unit": a.unit} {
		got := c.post("/clients/_search", map[string]any{"identityCode": testCode})
		if got.status != http.StatusOK || got.json["id"] != a.client.String() {
			t.Errorf("%s: %s", name, got)
		}
	}
	a.check("organizer, unknown", a.organizer.post("/clients/_search", map[string]any{"identityCode": testCodes(1)[0]}), 404, "client-unknown")
	a.endRelationship()
	got := a.unit.post("/clients/_search", map[string]any{"identityCode": testCode})
	a.check("unit, ended", got, 403, "relationship-ended")
	if got.json["endedAt"] == nil {
		t.Errorf("the end is not told: %s", got)
	}
}

func TestADocumentComesBackVerbatim(t *testing.T) {
	a := newArena(t)
	const json = "{ \"occurredAt\" :\t\"2026-11-21T10:00:00Z\",\r\n \"contact\": \"other\",\"text\":\"\\u00e4ö\u2028\" }\n"
	const xhtml = `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body><p>hei</p></body></html>`
	for contentType, body := range map[string]string{"application/json": json, "application/xhtml+xml": xhtml} {
		stored := a.unit.send("POST", storePath(a.client, task), contentType, []byte(body))
		if stored.status != http.StatusCreated {
			t.Fatalf("%s: %s", contentType, stored)
		}
		want, tag := reprDigest(sha256.Sum256([]byte(body))), entityTag(1, contentType)
		if stored.header.Get("ETag") != `"1"` {
			t.Errorf("headers %v", stored.header)
		}
		for name, c := range map[string]*caller{"unit": a.unit, "organizer": a.organizer} {
			got := c.get(stored.header.Get("Location"), header("Accept", "text/html;q=0.5, "+contentType))
			if got.status != http.StatusOK || string(got.body) != body || got.header.Get("Content-Type") != contentType ||
				got.header.Get("Repr-Digest") != want || got.header.Get("Content-Digest") != want || got.header.Get("ETag") != tag ||
				got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s, %s: %d %v", contentType, name, got.status, got.header)
			}
			row := a.row(got)
			if row.Outcome != store.OutcomeAllowed || row.ClientID != a.client || row.DocumentCount != 1 ||
				row.DocumentIDs[0].String() != stored.json["id"] || (name == "unit") != (row.Relationship.UID != "") ||
				(name == "unit") != (row.Grant.UID != "") {
				t.Errorf("%s: the row is %+v", name, row)
			}
		}
		row := a.row(stored)
		if row.DocumentIDs[0].String() != stored.json["id"] || row.Organization == "" || row.Unit != unitOID {
			t.Errorf("the row of the store is %+v", row)
		}
		head := a.unit.send("HEAD", stored.header.Get("Location"), "", nil)
		if head.status != http.StatusOK || len(head.body) != 0 || a.row(head).DocumentCount != 1 {
			t.Errorf("HEAD: %d, %d bytes", head.status, len(head.body))
		}
	}
	id := a.put(a.unit, note("x"), task)
	a.check("other format", a.unit.get("/documents/"+id, header("Accept", "application/xhtml+xml")), 406, "not-acceptable")
	a.check("no format", a.unit.get("/documents/"+id, header("Accept", "application/json;q=0, */*;q=0.1")), 406, "not-acceptable")
}

func TestADocumentKeepsWhoMadeIt(t *testing.T) {
	a := newArena(t)
	byUnit, byOrganizer := a.put(a.unit, note("x"), task), a.put(a.organizer, note("x"), "family-law", task)
	got := a.organizer.search(map[string]any{})
	items := got.json["items"].([]any)
	if len(items) != 2 || got.json["total"] != 2.0 {
		t.Fatalf("got %s", got)
	}
	for _, item := range items {
		doc := item.(map[string]any)
		author := doc["author"].(map[string]any)
		want := map[string]any{"organization": a.world.Registry.Organization, "professional": "T-4711", "role": "social-worker"}
		if doc["id"] == byUnit {
			want["organization"], want["unit"] = a.world.Units[0].Organization, unitOID
		} else if doc["id"] != byOrganizer {
			t.Errorf("a document nobody stored")
		}
		if !reflect.DeepEqual(author, want) {
			t.Errorf("author %v, want %v", author, want)
		}
	}
}

func TestBadDocumentsAreNotStored(t *testing.T) {
	a := newArena(t)
	good := storePath(a.client, task)
	without := func(parameter string) string {
		var kept []string
		for part := range strings.SplitSeq(strings.TrimPrefix(good, "/documents?"), "&") {
			if !strings.HasPrefix(part, parameter+"=") {
				kept = append(kept, part)
			}
		}
		return "/documents?" + strings.Join(kept, "&")
	}
	for name, c := range map[string]struct {
		path, contentType, body string
		status                  int
		reason                  string
	}{
		"duplicate name":     {good, "application/json", `{"a":1,"a":2}`, 422, "document-malformed"},
		"not UTF-8":          {good, "application/json", "\"\xff\"", 422, "document-malformed"},
		"cut":                {good, "application/json", `{"a":`, 422, "document-malformed"},
		"empty":              {good, "application/json", ``, 422, "document-malformed"},
		"not XML":            {good, "application/xhtml+xml", `{"a":1}`, 422, "document-malformed"},
		"type of bytes":      {good, "text/plain", `hei`, 415, "content-type-unsupported"},
		"charset":            {good, "application/json; charset=latin1", `{}`, 415, "content-type-unsupported"},
		"unknown parameter":  {good + "&servicetask=x", "application/json", note("x"), 400, "unknown-parameter"},
		"client twice":       {good + "&client=" + a.client.String(), "application/json", note("x"), 400, "invalid-parameter"},
		"no client":          {without("client"), "application/json", note("x"), 400, "invalid-parameter"},
		"no type":            {without("type"), "application/json", note("x"), 400, "invalid-parameter"},
		"no task":            {without("serviceTask"), "application/json", note("x"), 400, "invalid-parameter"},
		"no time":            {without("created"), "application/json", note("x"), 400, "invalid-parameter"},
		"future":             {without("created") + "&created=2026-11-21T12:06:00Z", "application/json", note("x"), 400, "invalid-parameter"},
		"no time at all":     {without("created") + "&created=yesterday", "application/json", note("x"), 400, "invalid-parameter"},
		"task twice":         {good + "&serviceTask=" + task, "application/json", note("x"), 400, "invalid-parameter"},
		"bad code":           {without("type") + "&type=a/b", "application/json", note("x"), 400, "invalid-parameter"},
		"UUID in other form": {without("client") + "&client=urn:uuid:" + a.client.String(), "application/json", note("x"), 400, "invalid-parameter"},
		"broken query":       {good + "&a=%zz", "application/json", note("x"), 400, "invalid-parameter"},
		"too large":          {good, "application/json", `"` + strings.Repeat("x", MaxDocument) + `"`, 413, "body-too-large"},
	} {
		a.check(name, a.unit.send("POST", c.path, c.contentType, []byte(c.body)), c.status, c.reason)
	}
	a.check("wrong digest", a.unit.send("POST", good, "application/json", []byte(note("x")), header("Content-Digest", reprDigest([32]byte{}))), 400, "digest-mismatch")
	a.check("other task", a.unit.store(a.client, note("x"), task, "family-law"), 403, "task-not-covered")
	a.check("other client", a.unit.store(uuid.New(), note("x"), task), 403, "no-relationship")
	a.check("unknown client", a.organizer.store(uuid.New(), note("x"), task), 404, "client-unknown")
	if got := a.organizer.search(map[string]any{}); got.json["total"] != 0.0 {
		t.Errorf("something was stored: %s", got)
	}
	if got := a.unit.send("POST", good, "application/json; charset=UTF-8", []byte(note("x")), header("Repr-Digest", digestOf([]byte(note("x"))))); got.status != 201 {
		t.Errorf("the good one: %s", got)
	}
}

func TestSearchPagesAndFilters(t *testing.T) {
	a := newArena(t)
	var newestFirst []any
	for i := range 7 {
		a.advance(time.Second)
		a.index.SetFreshness(a.clock.Now())
		newestFirst = slices.Insert(newestFirst, 0, any(a.put(a.unit, note(fmt.Sprint(i)), task)))
	}
	a.put(a.organizer, note("x"), "family-law")
	var got []any
	query := map[string]any{"limit": 3}
	for {
		page := a.unit.search(query)
		if page.status != http.StatusOK || page.json["total"] != 7.0 {
			t.Fatalf("got %s", page)
		}
		for _, item := range page.json["items"].([]any) {
			got = append(got, item.(map[string]any)["id"])
		}
		if page.json["next"] == nil {
			break
		}
		query["cursor"] = page.json["next"]
	}
	if !reflect.DeepEqual(got, newestFirst) {
		t.Errorf("got %v\nwant %v", got, newestFirst)
	}
	for name, c := range map[string]struct {
		query map[string]any
		total float64
	}{
		"type":       {map[string]any{"type": "case-note"}, 8},
		"other type": {map[string]any{"type": "plan"}, 0},
		"task":       {map[string]any{"serviceTask": task}, 7},
		"author":     {map[string]any{"authorUnit": unitOID}, 7},
		"from":       {map[string]any{"storedFrom": a.clock.Now().Add(-2 * time.Second).Format(time.RFC3339)}, 4},
		"until":      {map[string]any{"storedUntil": a.clock.Now().Format("2006-01-02T15:04:05+00:00")}, 6},
		"none":       {map[string]any{}, 8},
	} {
		page := a.organizer.search(c.query)
		if page.status != 200 || page.json["total"] != c.total {
			t.Errorf("%s: %s, want %v", name, page, c.total)
		}
	}
	row := a.row(a.unit.search(map[string]any{"type": "case-note", "limit": 2}))
	if string(row.Criteria) != `{"type":"case-note","limit":2}` || row.DocumentCount != 2 || len(row.DocumentIDs) != 2 || row.ClientID != a.client {
		t.Errorf("the row is %+v", row)
	}
}

func TestBadSearches(t *testing.T) {
	a := newArena(t)
	client := a.client.String()
	for name, c := range map[string]struct {
		body, reason string
	}{
		"unknown field":  {`{"client":"` + client + `","serviceTasks":"x"}`, "unknown-field"},
		"wrong case":     {`{"Client":"` + client + `"}`, "unknown-field"},
		"name twice":     {`{"client":"` + client + `","client":"` + client + `"}`, "invalid-body"},
		"no object":      {`[]`, "invalid-body"},
		"cut":            {`{`, "invalid-body"},
		"no client":      {`{}`, "invalid-field"},
		"wrong type":     {`{"client":7}`, "invalid-field"},
		"null":           {`{"client":null}`, "invalid-field"},
		"limit zero":     {`{"client":"` + client + `","limit":0}`, "invalid-field"},
		"limit large":    {`{"client":"` + client + `","limit":201}`, "invalid-field"},
		"bad unit":       {`{"client":"` + client + `","authorUnit":"1.2"}`, "invalid-field"},
		"bad time":       {`{"client":"` + client + `","storedFrom":"now"}`, "invalid-field"},
		"state":          {`{"client":"` + client + `","state":"superseded"}`, "invalid-field"},
		"created":        {`{"client":"` + client + `","createdFrom":"now"}`, "invalid-field"},
		"matter":         {`{"client":"` + client + `","matter":"a/b"}`, "invalid-field"},
		"code as matter": {`{"client":"` + client + `","matter":"` + testCode + `"}`, "identity-code-misplaced"},
		"code misplaced": {`{"client":"` + client + `","type":"` + testCode + `"}`, "identity-code-misplaced"},
		"code as client": {`{"client":"` + testCode + `"}`, "identity-code-misplaced"},
		"code as unit":   {`{"client":"` + client + `","authorUnit":"` + testCode + `"}`, "identity-code-misplaced"},
		"cursor":         {`{"client":"` + client + `","cursor":"AAAA"}`, "cursor-invalid"},
	} {
		got := a.unit.post("/documents/_search", c.body)
		a.check(name, got, 400, c.reason)
		if strings.Contains(string(got.body), testCode) {
			t.Errorf("%s: the code is in the answer", name)
		}
	}
	a.check("too large", a.unit.post("/documents/_search", `{"client":"`+strings.Repeat("x", MaxRequest)+`"}`), 413, "body-too-large")
	a.check("parameter", a.unit.post("/documents/_search?limit=1", `{}`), 400, "unknown-parameter")
	a.check("content type", a.unit.send("POST", "/documents/_search", "text/plain", []byte(`{}`)), 415, "content-type-unsupported")
	a.check("organizer, unknown client", a.organizer.search(map[string]any{"client": uuid.NewString()}), 404, "client-unknown")
	got := a.unit.post("/documents/_search", `{"client":"`+client+`","`+testCode+`":1}`)
	a.check("code as field", got, 400, "unknown-field")
	if strings.Contains(string(got.body), testCode) || got.json["field"] != nil {
		t.Errorf("the answer repeats the code: %s", got)
	}
}

func TestACursorServesNobodyElse(t *testing.T) {
	a := newArena(t)
	for range 3 {
		a.put(a.unit, note("x"), task)
	}
	next := a.unit.search(map[string]any{"limit": 1}).json["next"]
	a.check("the organizer", a.organizer.search(map[string]any{"limit": 1, "cursor": next}), 400, "cursor-invalid")
	a.check("another search", a.unit.search(map[string]any{"limit": 1, "cursor": next, "type": "case-note"}), 400, "cursor-invalid")
	if got := a.unit.search(map[string]any{"limit": 2, "cursor": next}); got.status != 200 {
		t.Errorf("the same: %s", got)
	}
}

func TestExplain(t *testing.T) {
	a := newArena(t)
	ask := func(c *caller, fields map[string]any) reply {
		fields["client"] = a.client.String()
		return c.post("/explain", fields, header("Accept-Language", "en"))
	}
	got := ask(a.unit, map[string]any{"operation": "Read", "serviceTask": task})
	if got.status != 200 || got.json["allowed"] != true || got.json["reason"] != "allowed" ||
		!reflect.DeepEqual(got.json["serviceTasks"], []any{task}) || got.json["assumes"] != nil {
		t.Errorf("the unit for itself: %s", got)
	}
	rests := got.json["restsOn"].(map[string]any)
	for _, kind := range []string{"registry", "unit", "grant", "relationship"} {
		if rests[kind] == nil {
			t.Errorf("it does not say on which %s it rests", kind)
		}
	}
	if row := a.row(got); row.Operation != "Explain" || row.ClientID != a.client || row.Relationship.UID == "" {
		t.Errorf("the row is %+v", row)
	}
	got = ask(a.organizer, map[string]any{"operation": "Read", "serviceTask": "another", "unit": unitOID})
	if got.status != 200 || got.json["allowed"] != false || got.json["reason"] != "task-not-covered" || got.json["assumes"] == nil {
		t.Errorf("the organizer for the unit: %s", got)
	}
	got = ask(a.organizer, map[string]any{"operation": "Search", "unit": otherUnitOID})
	if got.json["reason"] != "no-relationship" || got.json["title"] != access.ReasonNoRelationship.Text(access.English).Title {
		t.Errorf("the organizer for the other unit: %s", got)
	}
	if got = ask(a.organizer, map[string]any{"operation": "Annul", "serviceTask": task}); got.json["allowed"] != true {
		t.Errorf("the organizer for itself: %s", got)
	}
	a.check("a unit for another", ask(a.unit, map[string]any{"operation": "Search", "unit": otherUnitOID}), 403, "extent-insufficient")
	a.check("no task", ask(a.unit, map[string]any{"operation": "Read"}), 400, "invalid-field")
	a.check("no operation", ask(a.unit, map[string]any{"operation": "read"}), 400, "invalid-field")
	a.check("unknown field", ask(a.unit, map[string]any{"operation": "Search", "task": "x"}), 400, "unknown-field")
	a.endRelationship()
	if got = ask(a.organizer, map[string]any{"operation": "Search", "unit": unitOID}); got.json["reason"] != "relationship-ended" || got.json["endedAt"] == nil {
		t.Errorf("after the end: %s", got)
	}
	if _, err := a.index.UpsertRegistry(func() index.Registry {
		r := a.world.Registry
		r.Credentials, r.Revision = nil, 9000
		return r
	}()); err != nil {
		t.Fatal(err)
	}
	a.check("an organizer of before", ask(a.organizer, map[string]any{"operation": "Search", "unit": unitOID}), 403, "credential-not-listed")
}

func TestNothingElsewhere(t *testing.T) {
	a := newArena(t)
	a.check("unknown path", a.unit.get("/elsewhere"), 404, "not-found")
	a.check("unclean path", a.unit.get("/v1//registries"), 404, "not-found")
	a.check("trailing slash", a.unit.get("/documents/"), 404, "not-found")
	got := a.unit.send("DELETE", "/documents/"+uuid.NewString(), "", nil)
	a.check("method", got, 405, "method-not-allowed")
	if got.header.Get("Allow") != "GET, HEAD, PUT" {
		t.Errorf("Allow: %q", got.header.Get("Allow"))
	}
	a.check("bad OID", a.unit.get("/v1/registries/pirkanmaa/documents/"+uuid.NewString()), 400, "invalid-parameter")
	a.check("bad id", a.unit.get("/documents/7"), 400, "invalid-parameter")
	a.check("parameter", a.unit.get("/documents/"+uuid.NewString()+"?version=1"), 400, "unknown-parameter")
}
