// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/catalog/examples"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

// as makes the professional act in another role.
func (c *caller) as(role string) option {
	return func(r *http.Request) {
		claims := c.claims()
		claims.Role = role
		r.Header.Set(assertion.Header, c.assert(claims))
	}
}

// keep stores a document of the type as a social worker of the organizer, and gives its id.
func (a *arena) keep(kind string, tasks ...string) string {
	a.t.Helper()
	path := "/documents" + query(kind, []uuid.UUID{a.client}, versionQuery(tasks...))
	return a.expect("storing "+kind, a.organizer.send("POST", path, "application/json", examples.JSON(kind)), 201).id()
}

// amend puts a changed stand-in catalog in force.
func (a *arena) amend(old, text string) {
	a.t.Helper()
	files := fstest.MapFS{}
	standIn := catalog.StandInFiles()
	for _, entry := range must(fs.ReadDir(standIn, "."))(a.t) {
		raw := must(fs.ReadFile(standIn, entry.Name()))(a.t)
		if entry.Name() == catalog.ManifestFile {
			if !bytes.Contains(raw, []byte(old)) {
				a.t.Fatalf("the stand-in has no %q", old)
			}
			raw = bytes.Replace(raw, []byte(old), []byte(text), 1)
		}
		files[entry.Name()] = &fstest.MapFile{Data: raw}
	}
	a.catalog.Store(must(catalog.Load(files))(a.t))
}

// 13.1, 2: a live relationship opens data within the user rights, and no more.
func TestStatement2_TheUnitsRightIsCutToTheRole(t *testing.T) {
	a := newArena(t)
	a.extend()
	noted, assessed := a.put(a.unit, note("x"), task), a.keep("needs-assessment", task)
	get := func(path string) func(*caller, option) reply {
		return func(c *caller, role option) reply { return c.get(path, role) }
	}
	post := func(path, body string, options ...option) func(*caller, option) reply {
		return func(c *caller, role option) reply {
			return a.send(c, path, body, append(slices.Clone(options), role)...)
		}
	}
	search := func(c *caller, role option) reply { return c.search(map[string]any{}, role) }
	code := `{"identityCode": "` + testCode + `"}`
	storeNote := post(storePath(a.client, task), note("z"))
	storeAssessment := post("/documents"+query("needs-assessment", []uuid.UUID{a.client}, versionQuery(task)), string(examples.JSON("needs-assessment")))
	correct := post("/documents/"+noted+"/corrections?reason=factual-error&"+versionQuery(task), note("y"), matching(`"1"`))
	annul := post("/documents/"+noted+"/annulment", `{"reason": "duplicate"}`, matching(`"1"`))
	const missing, unknown = "user-right-missing", "role-unknown"
	for name, c := range map[string]struct {
		caller *caller
		role   string
		ask    func(*caller, option) reply
		status int
		reason string
	}{
		"nurse reads a note":            {a.unit, "practical-nurse", get("/documents/" + noted), 200, ""},
		"nurse reads its metadata":      {a.unit, "practical-nurse", get("/documents/" + noted + "/metadata"), 200, ""},
		"nurse finds the client":        {a.unit, "practical-nurse", post("/clients/_search", code), 200, ""},
		"nurse stores a note":           {a.unit, "practical-nurse", storeNote, 201, ""},
		"nurse reads an assessment":     {a.unit, "practical-nurse", get("/documents/" + assessed), 403, missing},
		"nurse reads that's metadata":   {a.unit, "practical-nurse", get("/documents/" + assessed + "/metadata"), 403, missing},
		"nurse reads that's history":    {a.unit, "practical-nurse", get("/documents/" + assessed + "/versions"), 403, missing},
		"nurse of the organizer reads":  {a.organizer, "practical-nurse", get("/documents/" + assessed), 403, missing},
		"nurse stores an assessment":    {a.unit, "practical-nurse", storeAssessment, 403, missing},
		"nurse corrects a note":         {a.unit, "practical-nurse", correct, 403, missing},
		"nurse annuls a note":           {a.unit, "practical-nurse", annul, 403, missing},
		"nurse registers a client":      {a.organizer, "practical-nurse", post("/clients", code), 403, missing},
		"secretary reads a note":        {a.unit, "office-secretary", get("/documents/" + noted), 403, missing},
		"secretary registers a client":  {a.organizer, "office-secretary", post("/clients", code), 200, ""},
		"counselor reads an assessment": {a.unit, "social-counselor", get("/documents/" + assessed), 200, ""},
		"supervisor stores a note":      {a.organizer, "supervisor", storeNote, 403, missing},
		"supervisor puts a note": {a.organizer, "supervisor", func(c *caller, role option) reply {
			return c.putDocument(uuid.NewString(), strings.TrimPrefix(storePath(a.client, task), "/documents"), note("z"), role)
		}, 403, missing},
		"supervisor corrects a note": {a.unit, "supervisor", correct, 201, ""},
		"nobody's role finds":        {a.unit, "chief", post("/clients/_search", code), 403, unknown},
		"nobody's role reads":        {a.unit, "chief", get("/documents/" + noted), 403, unknown},
		"nobody's role searches":     {a.unit, "chief", search, 403, unknown},
		"nobody's role stores":       {a.organizer, "chief", storeNote, 403, unknown},
		"a role in other letters":    {a.organizer, "Social-Worker", search, 403, unknown},
	} {
		got := c.ask(c.caller, c.caller.as(c.role))
		if c.reason == "" {
			a.expect(name, got, c.status)
			continue
		}
		a.check(name, got, c.status, c.reason)
		if row := a.row(got); row.Outcome != store.OutcomeRefused || row.Reason != c.reason || row.Role != c.role || row.DocumentCount != 0 {
			t.Errorf("%s: the row is %+v", name, row)
		}
	}
}

