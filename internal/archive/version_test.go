// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
)

func TestANewVersionTakesThePlaceOfTheFormer(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("first"), task)
	a.advance(time.Second)
	got := a.expect("second", a.unit.revise(id, `"1-json"`, note("second"), task), 201)
	if got.json["version"] != 2.0 || got.json["current"] != 2.0 || got.header.Get("ETag") != `"2"` ||
		got.header.Get("Location") != "/v1/registries/"+registryOID+"/documents/"+id+"/versions/2" ||
		got.json["firstStored"] != "2026-11-21T12:00:00Z" || got.json["stored"] != "2026-11-21T12:00:01Z" {
		t.Errorf("got %s %v", got, got.header)
	}
	for path, text := range map[string]string{"": "second", "/versions/2": "second", "/versions/1": "first"} {
		if got := a.expect(path, a.unit.get("/documents/"+id+path), 200); !got.has(text) {
			t.Errorf("%s: %s", path, got)
		}
	}
	if row := a.row(a.unit.get("/documents/" + id + "/versions/1")); string(row.Criteria) != `{"version":1}` || row.Operation != "Read" || row.DocumentCount != 1 {
		t.Errorf("the row is %+v", row)
	}
	history := a.expect("history", a.unit.get("/documents/"+id+"/versions"), 200)
	items := history.json["items"].([]any)
	if len(items) != 2 || items[0].(map[string]any)["state"] != "stored" || items[1].(map[string]any)["state"] != "superseded" ||
		items[1].(map[string]any)["version"] != 1.0 {
		t.Errorf("history %s", history)
	}
	if row := a.row(history); row.Operation != "ListVersions" || row.DocumentCount != 1 || row.ClientID != a.client {
		t.Errorf("the row is %+v", row)
	}
	if a.total(a.client) != 1 {
		t.Error("a version counts as a document")
	}
	a.check("no such version", a.unit.get("/documents/"+id+"/versions/3"), 404, "version-not-found")
	for _, bad := range []string{"0", "-1", "01", "x", "9999999999"} {
		a.check("version "+bad, a.unit.get("/documents/"+id+"/versions/"+bad), 400, "invalid-parameter")
	}
}

func TestAChangeSaysWhatItIsBasedOn(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("first"), task)
	a.expect("second", a.unit.revise(id, `"1"`, note("second"), task), 201)
	for name, change := range map[string]func(tag string) reply{
		"version":   func(tag string) reply { return a.unit.revise(id, tag, note("third"), task) },
		"annulment": func(tag string) reply { return a.organizer.annul(id, tag, "duplicate") },
		"correction": func(tag string) reply {
			return a.organizer.correct(id, tag, "factual-error", note("third"), task)
		},
	} {
		for tag, want := range map[string]struct {
			status int
			reason string
		}{
			"": {428, "precondition-required"}, "*": {428, "precondition-required"},
			`"1"`: {412, "version-stale"}, `W/"2"`: {412, "version-stale"}, `"7"`: {412, "version-stale"}, `"x"`: {412, "version-stale"},
			`2`: {400, "invalid-parameter"},
		} {
			got := change(tag)
			a.check(name+" over "+tag, got, want.status, want.reason)
			if wantTag := map[bool]string{true: `"2"`}[want.status != 400]; got.header.Get("ETag") != wantTag {
				t.Errorf("%s over %s: ETag %q", name, tag, got.header.Get("ETag"))
			}
		}
	}
	if got := a.unit.get("/documents/" + id); !got.has("second") {
		t.Errorf("it was changed: %s", got)
	}
}

func TestOfTwoVersionsAtOnceNoneIsLost(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("first"), task)
	var stored, stale atomic.Int32
	var wg sync.WaitGroup
	for _, text := range []string{"one", "two", "three", "four"} {
		wg.Go(func() {
			switch got := a.unit.revise(id, `"1"`, note(text), task); got.status {
			case http.StatusCreated:
				stored.Add(1)
			case http.StatusPreconditionFailed:
				stale.Add(1)
				if got.header.Get("ETag") != `"2"` {
					t.Errorf("ETag %q", got.header.Get("ETag"))
				}
			default:
				t.Errorf("got %s", got)
			}
		})
	}
	wg.Wait()
	if stored.Load() != 1 || stale.Load() != 3 {
		t.Errorf("%d stored, %d stale", stored.Load(), stale.Load())
	}
}

