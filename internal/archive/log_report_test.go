// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/logreport"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

// 13.1, 13: a log request covers at most two years without a reason.
func TestALogRequestCoversAtMostTwoYearsWithoutAReason(t *testing.T) {
	a := newArena(t)
	old := store.LogRow{
		Time: time.Date(2024, 11, 20, 21, 59, 0, 0, time.UTC), RequestID: "old", Registry: registryOID, Operation: "Read", // a minute too early
		Outcome: store.OutcomeAllowed, ClientID: a.client, Unit: unitOID, Caller: "x", Professional: "T-1",
	}
	if err := a.store.AppendLog(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	ask := func(from, reason string) reply {
		body := map[string]any{"client": a.client, "from": from, "until": "2026-11-21"}
		if reason != "" {
			body["specialReason"] = reason
		}
		return a.supervise("/log/_report", body, header("Accept-Language", "en"))
	}
	a.expect("two years to the day", ask("2024-11-21", ""), 200)
	got := ask("2024-11-20", "")
	a.check("a day more", got, 422, "log-period-too-long")
	if got.json["field"] != "from" || !got.has("special reason for a longer period") || got.has("entries") {
		t.Errorf("it does not tell what to do: %s", got)
	}
	if row := a.row(got); row.ClientID != a.client || row.Operation != "ReportLog" {
		t.Errorf("the row is %+v", row)
	}
	const reason = "Suspicion of unlawful handling, 123/2026"
	got = a.expect("with a reason", ask("2024-11-20", reason), 200)
	if !got.has(old.ID.String()) && len(got.json["entries"].([]any)) == 0 || got.json["specialReason"] != reason {
		t.Errorf("got %s", got)
	}
	if first := got.json["entries"].([]any)[0].(map[string]any); first["professional"] != "T-1" {
		t.Errorf("the old entry is missing: %v", first)
	}
	// The reason can be found by whoever watches over the log.
	found := a.expect("finding it", a.supervise("/log/_search", map[string]any{"operation": "ReportLog", "client": a.client}), 200)
	if criteria := found.json["items"].([]any)[0].(map[string]any)["criteria"].(map[string]any); criteria["specialReason"] != reason || criteria["from"] != "2024-11-20" {
		t.Errorf("the row says %v", criteria)
	}
}

// entriesOf gives of each entry of a report its unit, operation, outcome and kind of ground.
func entriesOf(got reply) (all []string) {
	for _, entry := range got.json["entries"].([]any) {
		e := entry.(map[string]any)
		unit, _ := e["unit"].(string)
		ground, _ := e["ground"].(map[string]any)
		kind, _ := ground["kind"].(string)
		all = append(all, strings.Join([]string{unit, e["operation"].(string), e["outcome"].(string), kind}, " "))
	}
	return all
}

func TestALogReportIsJoinedOverAllUnits(t *testing.T) {
	a := newArena(t)
	a.relateTo(a.client, otherUnitOID, 2)
	stranger := a.another(0)
	id := a.put(a.unit, note("secret-of-the-client"), task)
	a.expect("another unit", a.otherUnit.get("/documents/"+id), 200)
	a.expect("the organizer", a.organizer.get("/documents/"+id), 200)
	a.expect("another client", a.organizer.search(map[string]any{"client": stranger}), 200)
	a.endRelationship()
	a.check("after the end", a.unit.get("/documents/"+id), 403, "relationship-ended")
	ask := map[string]any{"client": a.client, "from": "2026-11-01", "until": "2026-11-21"}
	got := a.expect("report", a.supervise("/log/_report", ask), 200)
	want := []string{
		" RegisterClient allowed registry-controller",
		unitOID + " Store allowed service-relationship",
		otherUnitOID + " Read allowed service-relationship",
		" Read allowed registry-controller",
		unitOID + " Read refused ",
	}
	if entries := entriesOf(got); !slices.Equal(entries, want) {
		t.Errorf("got  %q\nwant %q", entries, want)
	}
	if got.has(stranger.String(), "secret-of-the-client", testCode) || got.header.Get("Content-Language") != "fi" {
		t.Errorf("got %s", got)
	}
	by := got.json["madeBy"].(map[string]any)
	if by["professional"] != "T-4711" || by["role"] != "supervisor" || by["organization"] != a.world.Registry.Organization {
		t.Errorf("made by %v", by)
	}
	ask["units"] = []string{otherUnitOID}
	if entries := entriesOf(a.supervise("/log/_report", ask)); !slices.Equal(entries, want[2:3]) {
		t.Errorf("of the other unit: %q", entries)
	}
	ask["units"] = []string{a.world.Registry.Organization}
	narrowed := a.supervise("/log/_report", ask)
	if entries := entriesOf(narrowed); len(entries) < 3 || entries[0] != want[0] || slices.Contains(entries, want[2]) { // with the reports before
		t.Errorf("of the organizer: %q", entries)
	}
	if row := a.row(narrowed); row.ClientID != a.client || string(row.Criteria) != `{"from":"2026-11-01","until":"2026-11-21","units":["`+a.world.Registry.Organization+`"]}` {
		t.Errorf("the row is %+v", row)
	}
}

// A document of a family is each member's: reading it through one is using the others' data.
func TestALogReportTellsOfSharedDocuments(t *testing.T) {
	a := newArena(t)
	sibling := a.another(0)
	a.openMatter("M-1", []uuid.UUID{a.client, sibling}, task)
	path := "/documents" + query("case-note", []uuid.UUID{a.client, sibling}, "matter=M-1&"+versionQuery(task))
	id := a.expect("storing", a.send(a.organizer, path, note("x")), 201).id()
	a.expect("reading", a.organizer.get("/documents/"+id), 200)
	a.expect("by the matter alone", a.organizer.search(map[string]any{"client": "", "matter": "M-1"}), 200)
	got := a.expect("report", a.supervise("/log/_report", map[string]any{"client": sibling, "from": "2026-11-21", "until": "2026-11-21"}), 200)
	want := []string{
		" RegisterClient allowed registry-controller", " OpenMatter allowed registry-controller", " Store allowed registry-controller",
		" Read allowed registry-controller", " Search allowed registry-controller",
	}
	if entries := entriesOf(got); !slices.Equal(entries, want) || got.has(a.client.String()) {
		t.Errorf("got %q: %s", entries, got)
	}
}

func TestALogReportIsAPageForAPerson(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("x"), task)
	a.check("refused", a.otherUnit.get("/documents/"+id), 404, "document-not-found")
	for lang, c := range map[string]struct{ title, read, refused string }{
		"fi": {"Selvitys asiakastietojen käytöstä", "Asiakirja tallennettiin", "Estetty: "},
		"sv": {"Utredning om användningen av klientuppgifter", "En handling sparades", "Nekad: "},
		"en": {"Report on the use of client data", "A document was stored", "Refused: "},
	} {
		for _, named := range []bool{false, true} {
			ask := map[string]any{"client": a.client, "from": "2026-11-21", "until": "2026-11-21", "nameProfessionals": named}
			got := a.expect(lang, a.supervise("/log/_report", ask, header("Accept-Language", lang), header("Accept", "application/xhtml+xml")), http.StatusOK)
			if err := wellformed.XHTML(got.body); err != nil {
				t.Errorf("%s: %v", lang, err)
			}
			if got.header.Get("Content-Type") != "application/xhtml+xml" || got.header.Get("Content-Language") != lang || got.header.Get("Vary") != "Accept, Accept-Language" {
				t.Errorf("%s: %v", lang, got.header)
			}
			if !got.has(c.title) || !got.has(c.read) || !got.has(c.refused) || !got.has(unitOID) || got.has("T-4711") != named || got.has(testCode) {
				t.Errorf("%s: %s", lang, got)
			}
		}
	}
}