// send posts a document with the options.
func (a *arena) send(c *caller, path, body string, options ...option) reply {
	a.t.Helper()
	return c.send("POST", path, "application/json", []byte(body), options...)
}

func TestARoleIsInForceOnItsDaysOnly(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, note("x"), task)
	nurse := a.unit.as("practical-nurse")
	names := "names: {fi: Lähihoitaja, sv: Närvårdare, en: Practical nurse}\n"
	for days, want := range map[string]int{
		`    validUntil: "2026-11-21"`: 200, `    validFrom: "2026-11-21"`: 200, // today
		`    validUntil: "2026-11-20"`: 403, `    validFrom: "2026-11-22"`: 403,
	} {
		a.amend(names, names+days+"\n")
		got := a.unit.get("/documents/"+id, nurse)
		if want == http.StatusOK {
			a.expect(days, got, want)
			continue
		}
		a.check(days, got, want, "role-unknown")
	}
}

// Pages and totals count what the role may see; nothing tells of the rest.
func TestInvariantSearchNeverLeaks_UserRightsAreWithinTheQuery(t *testing.T) {
	a := newArena(t)
	for range 3 {
		a.put(a.unit, note("x"), task)
		a.keep("needs-assessment", task)
	}
	a.keep("client-plan", indextest.BoughtTask) // not within the relationship
	a.keep("case-note", indextest.OtherTask)    // not within the role
	for name, c := range map[string]struct {
		caller *caller
		role   string
		total  float64
	}{
		"nurse of the unit":        {a.unit, "practical-nurse", 3},
		"worker of the unit":       {a.unit, "social-worker", 6},
		"nurse of the organizer":   {a.organizer, "practical-nurse", 4},
		"worker of the organizer":  {a.organizer, "social-worker", 8},
		"secretary":                {a.organizer, "office-secretary", 0},
		"counselor, not all tasks": {a.organizer, "social-counselor", 7},
	} {
		cursor, seen := "", 0
		for {
			ask := map[string]any{"limit": 2}
			if cursor != "" {
				ask["cursor"] = cursor
			}
			got := a.expect(name, c.caller.search(ask, c.caller.as(c.role)), 200)
			if got.json["total"] != c.total || strings.HasPrefix(name, "nurse") && got.has("needs-assessment", indextest.OtherTask) {
				t.Fatalf("%s: %s", name, got)
			}
			seen += len(got.json["items"].([]any))
			if cursor, _ = got.json["next"].(string); cursor == "" {
				break
			}
		}
		if float64(seen) != c.total {
			t.Errorf("%s: %d on all pages", name, seen)
		}
	}
	nurse := a.unit.as("practical-nurse")
	a.check("a type outside", a.unit.search(map[string]any{"type": "needs-assessment"}, nurse), 403, "user-right-missing")
	a.check("a task outside", a.organizer.search(map[string]any{"serviceTask": indextest.OtherTask}, a.organizer.as("practical-nurse")), 403, "user-right-missing")
	a.expect("a type within", a.unit.search(map[string]any{"type": "case-note", "serviceTask": task}, nurse), 200)
	a.check("a task outside the unit's right", a.unit.search(map[string]any{"serviceTask": indextest.OtherTask}, nurse), 403, "task-not-covered")

	// A cursor goes on under the rights of now.
	first := a.organizer.search(map[string]any{"limit": 1})
	next := a.organizer.search(map[string]any{"limit": 50, "cursor": first.json["next"]}, a.organizer.as("practical-nurse"))
	if got := a.expect("the next page", next, 200); got.json["total"] != 4.0 || got.has("needs-assessment") {
		t.Errorf("the next page under a narrower right: %s", got)
	}
}