func TestARepeatedVersionIsStoredOnce(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("first"), task)
	first := a.expect("first", a.unit.revise(id, `"1"`, note("second"), task), 201)
	again := a.expect("again", a.unit.revise(id, `"1"`, note("second"), task), 200)
	if again.json["version"] != 2.0 || again.header.Get("Location") != first.header.Get("Location") {
		t.Errorf("got %s", again)
	}
	a.check("another", a.unit.revise(id, `"1"`, note("other"), task), 412, "version-stale")
	a.check("as a correction", a.organizer.correct(id, `"1"`, "factual-error", note("second"), task), 412, "version-stale")
	if items := a.unit.get("/documents/" + id + "/versions").json["items"].([]any); len(items) != 2 {
		t.Errorf("%d versions", len(items))
	}
}

func TestCorrectionsTellWhy(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("first"), task)
	a.check("basic", a.unit.correct(id, `"1"`, "factual-error", note("second"), task), 403, "extent-insufficient")
	a.check("unknown reason", a.organizer.correct(id, `"1"`, "boredom", note("second"), task), 422, "reason-unknown")
	a.check("reason of an annulment", a.organizer.correct(id, `"1"`, "wrong-client", note("second"), task), 422, "reason-unknown")
	got := a.organizer.send("POST", "/documents/"+id+"/corrections?"+versionQuery(task), "application/json", []byte(note("x")), matching(`"1"`))
	a.check("no reason", got, 400, "invalid-parameter")
	got = a.organizer.send("POST", "/documents/"+id+"/versions?reason=factual-error&"+versionQuery(task), "application/json", []byte(note("x")), matching(`"1"`))
	a.check("reason of a version", got, 400, "unknown-parameter")
	got = a.expect("by the organizer", a.organizer.correct(id, `"1"`, "factual-error", note("second"), task), 201)
	if got.json["correctionReason"] != "factual-error" || got.json["author"].(map[string]any)["unit"] != nil {
		t.Errorf("got %s", got)
	}
	if row := a.row(got); row.Operation != "Correct" {
		t.Errorf("the row is %+v", row)
	}
	a.check("the unit's document no longer", a.unit.revise(id, `"2"`, note("third"), task), 403, "not-own-document")
	a.extend()
	a.expect("extended", a.unit.correct(id, `"2"`, "incomplete", note("third"), task), 201)
}

func TestAVersionKeepsToTheCatalogAndTheRight(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("first"), task)
	a.check("schema", a.unit.revise(id, `"1"`, `{}`, task), 422, "document-invalid")
	a.check("unknown task", a.unit.revise(id, `"1"`, note("x"), "plumbing"), 422, "service-task-unknown")
	a.check("other task", a.unit.revise(id, `"1"`, note("x"), task, "family-law"), 403, "task-not-covered")
	got := a.unit.send("POST", "/documents/"+id+"/versions?type=matter&"+versionQuery(task), "application/json", []byte(note("x")), matching(`"1"`))
	a.check("another type", got, 400, "unknown-parameter")
	a.endRelationship()
	a.check("after the end", a.unit.revise(id, `"1"`, note("x"), task), 403, "relationship-ended")
	a.check("annulment after the end", a.unit.annul(id, `"1"`, "duplicate"), 403, "relationship-ended")
}

