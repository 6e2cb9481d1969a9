// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// Two clients, each in another unit: nothing that a unit can ask tells of the other's documents. Every request
// about a real document, in any state of it, is answered with the bytes of one about none.
func TestInvariantNoLeak_NothingTellsOfAnotherUnitsDocument(t *testing.T) {
	a := newArena(t)
	stranger := a.another(0)
	a.relateTo(stranger, otherUnitOID, 2)
	a.extend() // however far the right reaches
	stored := a.otherUnit.store(stranger, note("theirs"), task)
	plain := a.expect("plain", stored, 201).id()
	changed := a.expect("changed", a.otherUnit.store(stranger, note("theirs"), task), 201).id()
	a.expect("a second version", a.otherUnit.revise(changed, `"1"`, note("theirs, too"), task), 201)
	annulled := a.expect("annulled", a.otherUnit.store(stranger, note("theirs"), task), 201).id()
	a.expect("annulling", a.organizer.annul(annulled, `"1"`, "duplicate"), 200)
	relationship := a.expect("relationship", a.organizer.storeRelationship(stranger, relationshipDocument(otherUnitOID, relStart, "", "outsourced-service"), task), 201).id()

	same, type1 := header("X-Request-Id", "the-same-request"), "application/json"
	asks := map[string]func(id string) reply{
		"bytes":          func(id string) reply { return a.unit.get("/documents/"+id, same) },
		"head":           func(id string) reply { return a.unit.send("HEAD", "/documents/"+id, "", nil, same) },
		"not changed":    func(id string) reply { return a.unit.get("/documents/"+id, same, header("If-None-Match", "*")) },
		"another format": func(id string) reply { return a.unit.get("/documents/"+id, same, header("Accept", "text/plain")) },
		"metadata":       func(id string) reply { return a.unit.get("/documents/"+id+"/metadata", same) },
		"versions":       func(id string) reply { return a.unit.get("/documents/"+id+"/versions", same) },
		"first version":  func(id string) reply { return a.unit.get("/documents/"+id+"/versions/1", same) },
		"second version": func(id string) reply { return a.unit.get("/documents/"+id+"/versions/2", same) },
		"annulled":       func(id string) reply { return a.unit.get("/documents/"+id+"?annulled=true", same) },
		"new version": func(id string) reply {
			return a.unit.send("POST", "/documents/"+id+"/versions?"+versionQuery(task), type1, []byte(note("x")), same, matching(`"1"`))
		},
		"stale version": func(id string) reply {
			return a.unit.send("POST", "/documents/"+id+"/versions?"+versionQuery(task), type1, []byte(note("x")), same, matching(`"9"`))
		},
		"no precondition": func(id string) reply {
			return a.unit.send("POST", "/documents/"+id+"/versions?"+versionQuery(task), type1, []byte(note("x")), same)
		},
		"bad precondition": func(id string) reply {
			return a.unit.send("POST", "/documents/"+id+"/versions?"+versionQuery(task), type1, []byte(note("x")), same, matching(`1`))
		},
		"other task": func(id string) reply {
			return a.unit.send("POST", "/documents/"+id+"/versions?"+versionQuery("family-law"), type1, []byte(note("x")), same, matching(`"1"`))
		},
		"correction": func(id string) reply {
			return a.unit.send("POST", "/documents/"+id+"/corrections?reason=incomplete&"+versionQuery(task), type1, []byte(`{}`), same, matching(`"1"`))
		},
		"annulment": func(id string) reply {
			return a.unit.post("/documents/"+id+"/annulment", map[string]any{"reason": "duplicate"}, same, matching(`"1"`))
		},
		"bare annulment": func(id string) reply {
			return a.unit.post("/documents/"+id+"/annulment", map[string]any{"reason": "duplicate"}, same)
		},
	}
	for name, ask := range asks {
		missing := ask(uuid.NewString())
		for what, id := range map[string]string{"plain": plain, "changed": changed, "annulled": annulled, "relationship": relationship} {
			sameAnswer(t, name+", "+what, ask(id), missing)
		}
		if missing.status != http.StatusNotFound || missing.header.Get("ETag") != "" {
			t.Errorf("%s: %s %v", name, missing, missing.header)
		}
	}
	for _, row := range a.rows(store.LogQuery{ClientID: stranger}) {
		if row.RequestID == "the-same-request" && row.Outcome == store.OutcomeAllowed {
			t.Errorf("something was allowed: %+v", row)
		}
	}
}

// Neither does what is asked about a client of another unit, whether that client has documents or not.
func TestInvariantNoLeak_NothingTellsOfAnotherUnitsClient(t *testing.T) {
	a := newArena(t)
	stranger := a.another(0)
	a.relateTo(stranger, otherUnitOID, 2)
	a.extend()
	a.expect("theirs", a.otherUnit.store(stranger, note("theirs"), task), 201)
	same := header("X-Request-Id", "the-same-request")
	for name, search := range map[string]map[string]any{
		"client": {}, "annulled": {"state": "annulled"}, "matter": {"matter": "m-1"}, "type": {"type": "case-note"}, "unit": {"authorUnit": otherUnitOID},
	} {
		unknown := map[string]any{"client": uuid.NewString()}
		search["client"] = stranger.String()
		for field, value := range search {
			if field != "client" {
				unknown[field] = value
			}
		}
		sameAnswer(t, "search by "+name, a.unit.search(search, same), a.unit.search(unknown, same))
	}
	for name, path := range map[string]string{
		"storing": storePath(stranger, task), "storing for two": storePath(a.client, task) + "&client=" + stranger.String(),
	} {
		unknown := string(bytes.ReplaceAll([]byte(path), []byte(stranger.String()), []byte(uuid.NewString())))
		sameAnswer(t, name, a.unit.send("POST", path, "application/json", []byte(note("x")), same), a.unit.send("POST", unknown, "application/json", []byte(note("x")), same))
	}
	a.check("a matter without a client", a.unit.search(map[string]any{"client": "", "matter": "m-1"}), 400, "client-missing")
}

func sameAnswer(t *testing.T, name string, theirs, missing reply) {
	t.Helper()
	theirs.header.Del("Date")
	missing.header.Del("Date")
	if theirs.status < 400 || theirs.status != missing.status || !bytes.Equal(theirs.body, missing.body) || !sameHeader(theirs.header, missing.header) {
		t.Errorf("%s: the real one gives %s %v\nthe missing one %s %v", name, theirs, theirs.header, missing, missing.header)
	}
}

// Totals and cursors count what the unit may see, whatever else there is of the client.
func TestInvariantNoLeak_TotalsCountTheVisible(t *testing.T) {
	a := newArena(t)
	for range 3 {
		a.put(a.organizer, note("hidden"), "family-law")
		a.put(a.organizer, note("seen"), task)
	}
	first := a.unit.search(map[string]any{"limit": 2})
	rest := a.unit.search(map[string]any{"limit": 2, "cursor": first.json["next"]})
	if first.json["total"] != 3.0 || rest.json["total"] != 3.0 || rest.json["next"] != nil || len(rest.json["items"].([]any)) != 1 ||
		first.has("family-law") || rest.has("family-law") {
		t.Errorf("first %s\nrest %s", first, rest)
	}
	if got := a.unit.search(map[string]any{"serviceTask": "family-law"}); got.status != 403 && got.json["total"] != 0.0 {
		t.Errorf("a hidden task: %s", got)
	}
}
