// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/masking"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/index"
)

const street = "Salakuja 7"

// visit is a case note of a visit at the client's home, and visitPage is it for people.
func visit(place string) string {
	return fmt.Sprintf(`{"occurredAt": "2026-11-21T10:00:00Z", "contact": "home-visit", "place": %q, "text": "Kaikki hyvin."}`, place)
}

func visitPage(place string) string {
	return `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><p class="non-disclosure">` + place + `</p><p>Kaikki hyvin.</p></body></html>`
}

// show makes the registry's policy show or mask documents under a non-disclosure.
func (a *arena) show(shows bool) {
	a.t.Helper()
	registry := a.world.Registry
	registry.ShowNonDisclosure, registry.Revision = shows, 5000+a.index.Revision(index.Registries)
	if c, err := a.index.UpsertRegistry(registry); err != nil || !c.Applied {
		a.t.Fatalf("the registry was not taken in: %v", err)
	}
}

// protect puts the client under a non-disclosure, or ends it.
func (a *arena) protect(client uuid.UUID, under bool) {
	a.t.Helper()
	db := must(sqlite.OpenFile(a.t.Context(), a.dir))(a.t)
	defer func() { _ = db.Close() }()
	flag := 0
	if under {
		flag = 1
	}
	must(db.ExecContext(a.t.Context(), `UPDATE clients SET non_disclosure = $1 WHERE client_id = $2`, flag, client[:]))(a.t)
}

// keepVisit stores a visit in both formats as the organizer, and gives its id.
func (a *arena) keepVisit(labeled bool) string {
	a.t.Helper()
	path := storePath(a.client, task)
	if labeled {
		path += "&nonDisclosure=true"
	}
	return a.expect("storing a visit", a.organizer.send("POST", path, typeOfBoth, []byte(both(visit(street), visitPage(street)))), 201).id()
}

// masked fails the test unless the answer is the masked form, told as such.
func (a *arena) masked(name string, got reply, want string) {
	a.t.Helper()
	a.expect(name, got, http.StatusOK)
	if string(got.body) != want || got.header.Get("Document-Masked") != "non-disclosure" || got.header.Get("Repr-Digest") != digestOf(got.body) ||
		got.header.Get("Content-Digest") != digestOf(got.body) || !strings.Contains(got.header.Get("ETag"), "-masked-") {
		a.t.Errorf("%s: got %s %v", name, got, got.header)
	}
	if row := a.row(got); !strings.Contains(string(row.Criteria), `"masked":true`) || row.DocumentCount != 1 {
		a.t.Errorf("%s: the row is %+v", name, row)
	}
}

func accept(format string) option { return header("Accept", format) }

// A document under a non-disclosure, by its label or by its client, reaches a unit masked, whatever it is read by.
func TestNonDisclosureReachesAUnitMasked(t *testing.T) {
	a := newArena(t)
	for name, prepare := range map[string]func() string{
		"labeled": func() string { return a.keepVisit(true) },
		"by its client": func() string {
			id := a.keepVisit(false)
			a.protect(a.client, true)
			return id
		},
		"labeled later": func() string {
			a.protect(a.client, false)
			id := a.keepVisit(false)
			path := "/documents/" + id + "/versions?nonDisclosure=true&" + versionQuery(task)
			a.expect("a labeled version", a.organizer.send("POST", path, typeOfBoth, []byte(both(visit(street), visitPage(street))), matching(`"1"`)), 201)
			return id
		},
		"labeled before": func() string {
			id := a.keepVisit(true)
			path := "/documents/" + id + "/versions?" + versionQuery(task)
			a.expect("a version without label", a.organizer.send("POST", path, store.ContentJSON, []byte(note("x")), matching(`"1"`)), 201)
			return id
		},
	} {
		path := "/documents/" + prepare()
		first := path + "/versions/1"
		a.masked(name+": JSON", a.unit.get(first), visit(masking.Mask))
		a.masked(name+": XHTML", a.unit.get(first, accept(store.ContentXHTML)), visitPage(masking.Mask))
		if name != "labeled before" {
			a.masked(name+": the current one", a.unit.get(path), visit(masking.Mask))
		}
		got := a.expect(name+": both", a.unit.get(first, accept(contentRelated)), 200)
		if strings.Contains(string(got.body), street) || strings.Count(string(got.body), masking.Mask) != 2 {
			t.Errorf("%s: both: %s", name, got)
		}
		head := a.unit.send("HEAD", first, "", nil)
		if head.header.Get("Document-Masked") == "" || head.header.Get("Content-Length") != fmt.Sprint(len(visit(masking.Mask))) ||
			head.header.Get("ETag") != a.unit.get(first).header.Get("ETag") {
			t.Errorf("%s: HEAD: %v", name, head.header)
		}
		// No range is served: all of the masked form is.
		a.masked(name+": a range", a.unit.get(first, header("Range", "bytes=90-110")), visit(masking.Mask))

		for format, want := range map[string]string{store.ContentJSON: visit(street), store.ContentXHTML: visitPage(street)} {
			whole := a.expect(name+": organizer", a.organizer.get(first, accept(format)), 200)
			if string(whole.body) != want || whole.header.Get("Document-Masked") != "" || strings.Contains(whole.header.Get("ETag"), "masked") {
				t.Errorf("%s: organizer: %s %v", name, whole, whole.header)
			}
			if row := a.row(whole); strings.Contains(string(row.Criteria), "masked") {
				t.Errorf("%s: organizer: the row is %+v", name, row)
			}
		}
	}
}