// 3: a right that ends while the body of a version comes in ends the version.
func TestInvariant3_RightEndedWhileAVersionComesStoresNothing(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("first"), task)
	slow := a.endsMidway(note("second"))
	got := a.unit.send("POST", "/documents/"+id+"/versions?"+versionQuery(task), "application/json", nil, matching(`"1"`), func(r *http.Request) {
		r.Body, r.ContentLength = slow, int64(len(slow.text))
	})
	a.check("version", got, 403, "relationship-ended")
	a.relate(a.client)
	slow = a.endsMidway(note("new"))
	got = a.unit.send("POST", storePath(a.client, task), "application/json", nil, func(r *http.Request) {
		r.Body, r.ContentLength = slow, int64(len(slow.text))
	})
	a.check("store", got, 403, "relationship-ended")
	a.server.opts.View = a.index
	if got := a.organizer.get("/documents/" + id + "/versions"); got.has(`"version":2`) || a.total(a.client) != 1 {
		t.Errorf("something was stored: %s", got)
	}
}

// changeView tells of the first decision on a change.
type changeView struct {
	View
	decided func()
}

// Decide implements View.
func (v changeView) Decide(req *access.Request, now time.Time) access.Decision {
	if req.Operation != access.Read {
		defer v.decided()
	}
	return v.View.Decide(req, now)
}

// endsMidway gives a body in whose middle the relationship ends, once the server has decided about the change.
func (a *arena) endsMidway(text string) *slowBody {
	decided := make(chan struct{})
	a.server.opts.View = changeView{a.index, sync.OnceFunc(func() { close(decided) })}
	return &slowBody{t: a.t, text: []byte(text), decided: decided, midway: sync.OnceFunc(a.endRelationship)}
}

// slowBody does something when its first half has been read and the decision before it is made.
type slowBody struct {
	t       testing.TB
	text    []byte
	decided <-chan struct{}
	midway  func()
	sent    int
}

func (b *slowBody) Read(into []byte) (int, error) {
	if b.sent == len(b.text) {
		return 0, io.EOF
	}
	until := len(b.text)
	if b.sent < until/2 {
		until /= 2
	} else {
		select {
		case <-b.decided:
		case <-time.After(patience):
			b.t.Error("nothing was decided before the body came")
		}
		b.midway()
	}
	n := copy(into, b.text[b.sent:until])
	b.sent += n
	return n, nil
}

func (*slowBody) Close() error { return nil }

// After the tasks of a document changed, its older versions are open only where both are.
func TestInvariant3_OldVersionsAfterAChangeOfTasks(t *testing.T) {
	a := newArena(t)
	away := a.put(a.unit, note("first"), task)
	a.expect("moving away", a.organizer.correct(away, `"1"`, "clerical-error", note("second"), "family-law"), 201)
	for _, path := range []string{"", "/metadata", "/versions", "/versions/1", "/versions/2"} {
		a.check("moved away"+path, a.unit.get("/documents/"+away+path), 403, "task-not-covered")
	}
	here := a.put(a.organizer, note("not for the unit"), "family-law")
	a.expect("moving here", a.organizer.correct(here, `"1"`, "clerical-error", note("for the unit"), task), 201)
	a.expect("current", a.unit.get("/documents/"+here), 200)
	a.check("before it came here", a.unit.get("/documents/"+here+"/versions/1"), 403, "task-not-covered")
	a.check("its formats", a.unit.get("/documents/"+here+"/versions/1", header("Accept", "text/html")), 403, "task-not-covered")
	history := a.expect("history", a.unit.get("/documents/"+here+"/versions"), 200)
	if items := history.json["items"].([]any); len(items) != 1 || history.has("family-law") {
		t.Errorf("history %s", history)
	}
	if items := a.organizer.get("/documents/" + here + "/versions").json["items"].([]any); len(items) != 2 {
		t.Errorf("the organizer sees %d versions", len(items))
	}
	if got := a.unit.search(map[string]any{}); got.json["total"] != 1.0 || got.has(away) {
		t.Errorf("search: %s", got)
	}
}