func TestUserRightsBindASearchOfAMatter(t *testing.T) {
	a := newArena(t)
	a.openMatter("m-1", []uuid.UUID{a.client}, task)
	for _, kind := range []string{"case-note", "needs-assessment"} {
		path := "/documents" + query(kind, []uuid.UUID{a.client}, "matter=m-1&"+versionQuery(task))
		a.expect("storing", a.send(a.organizer, path, string(examples.JSON(kind))), 201)
	}
	for name, ask := range map[string]map[string]any{"alone": {"client": "", "matter": "m-1"}, "of the client": {"matter": "m-1"}} {
		if got := a.expect(name, a.organizer.search(ask, a.organizer.as("practical-nurse")), 200); got.json["total"] != 1.0 || got.has("needs-assessment") {
			t.Errorf("%s: %s", name, got)
		}
		a.expect(name, a.organizer.search(ask), 200)
	}
}

// The unit and the role have to reach the document through one and the same service task.
func TestUserRightsAndGrantsDoNotAddUp(t *testing.T) {
	a := newArena(t)
	mixed := a.keep("case-note", task, indextest.OtherTask)
	a.amend("serviceTasks: [older-people, elderly, disability]", "serviceTasks: [child-welfare]")
	nurse := a.unit.as("practical-nurse")
	a.check("read", a.unit.get("/documents/"+mixed, nurse), 403, "user-right-missing")
	a.check("search", a.unit.search(map[string]any{}, nurse), 403, "user-right-missing")
	a.expect("the organizer's nurse", a.organizer.get("/documents/"+mixed, a.organizer.as("practical-nurse")), 200)
	a.expect("the unit's worker", a.unit.get("/documents/"+mixed), 200)
}

func TestEachServiceTaskOfANewDocumentIsWithinTheRole(t *testing.T) {
	a := newArena(t)
	nurse := a.organizer.as("practical-nurse")
	a.check("one outside", a.send(a.organizer, storePath(a.client, task, indextest.OtherTask), note("x"), nurse), 403, "user-right-missing")
	id := a.expect("within", a.send(a.organizer, storePath(a.client, task), note("x"), nurse), 201).id()
	version := func(tag string, tasks ...string) reply {
		return a.send(a.organizer, "/documents/"+id+"/versions?"+versionQuery(tasks...), note(tag), a.organizer.as("practical-nurse"), matching(tag))
	}
	a.check("a version into another", version(`"1"`, indextest.OtherTask), 403, "user-right-missing")
	a.expect("a version within", version(`"1"`, task, indextest.BoughtTask), 201)
	a.expect("the worker moves it", a.organizer.revise(id, `"2"`, note("y"), task, indextest.OtherTask), 201)
	a.expect("a version that keeps what it has", version(`"3"`, task, indextest.OtherTask), 201)
}