// Nothing that a unit is told lets it guess what was masked: a digest of the stored bytes would.
func TestMetadataTellOfTheMaskAndNothingOfTheStoredBytes(t *testing.T) {
	a := newArena(t)
	jws := a.sign(a.card, store.ContentJSON, visit(street))
	path := storePath(a.client, task) + "&nonDisclosure=true"
	id := a.expect("storing", a.organizer.send("POST", path, store.ContentJSON, []byte(visit(street)), signed(jws)), 201).id()
	plain := a.put(a.organizer, visit(street), task)
	stored := digestOf([]byte(visit(street)))
	for name, get := range map[string]func(c *caller) reply{
		"metadata": func(c *caller) reply { return c.get("/documents/" + id + "/metadata") },
		"versions": func(c *caller) reply { return c.get("/documents/" + id + "/versions") },
		"search":   func(c *caller) reply { return c.search(map[string]any{}) },
	} {
		of := func(got reply, id string) map[string]any {
			a.expect(name, got, 200)
			items, isList := got.json["items"].([]any)
			if !isList {
				return got.json
			}
			for _, item := range items {
				if item.(map[string]any)["id"] == id {
					return item.(map[string]any)
				}
			}
			return nil
		}
		unit, organizer := of(get(a.unit), id), of(get(a.organizer), id)
		format := func(of map[string]any) map[string]any { return of["formats"].([]any)[0].(map[string]any) }
		if unit["masked"] != true || format(unit)["sha256"] != nil || format(unit)["size"] != nil || unit["signatures"] == nil {
			t.Errorf("%s: the unit is told %v", name, unit)
		}
		if organizer["masked"] != nil || format(organizer)["sha256"] == nil || format(organizer)["size"] == nil {
			t.Errorf("%s: the organizer is told %v", name, organizer)
		}
		if name == "search" {
			if other := of(get(a.unit), plain); other["masked"] != nil || format(other)["sha256"] == nil {
				t.Errorf("of a plain one the unit is told %v", other)
			}
		}
	}
	signature := "/documents/" + id + "/versions/1/signature"
	a.check("the signature", a.unit.get(signature), 403, "masked-signature-withheld")
	if got := a.organizer.get(signature); string(got.body) != jws {
		t.Errorf("the signature, organizer: %s", got)
	}
	if got := a.unit.get("/documents/" + id); got.header.Get("Repr-Digest") == stored {
		t.Error("the digest of the stored bytes")
	}
}

// The two forms have tags of their own: what a caller has of one is never taken for the other.
func TestTheFormsAreNotConfused(t *testing.T) {
	a := newArena(t)
	id := a.keepVisit(false)
	path := "/documents/" + id
	for _, part := range []string{"", "/metadata", "/versions/1"} {
		a.protect(a.client, false)
		plain := a.unit.get(path + part).header.Get("ETag")
		a.protect(a.client, true)
		masked := a.unit.get(path + part).header.Get("ETag")
		if masked == plain {
			t.Fatalf("%s: one tag %s", part, plain)
		}
		if got := a.unit.get(path+part, header("If-None-Match", plain)); got.status != 200 || got.header.Get("Document-Masked") == "" {
			t.Errorf("%s: had the plain form: %s", part, got)
		}
		if got := a.unit.get(path+part, header("If-None-Match", masked)); got.status != 304 || got.header.Get("ETag") != masked || got.header.Get("Document-Masked") == "" {
			t.Errorf("%s: had the masked form: %s", part, got)
		}
		if got := a.organizer.get(path+part, header("If-None-Match", masked)); got.status != 200 || got.header.Get("Document-Masked") != "" ||
			(got.header.Get("ETag") != plain) != (part == "/metadata") { // which tell the organizer more
			t.Errorf("%s: the organizer had the masked form: %s", part, got)
		}
		if part == "/metadata" {
			continue
		}
		// Another catalog may mask more.
		a.amend("[/place, ", "[/place, /text, ")
		if got := a.unit.get(path+part, header("If-None-Match", masked)); got.status != 200 || strings.Contains(string(got.body), "hyvin") {
			t.Errorf("%s: masked by another catalog: %s", part, got)
		}
		a.amend("", "")
	}
}