func TestAnnulledDocumentsAreKeptButNotShown(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("first"), task)
	a.expect("second", a.unit.revise(id, `"1"`, note("second"), task), 201)
	a.check("basic", a.unit.annul(id, `"2"`, "duplicate"), 403, "extent-insufficient")
	a.check("unknown reason", a.organizer.annul(id, `"2"`, "boredom"), 422, "reason-unknown")
	a.check("reason of a correction", a.organizer.annul(id, `"2"`, "factual-error"), 422, "reason-unknown")
	a.check("no reason", a.organizer.annul(id, `"2"`, ""), 400, "invalid-field")
	got := a.expect("annulling", a.organizer.annul(id, `"2"`, "wrong-client"), 200)
	annulment, _ := got.json["annulment"].(map[string]any)
	if got.json["state"] != "annulled" || annulment["reason"] != "wrong-client" || annulment["by"].(map[string]any)["professional"] != "T-4711" {
		t.Errorf("got %s", got)
	}
	if row := a.row(got); row.Operation != "Annul" || row.ClientID != a.client || len(row.DocumentIDs) != 1 {
		t.Errorf("the row is %+v", row)
	}
	a.expect("again", a.organizer.annul(id, `"2"`, "wrong-client"), 200)
	a.check("again for another reason", a.organizer.annul(id, `"2"`, "duplicate"), 410, "document-annulled")
	for _, path := range []string{"", "/metadata", "/versions", "/versions/1", "/versions/2"} {
		for _, c := range []*caller{a.unit, a.organizer} {
			got := c.get("/documents/" + id + path)
			a.check("reading"+path, got, 410, "document-annulled")
			if got.header.Get("ETag") != "" {
				t.Errorf("%s: ETag %q", path, got.header.Get("ETag"))
			}
		}
		a.check("the unit, as evidence"+path, a.unit.get("/documents/"+id+path+"?annulled=true"), 410, "document-annulled")
		row := a.row(a.expect("the organizer, as evidence"+path, a.organizer.get("/documents/"+id+path+"?annulled=true"), 200))
		if row.Criteria == nil || row.DocumentCount != 1 {
			t.Errorf("the row is %+v", row)
		}
	}
	a.check("annulled=1", a.organizer.get("/documents/"+id+"?annulled=1"), 400, "invalid-parameter")
	a.check("version", a.unit.revise(id, `"2"`, note("third"), task), 410, "document-annulled")
	a.check("version, before its body is looked at", a.organizer.revise(id, `"2"`, `{}`, task), 410, "document-annulled")
	a.check("version without If-Match", a.unit.revise(id, "", note("third"), task), 410, "document-annulled")
	a.check("correction", a.organizer.correct(id, `"2"`, "factual-error", note("third"), task), 410, "document-annulled")
	if a.total(a.client) != 0 || a.unit.search(map[string]any{}).json["total"] != 0.0 {
		t.Error("a search shows it")
	}
	a.check("the unit searches annulled ones", a.unit.search(map[string]any{"state": "annulled"}), 403, "extent-insufficient")
	if got := a.organizer.search(map[string]any{"state": "annulled"}); got.json["total"] != 1.0 || !got.has(id) || string(a.row(got).Criteria) != `{"annulled":true,"limit":50}` {
		t.Errorf("the organizer searches annulled ones: %s", got)
	}
}

func TestWhatIsAnnulledWhileItIsReadIsNotShown(t *testing.T) {
	a := newArena(t)
	id := uuid.MustParse(a.put(a.unit, note("first"), task))
	var once sync.Once
	a.store.set(func(f *faultyStore) {
		f.onFacts = func() {
			once.Do(func() {
				_, _, err := f.Store.Annul(t.Context(), store.NewAnnulment{
					Registry: registryOID, ID: id, Expected: 1,
					Annulment: store.Annulment{At: a.clock.Now(), Reason: "duplicate", By: store.Author{Organization: "1.2.3"}},
				}, store.LogRow{Time: a.clock.Now(), Operation: "Annul", Outcome: store.OutcomeAllowed})
				if err != nil {
					t.Error(err)
				}
			})
		}
	})
	a.check("bytes", a.unit.get("/documents/"+id.String()), 410, "document-annulled")
}