// An older version is open only to a role that may read both it and the document as it is now.
func TestUserRightsReachOldVersionsOnlyWithTheCurrentOne(t *testing.T) {
	a := newArena(t)
	id := a.keep("case-note", indextest.OtherTask)
	nurse := func() option { return a.organizer.as("practical-nurse") }
	a.check("while it is another task's", a.organizer.get("/documents/"+id, nurse()), 403, "user-right-missing")
	a.expect("moving", a.organizer.revise(id, `"1"`, note("y"), task), 201)
	a.expect("the current one", a.organizer.get("/documents/"+id, nurse()), 200)
	a.check("the older one", a.organizer.get("/documents/"+id+"/versions/1", nurse()), 403, "user-right-missing")
	if history := a.expect("history", a.organizer.get("/documents/"+id+"/versions", nurse()), 200); history.has(`"version":1`) || !history.has(`"version":2`) {
		t.Errorf("history %s", history)
	}
	a.expect("moving back", a.organizer.revise(id, `"2"`, note("z"), indextest.OtherTask), 201)
	a.check("an older one of a document that moved away", a.organizer.get("/documents/"+id+"/versions/2", nurse()), 403, "user-right-missing")
}

func TestUserRightsOfADocumentOfSeveralClients(t *testing.T) {
	a := newArena(t)
	sibling := a.another(0)
	a.relateTo(sibling, unitOID, 2)
	both := []uuid.UUID{a.client, sibling}
	path := "/documents" + query("needs-assessment", both, versionQuery(task))
	id := a.expect("storing", a.send(a.organizer, path, string(examples.JSON("needs-assessment"))), 201).id()
	got := a.unit.get("/documents/"+id, a.unit.as("practical-nurse"))
	a.check("through neither", got, 403, "user-right-missing")
	if row := a.row(got); row.ClientID != a.client || row.Relationship.UID == "" {
		t.Errorf("the row is %+v", row)
	}
	a.check("storing for both", a.send(a.unit, path, string(examples.JSON("needs-assessment")), a.unit.as("practical-nurse")), 403, "user-right-missing")
	a.relate(a.client, func(r *index.Relationship) { r.End = a.clock.Now() })
	got = a.unit.get("/documents/"+id, a.unit.as("practical-nurse"))
	a.check("through the other", got, 403, "user-right-missing")
	if row := a.row(got); row.ClientID != sibling {
		t.Errorf("the row is about %s", row.ClientID)
	}
}

func TestUserRightsOfMattersAndRelationships(t *testing.T) {
	a := newArena(t)
	a.extend()
	relationship := relationshipDocument(unitOID, relStart, "", "outsourced-service")
	for kind, body := range map[string]string{"client-relationship": relationship, "matter": string(examples.JSON("matter"))} {
		path := "/documents" + query(kind, []uuid.UUID{a.client}, versionQuery(task))
		for _, c := range []*caller{a.unit, a.organizer} {
			for _, role := range []string{"practical-nurse", "social-counselor", "supervisor"} {
				a.check(role+", "+kind, a.send(c, path, body, c.as(role)), 403, "user-right-missing")
			}
			stored := a.expect("secretary, "+kind, a.send(c, path, body, c.as("office-secretary")), 201)
			version := "/documents/" + stored.id() + "/versions?" + versionQuery(task)
			a.check("a version, "+kind, a.send(c, version, body, c.as("social-counselor"), matching(`"1"`)), 403, "user-right-missing")
		}
	}
	// Read, but neither Store nor ManageMatter, is what the right to read matters gives.
	a.amend("[Search, Read, ManageMatter, ManageRelationship]", "[Search, Read, Store]")
	path := "/documents" + query("matter", []uuid.UUID{a.client}, versionQuery(task))
	a.check("Store is no right to matters", a.send(a.organizer, path, string(examples.JSON("matter")), a.organizer.as("office-secretary")), 403, "user-right-missing")
}

// What the caller may not know of stays unknown whatever the role.
func TestUserRightsTellNothingOfWhatTheCallerMayNotKnowOf(t *testing.T) {
	a := newArena(t)
	id, nowhere := a.put(a.unit, note("x"), task), uuid.NewString()
	for _, role := range []string{"social-worker", "practical-nurse", "office-secretary", "chief"} {
		here, gone := a.otherUnit.get("/documents/"+id, a.otherUnit.as(role)), a.otherUnit.get("/documents/"+nowhere, a.otherUnit.as(role))
		a.check(role, here, 404, "document-not-found")
		a.check(role, gone, 404, "document-not-found")
		if !bytes.Equal(bytes.ReplaceAll(here.body, []byte(here.requestID()), nil), bytes.ReplaceAll(gone.body, []byte(gone.requestID()), nil)) {
			t.Errorf("%s: %s and %s differ", role, here, gone)
		}
		a.check(role+" finds nobody", a.otherUnit.post("/clients/_search", `{"identityCode": "`+testCode+`"}`, a.otherUnit.as(role)), 403, "no-relationship")
	}
}

