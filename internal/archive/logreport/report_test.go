// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logreport_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	. "github.com/valtuus/valtuus/internal/archive/logreport"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

const (
	registry, organizer = "1.2.246.10.1.19.0", "1.2.246.10.1"
	unitA, unitB        = "1.2.246.10.2.10.1", "1.2.246.10.3.10.1"
)

var (
	client = uuid.MustParse("00000000-0000-4000-8000-00000000000a")
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func roles(code string) catalog.Names {
	if role, known := catalog.StandIn().Role(code, noon); known {
		return role.Names
	}
	return catalog.Names{}
}

// rows are one of each ground and outcome.
func rows() []store.LogRow {
	row := func(n int, unit string, change func(*store.LogRow)) store.LogRow {
		r := store.LogRow{
			ID: uuid.UUID{byte(n), 15: 1}, Time: noon.Add(time.Duration(n) * time.Minute), Registry: registry, ClientID: client, Operation: "Read",
			Outcome: store.OutcomeAllowed, Caller: "spiffe://x", Organization: organizer, Unit: unit, Professional: "T-4711", Role: "supervisor",
			Grant: store.ObjectRef{UID: "g", Revision: "7"},
		}
		change(&r)
		return r
	}
	return []store.LogRow{
		row(1, unitA, func(r *store.LogRow) { r.Relationship = store.ObjectRef{UID: "r", Revision: "9"} }),
		row(2, unitB, func(r *store.LogRow) { r.Outcome, r.Reason = store.OutcomeRefused, "no-relationship" }),
		row(3, "", func(r *store.LogRow) {
			r.Operation, r.DocumentIDs = "Search", []uuid.UUID{{1}, {2}}
			r.Grant = store.ObjectRef{}
		}),
		row(4, unitA, func(r *store.LogRow) { r.Operation, r.Role = "Explain", "unheard-of" }),
		row(5, "", func(r *store.LogRow) {
			*r = store.LogRow{ID: r.ID, Time: r.Time, Registry: registry, ClientID: client, Operation: "DestroyLog", Outcome: store.OutcomeAllowed}
		}),
		row(6, unitB, func(r *store.LogRow) { r.Outcome, r.Reason = store.OutcomeError, "something-new" }),
	}
}

func made(head Report, lang access.Lang, withholdings ...store.Withholding) Report {
	head.Client, head.Registry, head.From, head.Until, head.MadeAt = client, registry, "2026-03-01", "2026-03-01", noon
	head.MadeBy = Party{Organization: organizer, Professional: "T-1", Role: "supervisor"}
	maker := NewMaker(head, lang, roles)
	for _, row := range rows() {
		maker.Take(row)
	}
	return maker.Report(withholdings)
}

func TestEachEntryTellsWhoWhatAndOnWhatGround(t *testing.T) {
	got := made(Report{}, access.English).Entries
	ground := func(i int) GroundKind {
		if got[i].Ground == nil {
			return ""
		}
		return got[i].Ground.Kind
	}
	for i, want := range []struct {
		ground        GroundKind
		what, outcome string
	}{
		{GroundRelationship, "A document was read", "Allowed"},
		{"", "A document was read", "Refused: " + access.ReasonNoRelationship.Text(access.English).Title},
		{GroundController, "Documents were searched for", "Allowed"},
		{GroundGrant, "It was asked whether use would be allowed", "Allowed"},
		{GroundArchive, "Log entries past their retention time were destroyed", "Allowed"},
		{"", "A document was read", "Not carried out"},
	} {
		if ground(i) != want.ground || got[i].OperationText != want.what || got[i].OutcomeText != want.outcome {
			t.Errorf("%d: %+v %v", i, got[i], got[i].Ground)
		}
	}
	if g := got[0].Ground; *g.Relationship != (Ref{"r", "9"}) || *g.Grant != (Ref{"g", "7"}) || !strings.HasSuffix(g.Text, "user right in the role Supervisor") {
		t.Errorf("the ground is %+v", g)
	}
	if got[3].RoleName != "unheard-of" || got[0].RoleName != "Supervisor" || got[0].Professional != "T-4711" || got[0].Unit != unitA {
		t.Errorf("who: %+v, %+v", got[0].Party, got[3].Party)
	}
}

func TestAReportIsNarrowedToUnits(t *testing.T) {
	for name, c := range map[string]struct {
		units []string
		want  []byte
	}{
		"all": {nil, []byte{1, 2, 3, 4, 5, 6}}, "one": {[]string{unitA}, []byte{1, 4}}, "two": {[]string{unitB, unitA}, []byte{1, 2, 4, 6}},
		"the organizer": {[]string{organizer}, []byte{3}}, "none of them": {[]string{"1.2.3"}, nil},
	} {
		var got []byte
		for _, e := range made(Report{Units: c.units}, access.Finnish).Entries {
			got = append(got, e.ID[0])
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestWhatIsWithheldIsCountedAndNotShown(t *testing.T) {
	of := func(decision, reason string, change func(*store.Withholding)) store.Withholding {
		w := store.Withholding{Registry: registry, ClientID: client, Reason: reason, Decision: decision}
		change(&w)
		return w
	}
	lifted := of("D/4", ReasonRightsOfOthers, func(w *store.Withholding) { w.From, w.Until = noon, noon.Add(time.Hour) })
	lifted.Lifting = &store.Lifting{}
	withholdings := []store.Withholding{
		of("D/1", ReasonClientHealth, func(w *store.Withholding) { w.From, w.Until = noon.Add(2*time.Minute), noon.Add(4*time.Minute) }),
		of("D/2", ReasonRightsOfOthers, func(w *store.Withholding) { w.Entries = []uuid.UUID{rows()[2].ID, rows()[5].ID} }), // the first is withheld by D/1 already
		of("D/3", ReasonRightsOfOthers, func(w *store.Withholding) { w.ClientID = uuid.Max; w.From, w.Until = noon, noon.Add(time.Hour) }),
		lifted,
	}
	got := made(Report{}, access.Swedish, withholdings...)
	var shown []byte
	for _, e := range got.Entries {
		shown = append(shown, e.ID[0])
	}
	if !reflect.DeepEqual(shown, []byte{1, 4, 5}) {
		t.Errorf("shown: %v", shown)
	}
	if len(got.Withheld) != 2 || got.Withheld[0].Decision != "D/1" || got.Withheld[0].Entries != 2 || got.Withheld[1].Decision != "D/2" || got.Withheld[1].Entries != 1 {
		t.Errorf("withheld: %+v", got.Withheld)
	}
	narrowed := made(Report{Units: []string{unitA}}, access.Swedish, withholdings...)
	if len(narrowed.Withheld) != 0 || len(narrowed.Entries) != 2 {
		t.Errorf("of a unit: %+v", narrowed)
	}
	page := string(XHTML(&got, access.Swedish, true))
	if !strings.Contains(page, "Anteckningar: 2. Beslut: D/1.") || strings.Contains(page, rows()[5].Time.Format("15:04:05")) {
		t.Errorf("the page:\n%s", page)
	}
}

// text is what a person reads of a page.
func text(page []byte) string {
	return regexp.MustCompile(`<[^>]*>`).ReplaceAllString(string(page), " ")
}

func TestThePageIsWellformedAndEscaped(t *testing.T) {
	evil := "<script>alert('&')</script>]]>\x01\xff"
	pages := map[string]bool{}
	for _, lang := range []access.Lang{access.Finnish, access.Swedish, access.English} {
		for _, named := range []bool{false, true} {
			r := made(Report{SpecialReason: evil, Units: []string{unitA, unitB, organizer}}, lang,
				store.Withholding{Registry: registry, ClientID: client, Entries: []uuid.UUID{rows()[0].ID}, Decision: evil, Reason: ReasonClientHealth})
			r.Entries[0].Professional, r.Entries[0].RoleName, r.Entries[0].OperationText = "T-4711", evil, evil
			got := XHTML(&r, lang, named)
			if err := wellformed.XHTML(got); err != nil {
				t.Fatalf("%v: %v\n%s", lang, err, got)
			}
			if strings.Contains(string(got), "<script") || strings.Contains(string(got), "T-4711") != named || strings.Contains(string(got), "%!") {
				t.Errorf("%v, named %t:\n%s", lang, named, got)
			}
			if !strings.Contains(string(got), `xml:lang="`+lang.String()+`"`) {
				t.Error("the page does not say its language")
			}
			pages[text(got)] = true
		}
	}
	if len(pages) != 6 {
		t.Errorf("%d different pages", len(pages))
	}
	empty := Report{Client: client, Registry: registry, From: "2026-03-01", Until: "2026-03-02", MadeAt: noon}
	if got := XHTML(&empty, access.Finnish, false); wellformed.XHTML(got) != nil || !strings.Contains(string(got), "ei ole kerrottavia") || !strings.Contains(string(got), "1.3.2026 – 2.3.2026") || !strings.Contains(string(got), "1.3.2026 14.00.00") {
		t.Errorf("an empty one:\n%s", got)
	}
}

func FuzzThePageIsWellformed(f *testing.F) {
	f.Add("a", "T-1", "D/1")
	f.Add("\x00<![CDATA[", "\ufffe", "--><!--")
	f.Fuzz(func(t *testing.T, reason, professional, decision string) {
		r := made(Report{SpecialReason: reason, Units: []string{professional}}, access.English)
		r.Withheld = []Withheld{{decision, reason, reason, 1}}
		r.Entries = append(r.Entries, Entry{Party: Party{professional, reason, professional, "", decision}, OperationText: reason, OutcomeText: decision})
		if err := wellformed.XHTML(XHTML(&r, access.English, true)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTheEarliestDayIsTwoYearsBack(t *testing.T) {
	for today, want := range map[catalog.Day]catalog.Day{
		"2026-11-22": "2024-11-22", "2026-03-01": "2024-03-01", "2028-02-29": "2026-02-28", "2026-02-28": "2024-02-28", "2030-12-31": "2028-12-31",
	} {
		if got := Earliest(today); got != want {
			t.Errorf("%s: got %s, want %s", today, got, want)
		}
	}
}

func TestTheDaysOfAPeriodAreFinnish(t *testing.T) {
	for _, c := range [][4]string{
		{"2026-03-01", "2026-03-01", "2026-02-28T22:00:00Z", "2026-03-01T22:00:00Z"},
		{"2026-03-29", "2026-03-29", "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"}, // 23 hours
		{"2026-10-25", "2026-10-26", "2026-10-24T21:00:00Z", "2026-10-26T22:00:00Z"},
	} {
		from, until := Span(catalog.Day(c[0]), catalog.Day(c[1]))
		if from.Format(time.RFC3339) != c[2] || until.Format(time.RFC3339) != c[3] {
			t.Errorf("%s to %s: %s, %s", c[0], c[1], from, until)
		}
	}
	for text, good := range map[string]bool{"2026-03-01": true, "2026-3-1": false, "": false, "2026-02-29": false, "0001-01-01": false, "2026-03-01T00:00:00Z": false} {
		if _, ok := ParseDay(text); ok != good {
			t.Errorf("%q: %t", text, ok)
		}
	}
}
