// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"mime"
	"testing"

	"github.com/google/uuid"
)

func TestOfTwoFormatsAcceptPicks(t *testing.T) {
	a := newArena(t)
	json, xhtml := note("structured"), page("for people")
	stored := a.expect("storing", a.unit.send("POST", storePath(a.client, task), typeOfBoth, []byte(both(json, xhtml))), 201)
	path := "/documents/" + stored.id()
	for accept, want := range map[string][3]string{
		"":                      {json, "application/json", `"1-json"`},
		"*/*":                   {json, "application/json", `"1-json"`},
		"application/xhtml+xml": {xhtml, "application/xhtml+xml", `"1-xhtml"`},
		"application/json;q=0.5, application/xhtml+xml": {xhtml, "application/xhtml+xml", `"1-xhtml"`},
	} {
		got := a.expect(accept, a.unit.get(path, header("Accept", accept)), 200)
		if string(got.body) != want[0] || got.header.Get("Content-Type") != want[1] || got.header.Get("ETag") != want[2] ||
			got.header.Get("Repr-Digest") != digestOf(got.body) || got.header.Get("Vary") != "Accept" {
			t.Errorf("%q: got %s %v", accept, got, got.header)
		}
	}
	got := a.expect("both", a.unit.get(path, header("Accept", "multipart/related, */*;q=0.1")), 200)
	_, parameters, err := mime.ParseMediaType(got.header.Get("Content-Type"))
	if err != nil || got.header.Get("ETag") != `"1"` || got.header.Get("Repr-Digest") != digestOf(got.body) {
		t.Fatalf("headers %v, %v", got.header, err)
	}
	parts, err := splitRelated(got.body, parameters["boundary"])
	if err != nil || string(parts[0].Body) != json || string(parts[1].Body) != xhtml {
		t.Errorf("got %s, %v", got, err)
	}
	if again := a.unit.get(path, header("Accept", "multipart/related")); !bytes.Equal(again.body, got.body) {
		t.Error("the same tag, other bytes")
	}
	a.check("none", a.unit.get(path, header("Accept", "text/html")), 406, "not-acceptable")
	alone := a.put(a.unit, json, task)
	a.check("both of one", a.unit.get("/documents/"+alone, header("Accept", "multipart/related")), 406, "not-acceptable")
}

func TestWhatTheCallerHasIsNotSentAgainButRecorded(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("x"), task)
	for path, tag := range map[string]string{"": `"1-json"`, "/metadata": `"1"`, "/versions/1": `"1-json"`} {
		for _, method := range []string{"GET", "HEAD"} {
			got := a.unit.send(method, "/documents/"+id+path, "", nil, header("If-None-Match", `"9", W/`+tag))
			if got.status != 304 || len(got.body) != 0 || got.header.Get("ETag") != tag {
				t.Errorf("%s%s: %d %v", method, path, got.status, got.header)
			}
			if row := a.row(got); row.DocumentCount != 1 || row.ClientID != a.client {
				t.Errorf("%s%s: the row is %+v", method, path, row)
			}
		}
		a.expect("another tag", a.unit.get("/documents/"+id+path, header("If-None-Match", `"2-json"`)), 200)
	}
	a.endRelationship()
	a.check("after the end", a.unit.get("/documents/"+id, header("If-None-Match", `"1-json"`)), 403, "relationship-ended")
}

// 3: a right that ends between the facts and the release ends every reading.
func TestInvariant3_RightEndedBeforeTheReleaseReleasesNothing(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, secretBody, task)
	for name, read := range map[string]func() reply{
		"metadata":    func() reply { return a.unit.get("/documents/" + id + "/metadata") },
		"history":     func() reply { return a.unit.get("/documents/" + id + "/versions") },
		"not changed": func() reply { return a.unit.get("/documents/"+id, header("If-None-Match", `"1-json"`)) },
	} {
		a.relate(a.client)
		decisions := 0
		a.server.opts.View = &endingView{View: a.index, after: 1, end: a.endRelationship, asked: &decisions}
		got := read()
		a.server.opts.View = a.index
		a.check(name, got, 403, "relationship-ended")
		if got.has(`"clients"`) || got.header.Get("ETag") != "" || decisions < 2 {
			t.Errorf("%s: something left: %s %v", name, got, got.header)
		}
	}
}

func TestMetadataReadsAreRecordedAsSuch(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("x"), task)
	head := a.unit.send("HEAD", "/documents/"+id+"/metadata", "", nil)
	if row := a.row(head); head.status != 200 || row.Operation != "ReadMetadata" || row.DocumentCount != 1 || row.Relationship.UID == "" {
		t.Errorf("%d, the row is %+v", head.status, row)
	}
	a.check("nothing", a.unit.get("/documents/"+uuid.NewString()+"/metadata"), 404, "document-not-found")
	a.check("unknown parameter", a.unit.get("/documents/"+id+"/metadata?version=1"), 400, "unknown-parameter")
}