// 3: a user right that goes between the facts and the release ends every reading.
func TestInvariant3_UserRightGoneBeforeTheReleaseReleasesNothing(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, secretBody, task)
	nurses := "operations: [Search, Read]\n        serviceTasks: [older-people, elderly, disability]"
	for name, read := range map[string]func() reply{
		"bytes":    func() reply { return a.unit.get("/documents/"+id, a.unit.as("practical-nurse")) },
		"metadata": func() reply { return a.unit.get("/documents/"+id+"/metadata", a.unit.as("practical-nurse")) },
		"history":  func() reply { return a.unit.get("/documents/"+id+"/versions", a.unit.as("practical-nurse")) },
		"search":   func() reply { return a.unit.search(map[string]any{}, a.unit.as("practical-nurse")) },
	} {
		a.catalog.Store(catalog.StandIn())
		a.expect(name+" before", read(), 200)
		decisions := 0
		a.server.opts.View = &endingView{View: a.index, after: 1, asked: &decisions, end: func() {
			a.amend(nurses, "operations: [Search, Read]\n        serviceTasks: [disability]")
		}}
		got := read()
		a.server.opts.View = a.index
		a.check(name, got, 403, "user-right-missing")
		if got.has("only for those", `"clients"`) || got.header.Get("ETag") != "" || decisions < 2 {
			t.Errorf("%s: something left: %s", name, got)
		}
	}
}

// A unit that asks about a role it does not act in learns nothing of the relationship that its own would not tell.
func TestUserRightsOfAnotherRoleTellNothing(t *testing.T) {
	a := newArena(t)
	ask := map[string]any{"client": a.client, "operation": "Search", "role": "social-worker"}
	mine := a.expect("in a role that may", a.unit.post("/explain", ask), 200)
	if !mine.has("serviceTasks", "relationship") {
		t.Errorf("got %s", mine)
	}
	theirs := a.expect("in a role that may nothing", a.unit.post("/explain", ask, a.unit.as("nobody")), 200)
	if theirs.json["allowed"] != true || theirs.has(`"relationship"`) || theirs.has(task) {
		t.Errorf("got %s", theirs)
	}
}

// A search is released under the right that it was made by: one that was narrowed meanwhile is made again.
func TestASearchIsMadeAgainUnderANarrowerUserRight(t *testing.T) {
	a := newArena(t)
	a.put(a.unit, note("x"), task)
	a.keep("client-plan", task)
	searches := 0
	a.store.set(func(f *faultyStore) {
		f.onSearch = func() {
			if searches++; searches == 1 {
				a.amend("[case-note, service-decision, client-plan, implementation-plan, health-note]", "[case-note]")
			}
		}
	})
	got := a.expect("searching", a.unit.search(map[string]any{}, a.unit.as("practical-nurse")), 200)
	if got.json["total"] != 1.0 || got.has("client-plan") || searches != 2 {
		t.Errorf("%d searches, %s", searches, got)
	}
}

