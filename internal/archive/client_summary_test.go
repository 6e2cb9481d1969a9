// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/catalog/examples"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/wellformed"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

func (c *caller) summary(client uuid.UUID, options ...option) reply {
	c.arena.t.Helper()
	return c.post("/summary", map[string]any{"client": client.String()}, options...)
}

// keepAs stores an example of the type as the caller.
func (a *arena) keepAs(c *caller, client uuid.UUID, kind string, tasks ...string) string {
	a.t.Helper()
	path := "/documents" + query(kind, []uuid.UUID{client}, versionQuery(tasks...))
	return a.expect("storing "+kind, c.send("POST", path, "application/json", examples.JSON(kind)), 201).id()
}

// column gives a field of each of the objects in a list.
func column(got reply, list, field string) (values []string) {
	items, _ := got.json[list].([]any)
	for _, item := range items {
		values = append(values, fmt.Sprint(item.(map[string]any)[field]))
	}
	return values
}

func (a *arena) same(what string, got []string, want ...string) {
	a.t.Helper()
	if !slices.Equal(got, want) {
		a.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestASummaryTellsWhatThereIsWithinTheScope(t *testing.T) {
	a := newArena(t)
	a.relateTo(a.client, otherUnitOID, 7, func(r *index.Relationship) { r.Tasks = []string{indextest.BoughtTask} })
	a.relateTo(a.client, unitOID, 8, func(r *index.Relationship) { r.End = indextest.Now }) // over
	one := []uuid.UUID{a.client}
	a.openMatter("m-1", one, task)
	a.openMatter("m-2", one, "family-law")
	a.openMatter("m-3", one, task)
	a.expect("closing", a.organizer.closeMatter("m-3"), 200)
	first := a.keepAs(a.organizer, a.client, "service-decision", task)
	a.advance(time.Second)
	second := a.keepAs(a.organizer, a.client, "service-decision", task, "family-law")
	elsewhere := a.keepAs(a.organizer, a.client, "service-decision", "family-law")
	plan := a.keepAs(a.unit, a.client, "implementation-plan", task)
	a.put(a.unit, note("x"), task)
	annulled := a.keepAs(a.organizer, a.client, "client-plan", task)
	a.expect("annulling", a.organizer.annul(annulled, `"1"`, "duplicate"), 200)

	old := "/documents" + query("service-decision", []uuid.UUID{a.client}, versionQuery(task)+"&oldClientData=true")
	a.expect("old data", a.organizer.send("POST", old, "application/json", examples.JSON("service-decision")), 201)

	got := a.expect("the unit's", a.unit.summary(a.client), 200)
	a.same("matters", column(got, "matters", "id"), "m-1")
	a.same("relationships", column(got, "relationships", "unit"), unitOID)
	a.same("their tasks", column(got, "relationships", "serviceTasks"), "["+task+"]")
	a.same("decisions", column(got, "decisions", "id"), second, first)
	a.same("plans", column(got, "plans", "id"), plan)
	a.same("counted", column(got, "counts", "type"), "case-note", "implementation-plan", "service-decision")
	a.same("counts", column(got, "counts", "count"), "1", "1", "2")
	if got.json["total"] != 4.0 || got.json["nonDisclosure"] != false || got.json["registry"] != registryOID || got.json["client"] != a.client.String() {
		t.Errorf("the unit's: %s", got)
	}
	row := a.row(got)
	if row.Operation != "Summary" || row.ClientID != a.client || row.DocumentCount != 3 || row.Relationship.UID == "" {
		t.Errorf("the row is %+v", row)
	}

	got = a.expect("the organizer's", a.organizer.summary(a.client), 200)
	a.same("matters", slices.Sorted(slices.Values(column(got, "matters", "id"))), "m-1", "m-2")
	a.same("relationships", slices.Sorted(slices.Values(column(got, "relationships", "unit"))), unitOID, otherUnitOID)
	if decisions := column(got, "decisions", "id"); len(decisions) != 4 || !slices.Contains(decisions, elsewhere) || got.json["total"] != 6.0 {
		t.Errorf("the organizer's: %s", got)
	}

	got = a.expect("the other unit's", a.otherUnit.summary(a.client), 200)
	a.same("relationships", column(got, "relationships", "unit"), otherUnitOID)
	for _, list := range []string{"matters", "decisions", "plans", "counts"} {
		if items, isList := got.json[list].([]any); !isList || len(items) != 0 {
			t.Errorf("%s of the other unit: %s", list, got)
		}
	}
}

func TestASummaryIsRefusedAsASearchIs(t *testing.T) {
	a := newArena(t)
	a.put(a.unit, secretBody, task)
	stranger := a.another(0)
	a.check("a client without a relationship", a.unit.summary(stranger), 403, "no-relationship")
	sameID := header("X-Request-Id", "the-same-request")
	sameAnswer(t, "no client", a.unit.summary(uuid.New(), sameID), a.unit.summary(stranger, sameID))
	a.check("no client, organizer", a.organizer.summary(uuid.New()), 404, "client-unknown")
	a.check("a role without the right", a.unit.summary(a.client, a.unit.as("practical-nurse")), 403, "user-right-missing")
	a.check("a role of nobody", a.unit.summary(a.client, a.unit.as("chief")), 403, "role-unknown")
	a.check("another format", a.unit.summary(a.client, accept("text/html")), 406, "not-acceptable")
	a.check("no id", a.unit.post("/summary", `{}`), 400, "invalid-field")
	a.check("more", a.unit.post("/summary", map[string]any{"client": a.client.String(), "limit": 5}), 400, "unknown-field")
	a.check("an identity code", a.unit.post("/summary", map[string]any{"client": testCode}), 400, "identity-code-misplaced")
	a.check("a parameter", a.unit.post("/summary?x=1", map[string]any{"client": a.client.String()}), 400, "unknown-parameter")
	if got := a.unit.get("/summary"); got.status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %s", got)
	}
	a.store.set(func(f *faultyStore) { f.appendLog = store.ErrUnavailable })
	if got := a.unit.summary(a.client); got.status != 503 || got.has("case-note") {
		t.Errorf("without a record: %s", got)
	}
	a.store.set(func(f *faultyStore) { f.appendLog = nil })
	decisions := 0
	a.server.opts.View = &endingView{View: a.index, after: 1, end: a.endRelationship, asked: &decisions}
	got := a.unit.summary(a.client)
	a.server.opts.View = a.index
	a.check("a right that ends meanwhile", got, 403, "relationship-ended")
	if got.has("case-note") {
		t.Errorf("ended, but %s", got)
	}
}

func TestASummaryShowsTheNonDisclosure(t *testing.T) {
	a := newArena(t)
	a.keepAs(a.organizer, a.client, "client-plan", task)
	a.protect(a.client, true)
	for c, masked := range map[*caller]string{a.unit: "true", a.organizer: "<nil>"} {
		got := a.expect("the summary", c.summary(a.client), 200)
		if got.json["nonDisclosure"] != true {
			t.Errorf("got %s", got)
		}
		a.same("masked", column(got, "plans", "masked"), masked)
	}
	if got := a.unit.summary(a.client, accept(store.ContentXHTML)); !got.has("Asiakkaalla on turvakielto.") || !got.has("yhteystiedot peitetty") {
		t.Errorf("got %s", got)
	}
}

func TestASummaryIsReadByPeople(t *testing.T) {
	a := newArena(t)
	id := a.keepAs(a.organizer, a.client, "service-decision", task)
	for language, texts := range map[string][]string{
		"":                 {`lang="fi"`, "Asiakastiedon kooste", "Palvelupäätös", "Iäkkäiden palvelut", "Ei suunnitelmia."},
		"sv-FI, fi;q=0.5":  {`lang="sv"`, "Sammandrag av klientuppgifter", "Servicebeslut", "Service för äldre", "Inga planer."},
		"en":               {`lang="en"`, "Summary of client data", "Service decision", "Services for older people", "No plans."},
		"de, en-GB;q=0.25": {`lang="en"`},
	} {
		got := a.expect(language, a.unit.summary(a.client, accept(store.ContentXHTML), header("Accept-Language", language)), 200)
		if err := wellformed.XHTML(got.body); err != nil {
			t.Errorf("%q: %v", language, err)
		}
		for _, text := range append(texts, id, unitOID) {
			if !got.has(text) {
				t.Errorf("%q lacks %q: %s", language, text, got)
			}
		}
		if got.header.Get("Content-Type") != store.ContentXHTML || got.header.Get("Vary") != "Accept, Accept-Language" ||
			!strings.Contains(texts[0], got.header.Get("Content-Language")) {
			t.Errorf("%q: %v", language, got.header)
		}
	}
	if got := a.unit.summary(a.client, accept("application/xhtml+xml;q=0.5, application/json;q=0.4")); got.header.Get("Content-Type") != store.ContentXHTML {
		t.Errorf("by quality: %v", got.header)
	}
}

// Whatever the documents, the rights and the role: what a summary tells is what the same caller finds by searching.
func TestInvariantSearchNeverLeaks_ASummaryTellsWhatSearchesFind(t *testing.T) {
	a := newArena(t)
	tasks := []string{task, indextest.BoughtTask, "family-law", "child-welfare"}
	kinds := []string{"case-note", "service-decision", "client-plan", "implementation-plan", "needs-assessment"}
	// A role whose right to summaries is narrower than that to search.
	a.amend("  - code: practical-nurse", `  - code: narrow
    names: {fi: a, sv: b, en: c}
    rights:
      - operations: [Search, Read]
        serviceTasks: [older-people, disability, family-law]
        documentTypes: [case-note, client-plan, service-decision, matter]
      - operations: [Summary]
        serviceTasks: [older-people, child-welfare]
        documentTypes: [client-plan, needs-assessment, matter]
  - code: practical-nurse`)
	a.relateTo(a.client, unitOID, 7, func(r *index.Relationship) { r.Tasks = []string{indextest.BoughtTask, "family-law"} })
	a.relateTo(a.client, otherUnitOID, 8, func(r *index.Relationship) { r.Tasks = []string{indextest.BoughtTask} })
	draw := rand.New(rand.NewPCG(1, 2))
	for round := range 8 {
		for range 3 {
			some := []string{tasks[draw.IntN(4)], tasks[draw.IntN(4)]}
			id := a.keepAs(a.organizer, a.client, kinds[draw.IntN(len(kinds))], slices.Compact(some)...)
			if draw.IntN(6) == 0 {
				a.expect("annulling", a.organizer.annul(id, `"1"`, "duplicate"), 200)
			}
		}
		id := fmt.Sprintf("m-%d", round)
		a.openMatter(id, []uuid.UUID{a.client}, tasks[draw.IntN(4)])
		if draw.IntN(3) == 0 {
			a.expect("closing", a.organizer.closeMatter(id), 200)
		}
		for _, c := range []*caller{a.organizer, a.unit, a.otherUnit} {
			for _, role := range []string{"social-worker", "social-counselor", "narrow"} {
				a.summaryIsFound(c, role)
			}
		}
	}
}

// summaryIsFound holds a summary to searches of the same caller. Only where the role may search more than it may
// summarize are there fewer documents.
func (a *arena) summaryIsFound(c *caller, role string) {
	a.t.Helper()
	got := c.summary(a.client, c.as(role))
	if got.reason() == "user-right-missing" && role == "narrow" {
		return // the role may summarize nothing of what the unit may see
	}
	a.answered(got)
	found := func(query map[string]any) (total float64, ids []string) {
		query["client"], query["limit"] = a.client.String(), 200
		page := c.search(query, c.as(role))
		if page.reason() == "user-right-missing" {
			return 0, nil // as good as nothing found
		}
		a.answered(page)
		return page.json["total"].(float64), column(page, "items", "id")
	}
	fewer := role == "narrow"
	sum := 0.0
	for i, kind := range column(got, "counts", "type") {
		count := got.json["counts"].([]any)[i].(map[string]any)["count"].(float64)
		total, _ := found(map[string]any{"type": kind})
		if count > total || count < total && !fewer || count == 0 {
			a.t.Fatalf("as %s: %v of %s, %v are found", role, count, kind, total)
		}
		sum += count
	}
	total, _ := found(map[string]any{})
	if told := got.json["total"].(float64); told != sum || told > total || told < total && !fewer {
		a.t.Fatalf("as %s: a total of %v, %v counted, %v found", role, told, sum, total)
	}
	for list, types := range map[string][]string{"decisions": {"service-decision"}, "plans": {"client-plan", "implementation-plan"}} {
		var ids []string
		newest := 0
		for _, kind := range types {
			n, some := found(map[string]any{"type": kind})
			ids, newest = append(ids, some...), newest+int(n)
		}
		told := column(got, list, "id")
		if len(told) != min(newest, 10) && !fewer {
			a.t.Fatalf("as %s: %d %s, %d are found", role, len(told), list, newest)
		}
		for i, id := range told {
			if !slices.Contains(ids, id) || fewer && column(got, list, "type")[i] != "client-plan" {
				a.t.Fatalf("as %s: %s is told and not found", role, id)
			}
		}
	}
	page := c.post("/matters/_search", map[string]any{"client": a.client.String()}, c.as(role))
	a.answered(page)
	var open []string
	for i, state := range column(page, "items", "state") {
		if tasks := column(page, "items", "serviceTasks")[i]; state == "open" && (!fewer || strings.Contains(tasks, task) || strings.Contains(tasks, "child-welfare")) {
			open = append(open, column(page, "items", "id")[i])
		}
	}
	if told := column(got, "matters", "id"); !slices.Equal(told, open) {
		a.t.Fatalf("as %s: the matters %v are told, %v found", role, told, open)
	}
	for i, unit := range column(got, "relationships", "unit") {
		if c != a.organizer && unit != c.unitOID() || fewer && !strings.Contains(column(got, "relationships", "serviceTasks")[i], task) {
			a.t.Fatalf("as %s: a relationship in %s: %s", role, unit, got)
		}
	}
}

// answered fails the test unless the request was answered with 200.
func (a *arena) answered(got reply) {
	a.t.Helper()
	if got.status != http.StatusOK {
		a.t.Fatalf("got %s", got)
	}
}

// unitOID is the OID of the caller's unit.
func (c *caller) unitOID() string {
	if c == c.arena.otherUnit {
		return otherUnitOID
	}
	return unitOID
}

// BenchmarkSummary summarizes a client with 200 documents, over one kept connection.
func BenchmarkSummary(b *testing.B) {
	a := newArena(b)
	kinds := []string{"case-note", "case-note", "case-note", "service-decision", "client-plan", "implementation-plan", "needs-assessment", "case-note"}
	for i := range 200 {
		a.keepAs(a.organizer, a.client, kinds[i%len(kinds)], task)
	}
	for i := range 10 {
		a.openMatter(fmt.Sprintf("m-%d", i), []uuid.UUID{a.client}, task)
	}
	for _, format := range []string{store.ContentJSON, store.ContentXHTML} {
		for name, c := range map[string]*caller{"organizer": a.organizer, "unit": a.unit} {
			b.Run(format+"/"+name, func(b *testing.B) {
				a.t = b
				var took []time.Duration
				body := fmt.Sprintf(`{"client": %q}`, a.client)
				for b.Loop() {
					request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, a.address+"/v1/registries/"+registryOID+"/summary", strings.NewReader(body))
					if err != nil {
						b.Fatal(err)
					}
					request.Header = http.Header{"Content-Type": {store.ContentJSON}, "Accept": {format}, assertion.Header: {c.assert(c.claims())}}
					began := time.Now()
					response, err := c.http.Do(request)
					if err != nil {
						b.Fatal(err)
					}
					_, err = io.Copy(io.Discard, response.Body)
					took = append(took, time.Since(began))
					if err != nil || response.Body.Close() != nil || response.StatusCode != http.StatusOK {
						b.Fatalf("answered %d", response.StatusCode)
					}
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			})
		}
	}
}