func TestTheRegistrysPolicyMayShow(t *testing.T) {
	a := newArena(t)
	id := a.keepVisit(true)
	a.show(true)
	got := a.expect("shown", a.unit.get("/documents/"+id), 200)
	if string(got.body) != visit(street) || got.header.Get("Document-Masked") != "" || got.header.Get("ETag") != `"1-json"` {
		t.Errorf("shown: %s %v", got, got.header)
	}
	if metadata := a.unit.get("/documents/" + id + "/metadata"); metadata.json["masked"] != nil {
		t.Errorf("shown: %s", metadata)
	}
}

// A non-disclosure that is set between the facts and the bytes ends the request, too.
func TestANonDisclosureThatIsSetMeanwhileReleasesNothing(t *testing.T) {
	a := newArena(t)
	id := a.keepVisit(false)
	a.store.set(func(f *faultyStore) { f.onFacts = func() { a.protect(a.client, true) } })
	got := a.unit.get("/documents/" + id)
	a.store.set(func(f *faultyStore) { f.onFacts = nil })
	a.check("meanwhile", got, 503, "store-unavailable")
	a.masked("after", a.unit.get("/documents/"+id), visit(masking.Mask))
}

// What changes between the facts and the release ends the request rather than let the plain form out.
func TestAPolicyThatMasksMeanwhileReleasesNothing(t *testing.T) {
	a := newArena(t)
	id := a.keepVisit(true)
	a.show(true)
	decisions := 0
	a.server.opts.View = &endingView{View: a.index, after: 1, end: func() { a.show(false) }, asked: &decisions}
	got := a.unit.get("/documents/" + id)
	a.server.opts.View = a.index
	a.check("meanwhile", got, 503, "store-unavailable")
	a.masked("after", a.unit.get("/documents/"+id), visit(masking.Mask))
}

func TestWhatCannotBeMaskedIsWithheld(t *testing.T) {
	a := newArena(t)
	path := storePath(a.client, task) + "&nonDisclosure=true"
	unmarked := a.expect("storing", a.organizer.send("POST", path, typeOfBoth, []byte(both(visit(street), page(street)))), 201).id()
	a.check("XHTML without a mark", a.unit.get("/documents/"+unmarked, accept(store.ContentXHTML)), 403, "masked-xhtml-withheld")
	a.check("both", a.unit.get("/documents/"+unmarked, accept(contentRelated)), 403, "masked-xhtml-withheld")
	a.masked("its JSON", a.unit.get("/documents/"+unmarked), visit(masking.Mask))
	a.amend(`nonDisclosure: {json: [/place, "/participants/*/note"]}`, "")
	a.check("JSON that the catalog is silent of", a.unit.get("/documents/"+unmarked), 403, "masked-json-withheld")
	for _, got := range []reply{a.unit.get("/documents/" + unmarked), a.unit.get("/documents/"+unmarked, accept(store.ContentXHTML))} {
		if got.has(street) || got.header.Get("ETag") != "" {
			t.Errorf("withheld, but %s %v", got, got.header)
		}
	}
	if got := a.organizer.get("/documents/" + unmarked); string(got.body) != visit(street) {
		t.Errorf("organizer: %s", got)
	}
	a.amend(`nonDisclosure: {json: [/place, "/participants/*/note"]}`, "nonDisclosure: {json: []}")
	a.masked("nothing to mask", a.unit.get("/documents/"+unmarked), visit(street))
}

// Masking tells nothing of a document that the caller may not see.
func TestInvariantNoLeak_MaskingTellsNothing(t *testing.T) {
	a := newArena(t)
	stranger := a.another(0)
	hidden := a.expect("theirs", a.organizer.send("POST", storePath(stranger, task)+"&nonDisclosure=true", store.ContentXHTML, []byte(page(street))), 201).id()
	same := header("X-Request-Id", "the-same-request")
	for _, part := range []string{"", "/metadata", "/versions", "/versions/1", "/versions/1/signature"} {
		sameAnswer(t, part, a.unit.get("/documents/"+hidden+part, same), a.unit.get("/documents/"+uuid.NewString()+part, same))
	}
}