func TestExplainTellsOfTheUserRight(t *testing.T) {
	a := newArena(t)
	ask := func(c *caller, role string, more string) reply {
		return c.post("/explain", fmt.Sprintf(`{"client": %q%s}`, a.client, more), c.as(role))
	}
	read := `, "operation": "Read", "serviceTask": "` + task + `"`
	for name, c := range map[string]struct {
		got     reply
		reason  string
		assumes []any
	}{
		"nurse, some type":            {ask(a.unit, "practical-nurse", read), "allowed", nil},
		"nurse, a note":               {ask(a.unit, "practical-nurse", read+`, "documentType": "case-note"`), "allowed", nil},
		"nurse, an assessment":        {ask(a.unit, "practical-nurse", read+`, "documentType": "needs-assessment"`), "user-right-missing", nil},
		"nurse, annulling":            {ask(a.organizer, "practical-nurse", `, "operation": "Annul", "serviceTask": "`+task+`"`), "user-right-missing", nil},
		"nurse, matters":              {ask(a.organizer, "practical-nurse", `, "operation": "ManageMatter"`), "user-right-missing", nil},
		"secretary, matters":          {ask(a.organizer, "office-secretary", `, "operation": "ManageMatter"`), "allowed", nil},
		"nurse, another task":         {ask(a.organizer, "practical-nurse", `, "operation": "Store", "serviceTask": "child-welfare"`), "user-right-missing", nil},
		"unknown":                     {ask(a.unit, "chief", read), "role-unknown", nil},
		"worker about a nurse":        {ask(a.unit, "social-worker", read+`, "documentType": "needs-assessment", "role": "practical-nurse"`), "user-right-missing", nil},
		"about a unit":                {ask(a.organizer, "social-worker", read+`, "unit": "`+unitOID+`"`), "allowed", []any{"accepted-certificate", "verified-professional", "user-right"}},
		"about a unit's nurse":        {ask(a.organizer, "social-worker", read+`, "documentType": "needs-assessment", "role": "practical-nurse", "unit": "`+unitOID+`"`), "user-right-missing", []any{"accepted-certificate", "verified-professional"}},
		"the decision itself is told": {ask(a.unit, "chief", `, "operation": "Read", "serviceTask": "`+indextest.OtherTask+`"`), "task-not-covered", nil},
	} {
		if c.got.status != 200 || c.got.json["reason"] != c.reason || c.got.json["allowed"] != (c.reason == "allowed") ||
			fmt.Sprint(c.got.json["assumes"]) != fmt.Sprint(anyOf(c.assumes)) {
			t.Errorf("%s: %s", name, c.got)
		}
		if c.reason != "allowed" && c.got.has(`"serviceTasks"`, `"allServiceTasks"`) {
			t.Errorf("%s: service tasks are told of a refusal: %s", name, c.got)
		}
		if row := a.row(c.got); row.Outcome != store.OutcomeAllowed || row.Reason != strings.TrimPrefix(c.reason, "allowed") {
			t.Errorf("%s: the row is %+v", name, row)
		}
	}
	a.check("asking about others takes a right too", ask(a.organizer, "chief", read+`, "unit": "`+unitOID+`"`), 403, "role-unknown")
}

// anyOf gives nil for an empty list, as a missing field is decoded.
func anyOf(list []any) any {
	if list == nil {
		return nil
	}
	return list
}

func TestUserRightsAreToldInTheCallersLanguageAndInTheCatalog(t *testing.T) {
	a := newArena(t)
	id := a.keep("needs-assessment", task)
	for language, title := range map[string]string{
		"fi": "Roolilla ei ole tähän käyttöoikeutta", "sv": "Rollen har ingen användarrättighet till detta", "en": "The role has no user right to this",
	} {
		got := a.unit.get("/documents/"+id, a.unit.as("practical-nurse"), header("Accept-Language", language))
		if got.json["title"] != title || got.json["status"] != 403.0 {
			t.Errorf("%s: %s", language, got)
		}
	}
	roles, _ := a.unit.get("/catalog").json["roles"].([]any)
	if len(roles) != len(catalog.StandIn().Roles()) || !strings.Contains(fmt.Sprint(roles), "practical-nurse") {
		t.Errorf("the catalog's roles are %v", roles)
	}
}

// aboutOneDocument is a question about a stored document, the decision on it, and the role that allows it.
func aboutOneDocument() (*catalog.Catalog, *question, access.Decision) {
	q := &question{
		Request:      access.Request{Operation: access.Read, Document: &access.DocumentFacts{ServiceTasks: []string{indextest.OtherTask, task}}},
		documentType: "implementation-plan", role: "practical-nurse",
	}
	return catalog.StandIn(), q, access.Decision{Allowed: true, Reason: access.ReasonAllowed, Tasks: access.AllTasks()}
}

func TestUserRightsAllocateNothing(t *testing.T) {
	c, q, decision := aboutOneDocument()
	if n := testing.AllocsPerRun(100, func() {
		if !withUserRight(c, q, decision, indextest.Now).Allowed {
			t.Error("is not allowed")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkUserRight is all that the user right adds to a decision. Budget: 1 µs.
func BenchmarkUserRight(b *testing.B) {
	c, q, decision := aboutOneDocument()
	b.ReportAllocs()
	for b.Loop() {
		if !withUserRight(c, q, decision, indextest.Now).Allowed {
			b.Fatal("is not allowed")
		}
	}
}
