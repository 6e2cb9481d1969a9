// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

// recorded is a state of the client's relationship in the unit, which began before the tests do.
func (a *arena) recorded(object string, edit ...func(*store.Sighting)) {
	a.t.Helper()
	s := store.Sighting{RelationshipState: store.RelationshipState{
		ObjectUID: object, Revision: uint64(a.clock.Now().UnixMicro()), Registry: registryOID, ClientID: a.client, Unit: unitOID,
		ServiceTasks: []string{task}, Start: indextest.Now.Add(-time.Hour), Accepted: true, Recorded: a.clock.Now(),
	}}
	for _, e := range edit {
		e(&s)
	}
	if n, err := a.store.AppendRelationshipStates(a.t.Context(), []store.Sighting{s}); err != nil || n != 1 {
		a.t.Fatalf("recording a state: %d, %v", n, err)
	}
}

func endedAt(at time.Time) func(*store.Sighting) { return func(s *store.Sighting) { s.End = at } }

func deleted(s *store.Sighting) { s.Deleted = true }

// pass lets time pass, with a view that stays fresh.
func (a *arena) pass(d time.Duration) time.Time {
	a.advance(d)
	a.index.SetFreshness(a.clock.Now())
	return a.clock.Now()
}

func (a *arena) history(body map[string]any, options ...option) reply {
	a.t.Helper()
	if body["client"] == nil {
		body["client"] = a.client.String()
	}
	return a.organizer.post("/relationships/_history", body, options...)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// seen tells the relationships of an answer, each with its end and whose word that is.
func seen(r reply) (all []string) {
	list, _ := r.json["relationships"].([]any)
	for _, item := range list {
		one := item.(map[string]any)
		line := one["relationship"].(string)
		if one["end"] != nil {
			line += fmt.Sprint(" until ", one["end"], " by ", one["endSaidBy"])
		}
		all = append(all, line)
	}
	return all
}

func TestInvariant10_WhoCouldSeeIsToldAsItWasKnown(t *testing.T) {
	a := newArena(t)
	made := a.clock.Now()
	a.recorded("first")
	ended := a.pass(time.Hour)
	backdated := made.Add(20 * time.Minute)
	a.recorded("first", endedAt(backdated))
	again := a.pass(time.Hour)
	a.recorded("second")
	gone := a.pass(time.Hour)
	a.recorded("second", deleted)
	now := a.pass(time.Hour)
	within := made.Add(30 * time.Minute)
	for name, c := range map[string]struct {
		at, knownAt time.Time
		want        []string
	}{
		"really, before the end was recorded":  {within, within, []string{"first"}},
		"as known once the end was recorded":   {within, ended, nil},
		"before the end, as known now":         {made.Add(time.Minute), time.Time{}, []string{"first until " + stamp(backdated) + " by relationship", "second until " + stamp(gone) + " by deletion"}},
		"before anything was known":            {made, made.Add(-time.Second), nil},
		"really, of the second":                {again, again, []string{"second"}},
		"of the second, as known now":          {again, now, []string{"second until " + stamp(gone) + " by deletion"}},
		"after the deletion":                   {gone, now, nil},
		"really, just before it was deleted":   {gone.Add(-time.Second), gone.Add(-time.Second), []string{"second"}},
		"before the start":                     {made.Add(-2 * time.Hour), now, nil},
		"in the future, while it was not over": {now.Add(time.Hour), gone.Add(-time.Second), []string{"second"}},
	} {
		body := map[string]any{"at": stamp(c.at)}
		if !c.knownAt.IsZero() {
			body["knownAt"] = stamp(c.knownAt)
		}
		got := a.expect(name, a.history(body), 200)
		if !slices.Equal(seen(got), c.want) || got.json["at"] != stamp(c.at) || got.json["states"] != nil {
			t.Errorf("%s: %s, want %v", name, got, c.want)
		}
	}
	got := a.history(map[string]any{"at": stamp(within), "knownAt": stamp(within)})
	row := a.row(got)
	if row.Operation != "RelationshipHistory" || row.Outcome != store.OutcomeAllowed || row.ClientID != a.client ||
		string(row.Criteria) != `{"at":"`+stamp(within)+`","knownAt":"`+stamp(within)+`"}` {
		t.Errorf("the row is %+v", row)
	}
	one := got.json["relationships"].([]any)[0].(map[string]any)
	if one["unit"] != unitOID || !reflect.DeepEqual(one["serviceTasks"], []any{task}) || one["recordedAt"] != stamp(made) || one["revision"].(float64) < 1 {
		t.Errorf("got %v", one)
	}
}

// An end in a client relationship document counts from when it was stored, and the object says it a moment later.
func TestInvariant10_AnEndInADocumentCountsFromWhenItWasStored(t *testing.T) {
	a := newArena(t)
	stored := a.expect("storing", a.organizer.storeRelationship(a.client, relationshipDocument(unitOID, relStart, "", "service-voucher"), task), 201)
	id := uuid.MustParse(stored.id())
	ofDocument := func(s *store.Sighting) { s.DocumentID = id }
	a.recorded("o", ofDocument)
	said := a.pass(time.Hour)
	end := said.Add(-30 * time.Minute)
	a.expect("ending", a.organizer.revise(stored.id(), `"1"`, relationshipDocument(unitOID, relStart, stamp(end), "service-voucher"), task), 201)
	between := end.Add(time.Minute)
	ask := func(at, knownAt time.Time) []string {
		return seen(a.expect("asking", a.history(map[string]any{"at": stamp(at), "knownAt": stamp(knownAt)}), 200))
	}
	if got := ask(between, said.Add(-time.Second)); !slices.Equal(got, []string{"o"}) {
		t.Errorf("before it was stored: %v", got)
	}
	if got := ask(between, said); got != nil {
		t.Errorf("once it was stored: %v", got)
	}
	byDocument := "o until " + stamp(end) + " by document"
	if got := ask(end.Add(-time.Minute), said); !slices.Equal(got, []string{byDocument}) {
		t.Errorf("before the end: %v", got)
	}
	later := a.pass(time.Second)
	a.recorded("o", ofDocument, endedAt(end))
	if got := ask(end.Add(-time.Minute), later); !slices.Equal(got, []string{strings.Replace(byDocument, "document", "relationship", 1)}) {
		t.Errorf("once the object says it: %v", got)
	}
	got := a.history(map[string]any{"at": stamp(end.Add(-time.Minute)), "knownAt": stamp(said)}).json["relationships"].([]any)[0].(map[string]any)
	if got["document"] != stored.id() || got["documentVersion"] != 2.0 {
		t.Errorf("got %v", got)
	}
	review := a.expect("review", a.organizer.post("/relationships/_review", map[string]any{"client": a.client.String()}), 200)
	if items := review.json["items"].([]any); len(items) != 1 || items[0].(map[string]any)["recordedAt"] != stamp(said) || items[0].(map[string]any)["endSaidBy"] != "document" {
		t.Errorf("the review is %s", review)
	}
}

func TestTheWholeHistoryComesInPages(t *testing.T) {
	a := newArena(t)
	for n := range 7 {
		a.pass(time.Minute)
		a.recorded(fmt.Sprint("o", n%2), endedAt(a.clock.Now().Add(time.Hour)))
	}
	a.pass(time.Minute)
	a.recorded("o1", deleted, func(s *store.Sighting) { s.Missed = true })
	a.recorded("of another", func(s *store.Sighting) { s.ClientID = uuid.New() })
	a.recorded("of another registry", func(s *store.Sighting) { s.Registry = "1.2.246.10.99999991.19.7" })
	var got []string
	body := map[string]any{"limit": 3}
	for pages := 1; ; pages++ {
		page := a.expect("a page", a.history(body), 200)
		for _, item := range page.json["states"].([]any) {
			one := item.(map[string]any)
			got = append(got, fmt.Sprint(one["relationship"], " ", one["end"] != nil, one["deleted"], one["missed"]))
		}
		if page.json["next"] == nil {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
		body["cursor"] = page.json["next"]
	}
	plain := " true false false"
	if want := []string{"o0" + plain, "o1" + plain, "o0" + plain, "o1" + plain, "o0" + plain, "o1" + plain, "o0" + plain, "o1 true true true"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	body["client"] = a.another(1).String()
	a.check("another client", a.organizer.post("/relationships/_history", body), 400, "cursor-invalid")
	if got := a.expect("a client without any", a.history(map[string]any{"client": body["client"]}), 200); len(got.json["states"].([]any)) != 0 {
		t.Errorf("got %s", got)
	}
}

func TestTheHistoryIsTheOrganizersAlone(t *testing.T) {
	a := newArena(t)
	a.extend() // however far the right reaches
	a.recorded("o")
	stranger := a.another(1)
	same := header("X-Request-Id", "the-same-request")
	for _, path := range []string{"/relationships/_history", "/relationships/_review"} {
		ask := func(c *caller, client uuid.UUID, options ...option) reply {
			return c.post(path, map[string]any{"client": client.String()}, options...)
		}
		a.check("a unit", ask(a.unit, a.client), 403, "extent-insufficient")
		for _, client := range []uuid.UUID{stranger, uuid.New()} {
			mine, theirs := ask(a.unit, a.client, same), ask(a.unit, client, same)
			if mine.status != theirs.status || !bytes.Equal(mine.body, theirs.body) {
				t.Errorf("%s tells clients apart: %s, %s", path, mine, theirs)
			}
		}
		a.check("a role that does not manage relationships", ask(a.organizer, a.client, a.organizer.as("practical-nurse")), 403, "user-right-missing")
		a.expect("one that does", ask(a.organizer, a.client, a.organizer.as("office-secretary")), 200)
		a.check("an unknown client", ask(a.organizer, uuid.New()), 404, "client-unknown")
		a.store.set(func(f *faultyStore) { f.read = store.ErrUnavailable })
		a.check("the store is away", ask(a.organizer, a.client), 503, "store-unavailable")
		a.store.set(func(f *faultyStore) { f.read = nil; f.appendLog = store.ErrUnavailable })
		if got := ask(a.organizer, a.client); got.status != http.StatusServiceUnavailable || got.reason() != "log-unavailable" {
			t.Errorf("without a record: %s", got)
		}
		a.store.set(func(f *faultyStore) { f.appendLog = nil })
	}
}

// The right is gone between the reading and the answer.
func TestInvariant3_AHistoryThatWasReadIsNotReleasedWithoutTheRight(t *testing.T) {
	for _, path := range []string{"/relationships/_history", "/relationships/_review"} {
		a := newArena(t)
		a.recorded("o")
		a.store.set(func(f *faultyStore) {
			f.onSearch = func() {
				r := a.world.Registry
				r.Credentials, r.Revision = nil, 9000
				_, _ = a.index.UpsertRegistry(r)
			}
		})
		a.check(path, a.organizer.post(path, map[string]any{"client": a.client.String()}), 403, "credential-not-listed")
	}
}

func TestBadQuestionsAboutTheHistory(t *testing.T) {
	a := newArena(t)
	client := `"client":"` + a.client.String() + `"`
	for name, c := range map[string]struct{ path, body, reason string }{
		"no client":          {"_history", `{}`, "invalid-field"},
		"bad client":         {"_history", `{"client":"7"}`, "invalid-field"},
		"code as client":     {"_history", `{"client":"` + testCode + `"}`, "identity-code-misplaced"},
		"bad time":           {"_history", `{` + client + `,"at":"3 May"}`, "invalid-field"},
		"known alone":        {"_history", `{` + client + `,"knownAt":"2026-05-03T12:00:00Z"}`, "invalid-field"},
		"known in future":    {"_history", `{` + client + `,"at":"2026-05-03T12:00:00Z","knownAt":"2027-05-03T12:00:00Z"}`, "invalid-field"},
		"at with cursor":     {"_history", `{` + client + `,"at":"2026-05-03T12:00:00Z","cursor":"x"}`, "invalid-field"},
		"limit":              {"_history", `{` + client + `,"limit":201}`, "invalid-field"},
		"cursor":             {"_history", `{` + client + `,"cursor":"AAAA"}`, "cursor-invalid"},
		"unknown field":      {"_history", `{` + client + `,"validAt":""}`, "unknown-field"},
		"review, client":     {"_review", `{"client":"7"}`, "invalid-field"},
		"review, time":       {"_review", `{"from":"3 May"}`, "invalid-field"},
		"review, limit":      {"_review", `{"limit":0}`, "invalid-field"},
		"review, cursor":     {"_review", `{"cursor":"AAAA"}`, "cursor-invalid"},
		"review, large":      {"_review", `{"cursor":"` + strings.Repeat("A", 300) + `"}`, "invalid-field"},
		"review, at":         {"_review", `{"at":""}`, "unknown-field"},
		"review, identities": {"_review", `{"client":"` + testCode + `"}`, "identity-code-misplaced"},
	} {
		a.check(name, a.organizer.post("/relationships/"+c.path, c.body), 400, c.reason)
	}
}

// A backdated end is effective from recording, and calls for a review of the gap.
func TestInvariant10_ABackdatedEndCallsForAReviewOfTheReadsInTheGap(t *testing.T) {
	a := newArena(t)
	other := a.another(1)
	a.relateTo(other, unitOID, 7)
	a.relateTo(a.client, otherUnitOID, 8)
	a.recorded("o")
	id := a.put(a.unit, note("x"), task)
	end := a.pass(time.Hour)
	a.pass(time.Minute)
	want := []string{}
	add := func(got reply, operation string, documents int) {
		row := a.row(got)
		want = append(want, fmt.Sprint(stamp(row.Time), " ", operation, " T-4711 social-worker ", documents, " ", row.RequestID))
		a.pass(time.Minute)
	}
	add(a.expect("reading", a.unit.get("/documents/"+id), 200), "Read", 1)
	add(a.expect("searching", a.unit.search(map[string]any{}), 200), "Search", 1)
	add(a.expect("storing", a.unit.store(a.client, note("y"), task), 201), "Store", 1)
	a.expect("of another client", a.unit.search(map[string]any{"client": other.String()}), 200)
	a.expect("by another unit", a.otherUnit.search(map[string]any{}), 200)
	a.expect("by the organizer", a.organizer.get("/documents/"+id), 200)
	a.check("what was refused", a.unit.store(a.client, note("x"), "family-law"), 403, "task-not-covered")
	a.expect("an explanation", a.unit.post("/explain", map[string]any{"client": a.client.String(), "operation": "Search"}), 200)
	recorded := a.pass(time.Minute)
	a.recorded("o", endedAt(end))
	a.expect("after the recording", a.otherUnit.search(map[string]any{}), 200)
	a.pass(time.Minute)
	a.recorded("o2", func(s *store.Sighting) { s.ClientID, s.Revision = other, 5 })
	a.pass(time.Minute)
	a.recorded("o2", func(s *store.Sighting) { s.ClientID, s.End = other, end })
	a.pass(time.Minute)

	uses := func(item map[string]any) (lines []string) {
		for _, u := range item["uses"].([]any) {
			use := u.(map[string]any)
			lines = append(lines, fmt.Sprint(use["time"], " ", use["operation"], " ", use["professional"], " ", use["role"], " ", use["documents"], " ", use["requestId"]))
			if use["relationship"] != uuid.UUID(indextest.Relationship().UID).String() {
				t.Errorf("it rested on %v", use["relationship"])
			}
		}
		return lines
	}
	review := func(body map[string]any) reply {
		return a.expect("review", a.organizer.post("/relationships/_review", body), 200)
	}
	got := review(map[string]any{"client": a.client.String()})
	if items := got.json["items"].([]any); len(items) != 1 {
		t.Fatalf("got %s", got)
	}
	item := got.json["items"].([]any)[0].(map[string]any)
	if !slices.Equal(uses(item), want) || item["complete"] != true || item["relationship"] != "o" || item["unit"] != unitOID ||
		item["endedAt"] != stamp(end) || item["recordedAt"] != stamp(recorded) || item["client"] != a.client.String() {
		t.Errorf("got %s\nwant %q", got, want)
	}
	if row := a.row(got); row.Operation != "RelationshipReview" || row.ClientID != a.client || row.Outcome != store.OutcomeAllowed {
		t.Errorf("the row is %+v", row)
	}

	// By single uses.
	body, pieces := map[string]any{"client": a.client.String(), "limit": 1}, []string{}
	var rest any
	for {
		item := review(body).json["items"].([]any)[0].(map[string]any)
		if item["next"] != nil {
			rest = item["next"]
		}
		pieces = append(pieces, uses(item)...)
		if item["complete"] == true {
			break
		}
		body["cursor"] = item["next"]
	}
	if !slices.Equal(pieces, want) {
		t.Errorf("by single uses: %q, want %q", pieces, want)
	}

	// Of the registry, page by page, and narrowed by the time of recording.
	body, ends := map[string]any{"limit": 1}, []string{}
	for {
		page := review(body)
		for _, i := range page.json["items"].([]any) {
			ends = append(ends, i.(map[string]any)["relationship"].(string))
		}
		if body["cursor"] = page.json["next"]; page.json["next"] == nil {
			break
		}
	}
	if !slices.Equal(ends, []string{"o", "o2"}) {
		t.Errorf("of the registry: %v", ends)
	}
	for name, c := range map[string]struct {
		body map[string]any
		want int
	}{
		"since":               {map[string]any{"from": stamp(recorded.Add(time.Second))}, 1},
		"until":               {map[string]any{"until": stamp(recorded.Add(time.Second))}, 1},
		"before":              {map[string]any{"until": stamp(recorded)}, 0},
		"client":              {map[string]any{"client": other.String(), "from": stamp(recorded)}, 1},
		"before, of a client": {map[string]any{"client": other.String(), "until": stamp(recorded)}, 0},
	} {
		if got := review(c.body); len(got.json["items"].([]any)) != c.want {
			t.Errorf("%s: %s, want %d", name, got, c.want)
		}
	}
	a.check("a cursor of another question", a.organizer.post("/relationships/_review", map[string]any{"cursor": rest, "client": other.String()}), 400, "cursor-invalid")
	for _, secret := range []string{a.client.String(), other.String(), "T-4711"} {
		if strings.Contains(a.logText(), secret) {
			t.Errorf("the log tells of %s", secret)
		}
	}
}