// A unit that read a document masked cannot put the mask in the place of the data, nor take the label off.
func TestAMaskedDocumentThatComesBackDestroysNothing(t *testing.T) {
	a := newArena(t)
	a.extend()
	labeled := "nonDisclosure=true&" + versionQuery(task)
	id := a.expect("storing", a.unit.send("POST", storePath(a.client, task)+"&nonDisclosure=true", typeOfBoth, []byte(both(visit(street), visitPage(street)))), 201).id()
	seen := a.unit.get("/documents/" + id)
	send := func(c *caller, path, contentType, body string) reply {
		return c.send("POST", "/documents/"+id+path, contentType, []byte(body), matching(seen.header.Get("ETag")))
	}
	escaped := strings.Replace(visit(masking.Mask), "[turva", `\u005bturva`, 1)
	for name, got := range map[string]reply{
		"a version":         send(a.unit, "/versions?"+labeled, store.ContentJSON, string(seen.body)),
		"escaped":           send(a.unit, "/versions?"+labeled, store.ContentJSON, escaped),
		"within more":       send(a.unit, "/versions?"+labeled, store.ContentJSON, visit(masking.Mask+", Tampere")),
		"XHTML":             send(a.unit, "/versions?"+labeled, store.ContentXHTML, visitPage(masking.Mask)),
		"XHTML, not marked": send(a.unit, "/versions?"+labeled, store.ContentXHTML, page(masking.Mask)),
		"in one of two":     send(a.unit, "/versions?"+labeled, typeOfBoth, both(visit(street), visitPage(masking.Mask))),
		"a correction":      send(a.unit, "/corrections?reason=incomplete&"+labeled, store.ContentJSON, string(seen.body)),
		"another document":  a.unit.send("POST", storePath(a.client, task), store.ContentJSON, seen.body),
		"put":               a.unit.putDocument(uuid.NewString(), strings.TrimPrefix(storePath(a.client, task), "/documents"), string(seen.body)),
	} {
		a.check(name, got, 422, "mask-stored")
	}
	a.check("without the label", send(a.unit, "/versions?"+versionQuery(task), store.ContentJSON, note("x")), 422, "non-disclosure-dropped")
	if got := a.organizer.get("/documents/" + id); string(got.body) != visit(street) || a.total(a.client) != 1 {
		t.Errorf("the data: %s", got)
	}
	// The mask elsewhere is text like any other, and the tag of the masked form names the version.
	a.expect("in the text", send(a.unit, "/versions?"+labeled, store.ContentJSON, note(masking.Mask)), 201)
	a.expect("lifted by the organizer", a.organizer.revise(id, `"2"`, note("x"), task), 201)
	// What was read masked before is refused also when nothing is masked any more.
	a.check("after it was lifted", a.unit.send("POST", "/documents/"+id+"/versions?"+versionQuery(task), store.ContentJSON, seen.body, matching(`"3"`)), 422, "mask-stored")
}

func TestExplainTellsOfMasking(t *testing.T) {
	a := newArena(t)
	ask := map[string]any{"client": a.client.String(), "operation": "Read", "serviceTask": task}
	of := func(c *caller, unit string) any {
		ask["unit"] = unit
		return a.expect("explaining", c.post("/explain", ask), 200).json["masksNonDisclosure"]
	}
	if of(a.unit, "") != true || of(a.organizer, unitOID) != true || of(a.organizer, "") != nil {
		t.Error("masking is not told as it is")
	}
	a.show(true)
	if of(a.unit, "") != nil || of(a.organizer, unitOID) != nil {
		t.Error("showing is not told as it is")
	}
	a.show(false)
	a.endRelationship()
	if got := a.unit.post("/explain", map[string]any{"client": a.client.String(), "operation": "Search"}); got.json["allowed"] != false || got.json["masksNonDisclosure"] != nil {
		t.Error("a refusal masks nothing")
	}
}

func TestTheCatalogTellsWhatIsMasked(t *testing.T) {
	a := newArena(t)
	a.amend(`nonDisclosure: {json: ["/clientContact/*", /notifier/contact]}`, "")
	got := a.unit.get("/catalog")
	if !got.has(`"nonDisclosure":{"json":["/place","/participants/*/note"]}`) || !got.has(`"nonDisclosure":{"json":[]}`) || got.has("notifier") {
		t.Errorf("%s", got)
	}
}