func TestWithheldEntriesAreCountedAndNotShown(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("x"), task)
	for range 3 {
		a.tick(time.Minute)
		a.expect("reading", a.unit.get("/documents/"+id), 200)
	}
	ask := map[string]any{"client": a.client, "from": "2026-11-21", "until": "2026-11-21"}
	report := func() (entries []any, withheld []any) {
		got := a.expect("report", a.supervise("/log/_report", ask), 200)
		entries = slices.DeleteFunc(got.json["entries"].([]any), func(e any) bool { return e.(map[string]any)["operation"] != "Read" })
		return entries, got.json["withheld"].([]any)
	}
	entries, withheld := report()
	if len(entries) != 3 || len(withheld) != 0 {
		t.Fatalf("%d entries, %d withheld", len(entries), len(withheld))
	}
	first, second := entries[0].(map[string]any)["id"], entries[1].(map[string]any)["id"]
	named := map[string]any{"client": a.client, "entries": []any{first, second}, "reason": "client-health-or-care", "decision": "D/7/2026"}
	made := a.expect("withholding", a.supervise("/log/withholdings", named), 201)
	again := a.expect("again", a.supervise("/log/withholdings", named), 200)
	if made.id() == "" || again.id() != made.id() {
		t.Errorf("made %s, again %s", made, again)
	}
	if row := a.row(made); row.Operation != "WithholdLog" || row.ClientID != a.client || !strings.Contains(string(row.Criteria), "D/7/2026") {
		t.Errorf("the row is %+v", row)
	}
	entries, withheld = report()
	if len(entries) != 1 || len(withheld) != 1 {
		t.Fatalf("%d entries, withheld %v", len(entries), withheld)
	}
	if w := withheld[0].(map[string]any); w["decision"] != "D/7/2026" || w["reason"] != "client-health-or-care" || w["entries"] != 2.0 {
		t.Errorf("withheld: %v", w)
	}
	page := a.supervise("/log/_report", ask, header("Accept", "application/xhtml+xml"), header("Accept-Language", "en"))
	if !page.has("Entries: 2. Decision: D/7/2026.") {
		t.Errorf("the page: %s", page)
	}
	// The organizer sees them, and what was decided.
	if found := a.supervise("/log/_search", map[string]any{"client": a.client, "operation": "Read"}); len(found.json["items"].([]any)) != 3 {
		t.Errorf("the organizer's search: %s", found)
	}
	list := a.expect("list", a.supervise("/log/withholdings/_search", map[string]any{"client": a.client}), 200)
	if items := list.json["items"].([]any); len(items) != 1 || items[0].(map[string]any)["lifted"] != nil {
		t.Errorf("the list: %s", list)
	}
	lift := "/log/withholdings/" + made.id() + "/lifting"
	lifted := a.expect("lifting", a.supervise(lift, map[string]any{"decision": "D/8/2026"}), 200)
	a.expect("lifting again", a.supervise(lift, map[string]any{"decision": "D/8/2026"}), 200)
	a.check("lifting otherwise", a.supervise(lift, map[string]any{"decision": "D/9/2026"}), 409, "withholding-lifted")
	if by := lifted.json["lifted"].(map[string]any); by["decision"] != "D/8/2026" || by["by"].(map[string]any)["professional"] != "T-4711" {
		t.Errorf("lifted: %v", by)
	}
	if row := a.row(lifted); row.Operation != "LiftWithholding" || row.ClientID != a.client {
		t.Errorf("the row is %+v", row)
	}
	if entries, withheld = report(); len(entries) != 3 || len(withheld) != 0 {
		t.Errorf("after the lifting: %d entries, %d withheld", len(entries), len(withheld))
	}
	period := map[string]any{"client": a.client, "from": "2026-11-21", "until": "2026-11-21", "reason": "rights-of-others", "decision": "D/10"}
	got := a.expect("a period", a.supervise("/log/withholdings", period), 201)
	if got.json["from"] != "2026-11-21" || got.json["until"] != "2026-11-21" {
		t.Errorf("the period is %s", got)
	}
	if entries, withheld = report(); len(entries) != 0 || withheld[0].(map[string]any)["entries"].(float64) < 10 {
		t.Errorf("of the period: %d entries, %v withheld", len(entries), withheld)
	}
}

// A decision that is recorded while a report is read holds in it.
func TestADecisionWhileAReportIsReadHolds(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("x"), task)
	a.expect("reading", a.unit.get("/documents/"+id), 200)
	ask := map[string]any{"client": a.client, "from": "2026-11-21", "until": "2026-11-21"}
	a.store.set(func(f *faultyStore) {
		f.onLog = func() {
			a.store.set(func(f *faultyStore) { f.onLog = nil })
			period := map[string]any{"client": a.client, "from": "2026-11-21", "until": "2026-11-21", "reason": "rights-of-others", "decision": "D/10"}
			a.expect("withholding", a.supervise("/log/withholdings", period), 201)
		}
	})
	got := a.expect("report", a.supervise("/log/_report", ask), 200)
	if len(got.json["entries"].([]any)) != 0 || len(got.json["withheld"].([]any)) != 1 {
		t.Errorf("got %s", got)
	}
}

// What an operation is called in the log needs words that a client understands.
func TestEveryOperationHasPlainWords(t *testing.T) {
	for op := opUnknown + 1; int(op) < len(operations); op++ {
		if !logreport.HasWords(op.String()) {
			t.Errorf("%s has none", op)
		}
	}
}
