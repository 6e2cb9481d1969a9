// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/unusual"
	"github.com/valtuus/valtuus/internal/index"
)

// supervise posts as the organizer's supervisor.
func (a *arena) supervise(path string, body any, options ...option) reply {
	a.t.Helper()
	return a.organizer.post(path, body, append([]option{a.organizer.as("supervisor")}, options...)...)
}

// tick lets time pass without the view growing stale.
func (a *arena) tick(d time.Duration) {
	a.advance(d)
	a.index.SetFreshness(a.clock.Now())
}

// busy uses the registry in many ways, and gives the id of a document.
func (a *arena) busy() string {
	a.t.Helper()
	var id string
	for range 3 {
		a.tick(time.Second)
		id = a.put(a.unit, note("x"), task)
		a.tick(time.Second)
		a.expect("reading", a.unit.get("/documents/"+id), 200)
		a.check("another unit", a.otherUnit.get("/documents/"+id), 404, "document-not-found")
		a.check("another unit's search", a.otherUnit.search(map[string]any{}), 403, "no-relationship")
		a.check("bad input", a.unit.post("/documents/_search", `{}`), 400, "invalid-field")
		a.expect("searching", a.organizer.search(map[string]any{"type": "case-note"}), 200)
	}
	return id
}

func TestTheOrganizerSearchesItsLog(t *testing.T) {
	a := newArena(t)
	id := a.busy()
	elsewhere := store.LogRow{
		Time: a.clock.Now(), RequestID: "elsewhere", Registry: "1.2.246.10.77777777.19.0", Operation: "Read", Outcome: store.OutcomeAllowed,
		ClientID: a.client, Unit: unitOID, Professional: "T-4711",
	}
	if err := a.store.AppendLog(t.Context(), elsewhere); err != nil {
		t.Fatal(err)
	}
	moment := a.clock.Now().Add(-3 * time.Second)
	for name, c := range map[string]struct {
		body  map[string]any
		query store.LogSearch
	}{
		"all":          {map[string]any{}, store.LogSearch{}},
		"client":       {map[string]any{"client": a.client}, store.LogSearch{ClientID: a.client}},
		"professional": {map[string]any{"professional": "T-4711"}, store.LogSearch{Professional: "T-4711"}},
		"nobody":       {map[string]any{"professional": "T-9"}, store.LogSearch{Professional: "T-9"}},
		"unit":         {map[string]any{"unit": otherUnitOID}, store.LogSearch{Unit: otherUnitOID}},
		"operation":    {map[string]any{"operation": "Read", "unit": unitOID}, store.LogSearch{Operation: "Read", Unit: unitOID}},
		"outcome":      {map[string]any{"outcome": "refused"}, store.LogSearch{Outcome: store.OutcomeRefused}},
		"reason":       {map[string]any{"reason": "no-relationship", "outcome": "refused"}, store.LogSearch{Reason: "no-relationship", Outcome: "refused"}},
		"time":         {map[string]any{"from": moment.Format(time.RFC3339), "until": moment.Add(time.Second).Format(time.RFC3339)}, store.LogSearch{From: moment, Until: moment.Add(time.Second)}},
	} {
		c.query.Registry = registryOID
		var want, got []string
		for _, row := range slices.Backward(a.rows(store.LogQuery{})) {
			if c.query.Matches(row) {
				want = append(want, row.ID.String())
			}
		}
		c.body["limit"] = 4
		for {
			page := a.expect(name, a.supervise("/log/_search", c.body), 200)
			for _, item := range page.json["items"].([]any) {
				got = append(got, item.(map[string]any)["id"].(string))
			}
			if page.has("elsewhere", testCode) {
				t.Errorf("%s: %s", name, page)
			}
			next, more := page.json["next"]
			if !more {
				break
			}
			c.body["cursor"] = next
			c.body["limit"] = 50
		}
		if name == "all" { // the searches are themselves in it, newer than the first page
			got = slices.DeleteFunc(got, func(id string) bool { return !slices.Contains(want, id) })
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %d rows, want %d", name, len(got), len(want))
		}
	}
	got := a.supervise("/log/_search", map[string]any{"operation": "Read", "outcome": "allowed", "limit": 1})
	item := got.json["items"].([]any)[0].(map[string]any)
	if item["unit"] != unitOID || item["client"] != a.client.String() || item["professional"] != "T-4711" || item["role"] != "social-worker" ||
		item["documents"].([]any)[0] != id || item["certificate"] != a.unit.fingerprint.String() || item["organization"] != a.world.Units[0].Organization ||
		item["restsOn"].(map[string]any)["relationship"] == nil || item["restsOn"].(map[string]any)["grant"] == nil {
		t.Errorf("a row is %v", item)
	}
	if key := a.rows(store.LogQuery{ClientID: a.client})[3].AssertionKey; key == "" || got.has(key) {
		t.Error("a key of an assertion is told")
	}
}

func TestReadingTheLogIsRecorded(t *testing.T) {
	a := newArena(t)
	got := a.expect("search", a.supervise("/log/_search", map[string]any{"client": a.client, "professional": "T-1", "outcome": "refused"}), 200)
	row := a.row(got)
	if row.Operation != "SearchLog" || row.ClientID != a.client || row.Role != "supervisor" ||
		string(row.Criteria) != `{"professional":"T-1","outcome":"refused","limit":50}` {
		t.Errorf("the row is %+v", row)
	}
	from, until := a.clock.Now().Add(-time.Hour).Format(time.RFC3339), a.clock.Now().Format(time.RFC3339)
	row = a.row(a.expect("unusual", a.supervise("/log/_unusual", map[string]any{"from": from, "until": until, "clients": 7}), 200))
	if row.Operation != "UnusualUse" || !strings.Contains(string(row.Criteria), `"workDays":30,"refusals":10,"minutes":10,"clients":7`) {
		t.Errorf("the row is %+v", row)
	}
	a.store.set(func(f *faultyStore) {
		f.appendLog = store.Unavailable("writing the access log", errors.New("disk full"))
	})
	for path, body := range a.logRequests(a.client) {
		if got := a.supervise(path, body); got.status != 503 || got.has("items", "entries", a.client.String()) {
			t.Errorf("%s without a trace: %s", path, got)
		}
	}
}

// logRequests are requests about the log, each in order.
func (a *arena) logRequests(client uuid.UUID) map[string]map[string]any {
	now := a.clock.Now()
	return map[string]map[string]any{
		"/log/_search":              {"client": client},
		"/log/_unusual":             {"from": now.Add(-time.Hour), "until": now},
		"/log/_report":              {"client": client, "from": "2026-11-01", "until": "2026-11-21"},
		"/log/withholdings/_search": {"client": client},
	}
}

// logChanges are requests that change what is withheld.
func (a *arena) logChanges(client uuid.UUID) map[string]map[string]any {
	return map[string]map[string]any{
		"/log/withholdings": {"client": client, "from": "2026-11-01", "until": "2026-11-21", "reason": "rights-of-others", "decision": "D/1"},
		"/log/withholdings/" + uuid.NewString() + "/lifting": {"decision": "D/2"},
	}
}

// However far a unit's right reaches, the log is the organizer's, and of its staff it is the supervisors'.
func TestTheLogIsForTheOrganizersSupervisorsAlone(t *testing.T) {
	a := newArena(t)
	a.extend()
	same := header("X-Request-Id", "the-same-request")
	all := a.logRequests(a.client)
	for path, body := range a.logChanges(a.client) {
		all[path] = body
	}
	unknown := a.logRequests(uuid.New())
	for path, body := range all {
		for _, role := range []string{"social-worker", "supervisor"} {
			got := a.unit.post(path, body, a.unit.as(role))
			a.check(path+" by a unit", got, 403, "extent-insufficient")
			if row := a.row(got); row.Outcome != store.OutcomeRefused || row.Unit != unitOID {
				t.Errorf("%s: the row is %+v", path, row)
			}
		}
		got := a.organizer.post(path, body)
		a.check(path+" by a social worker", got, 403, "user-right-missing")
		if other, also := unknown[path]; also {
			sameAnswer(t, path, a.unit.post(path, body, a.unit.as("supervisor"), same), a.unit.post(path, other, a.unit.as("supervisor"), same))
		}
	}
	if kept := must(a.store.Withholdings(t.Context(), registryOID, a.client))(t); len(kept) != 0 {
		t.Errorf("%d were withheld", len(kept))
	}
}

// What was read of the log is released only under the right that it was read by.
func TestTheLogIsNotReleasedOnceTheRightHasEnded(t *testing.T) {
	a := newArena(t)
	a.busy()
	revision := uint64(9000)
	credentials := a.world.Registry.Credentials
	list := func(lines []index.Credential) {
		r := a.world.Registry
		revision++
		r.Credentials, r.Revision = lines, revision
		if _, err := a.index.UpsertRegistry(r); err != nil {
			t.Fatal(err)
		}
	}
	for path, body := range a.logRequests(a.client) {
		list(credentials)
		decisions := 0
		a.server.opts.View = &endingView{View: a.index, after: 1, end: func() { list(nil) }, asked: &decisions}
		got := a.supervise(path, body)
		a.server.opts.View = a.index
		a.check(path, got, 403, "credential-not-listed")
		if got.has("items", "entries") || decisions != 2 {
			t.Errorf("%s: %d decisions, %s", path, decisions, got)
		}
	}
}

func TestBadLogRequests(t *testing.T) {
	a := newArena(t)
	client := a.client.String()
	const period = `"from":"2026-11-01T00:00:00Z","until":"2026-11-02T00:00:00Z"`
	const days = `"from":"2026-11-01","until":"2026-11-21"`
	const withhold = `"reason":"rights-of-others","decision":"D/1"`
	for name, c := range map[string]struct {
		path, body string
		status     int
		reason     string
	}{
		"unknown field":       {"_search", `{"clients":"` + client + `"}`, 400, "unknown-field"},
		"client":              {"_search", `{"client":"7"}`, 400, "invalid-field"},
		"code as client":      {"_search", `{"client":"` + testCode + `"}`, 400, "identity-code-misplaced"},
		"code as person":      {"_search", `{"professional":"` + testCode + `"}`, 400, "identity-code-misplaced"},
		"code as reason":      {"_search", `{"reason":"` + testCode + `"}`, 400, "identity-code-misplaced"},
		"long person":         {"_search", `{"professional":"` + strings.Repeat("x", 257) + `"}`, 400, "invalid-field"},
		"NUL in person":       {"_search", `{"professional":"a\u0000"}`, 400, "invalid-field"},
		"unit":                {"_search", `{"unit":"x"}`, 400, "invalid-field"},
		"outcome":             {"_search", `{"outcome":"denied"}`, 400, "invalid-field"},
		"operation":           {"_search", `{"operation":"a b"}`, 400, "invalid-field"},
		"from":                {"_search", `{"from":"2026-11-01"}`, 400, "invalid-field"},
		"limit":               {"_search", `{"limit":201}`, 400, "invalid-field"},
		"no limit":            {"_search", `{"limit":0}`, 400, "invalid-field"},
		"cursor":              {"_search", `{"cursor":"AAAA"}`, 400, "cursor-invalid"},
		"long cursor":         {"_search", `{"cursor":"` + strings.Repeat("A", 300) + `"}`, 400, "invalid-field"},
		"parameter":           {"_search?limit=1", `{}`, 400, "unknown-parameter"},
		"no time":             {"_unusual", `{}`, 400, "invalid-field"},
		"no end":              {"_unusual", `{"from":"2026-11-01T00:00:00Z"}`, 400, "invalid-field"},
		"backwards":           {"_unusual", `{"from":"2026-11-02T00:00:00Z","until":"2026-11-01T00:00:00Z"}`, 400, "invalid-field"},
		"too long":            {"_unusual", `{"from":"2026-10-01T00:00:00Z","until":"2026-11-01T00:00:01Z"}`, 400, "invalid-field"},
		"no days":             {"_unusual", `{` + period + `,"workDays":0}`, 400, "invalid-field"},
		"one refusal":         {"_unusual", `{` + period + `,"refusals":1}`, 400, "invalid-field"},
		"no minutes":          {"_unusual", `{` + period + `,"minutes":0}`, 400, "invalid-field"},
		"one client":          {"_unusual", `{` + period + `,"clients":1}`, 400, "invalid-field"},
		"report of nobody":    {"_report", `{` + days + `}`, 400, "invalid-field"},
		"report of a code":    {"_report", `{"client":"` + testCode + `",` + days + `}`, 400, "identity-code-misplaced"},
		"report of no client": {"_report", `{"client":"` + uuid.NewString() + `",` + days + `}`, 404, "client-unknown"},
		"report of no days":   {"_report", `{"client":"` + client + `"}`, 400, "invalid-field"},
		"report of times":     {"_report", `{"client":"` + client + `",` + period + `}`, 400, "invalid-field"},
		"report backwards":    {"_report", `{"client":"` + client + `","from":"2026-11-02","until":"2026-11-01"}`, 400, "invalid-field"},
		"report of tomorrow":  {"_report", `{"client":"` + client + `","from":"2026-11-02","until":"2026-11-22"}`, 400, "invalid-field"},
		"report of a thing":   {"_report", `{"client":"` + client + `",` + days + `,"units":["x"]}`, 400, "invalid-field"},
		"report of null":      {"_report", `{"client":"` + client + `",` + days + `,"units":[null]}`, 400, "invalid-field"},
		"long special reason": {"_report", `{"client":"` + client + `",` + days + `,"specialReason":"` + strings.Repeat("ä", 201) + `"}`, 400, "invalid-field"},
		"code as reason why":  {"_report", `{"client":"` + client + `",` + days + `,"specialReason":"for ` + testCode + `"}`, 400, "identity-code-misplaced"},
		"withhold what":       {"withholdings", `{"client":"` + client + `",` + withhold + `}`, 400, "invalid-field"},
		"withhold both":       {"withholdings", `{"client":"` + client + `",` + days + `,"entries":["` + uuid.NewString() + `"],` + withhold + `}`, 400, "invalid-field"},
		"withhold nobody's":   {"withholdings", `{"client":"` + uuid.NewString() + `",` + days + `,` + withhold + `}`, 404, "client-unknown"},
		"withhold another's":  {"withholdings", `{"client":"` + client + `","entries":["` + uuid.NewString() + `"],` + withhold + `}`, 400, "invalid-field"},
		"withhold backwards":  {"withholdings", `{"client":"` + client + `","from":"2026-11-02","until":"2026-11-01",` + withhold + `}`, 400, "invalid-field"},
		"withhold for fun":    {"withholdings", `{"client":"` + client + `",` + days + `,"reason":"fun","decision":"D/1"}`, 400, "invalid-field"},
		"withhold unwritten":  {"withholdings", `{"client":"` + client + `",` + days + `,"reason":"rights-of-others","decision":" "}`, 400, "invalid-field"},
		"code as decision":    {"withholdings", `{"client":"` + client + `",` + days + `,"reason":"rights-of-others","decision":"` + testCode + `"}`, 400, "identity-code-misplaced"},
		"lift nothing":        {"withholdings/" + uuid.NewString() + "/lifting", `{"decision":"D/2"}`, 404, "withholding-not-found"},
		"lift unwritten":      {"withholdings/" + uuid.NewString() + "/lifting", `{}`, 400, "invalid-field"},
		"lift what":           {"withholdings/7/lifting", `{"decision":"D/2"}`, 400, "invalid-parameter"},
		"withheld of nobody":  {"withholdings/_search", `{"client":"` + uuid.NewString() + `"}`, 404, "client-unknown"},
	} {
		got := a.supervise("/log/"+c.path, c.body)
		a.check(name, got, c.status, c.reason)
		if row := a.row(got); got.has(testCode) || bytes.Contains(row.Criteria, []byte(testCode)) {
			t.Errorf("%s: the code is in the answer or the row", name)
		}
	}
	if got := a.supervise("/log/_report", `{"client":"`+client+`",`+days+`}`, header("Accept", "text/plain")); got.reason() != "not-acceptable" {
		t.Errorf("as text: %s", got)
	}
}

// manyRows is a log of so many rows in the time asked about, and more work after it.
type manyRows struct {
	store.LogSupervision
	rows int
	// facts and firsts count what was asked for.
	facts, firsts []store.LogSpan
}

func (m *manyRows) LogFacts(_ context.Context, span store.LogSpan, take func(store.LogFact) error) error {
	m.facts = append(m.facts, span)
	for range m.rows {
		if err := take(store.LogFact{}); err != nil {
			return err
		}
	}
	return nil
}

func (m *manyRows) LogFirsts(_ context.Context, span store.LogSpan, take func(store.LogFact) error) error {
	m.firsts = append(m.firsts, span)
	for range 10 * m.rows {
		if err := take(store.LogFact{}); err != nil {
			return err
		}
	}
	return nil
}

// The bound is on the time asked about: a shorter one would not lessen the work after it.
func TestWorkAfterTheTimeAskedAboutDoesNotCountTowardsTheBound(t *testing.T) {
	rules := unusual.Defaults()
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	span := store.LogSpan{Registry: "1.2.3", From: now.AddDate(0, 0, -7), Until: now}
	for rows, want := range map[int]error{5: nil, 6: errTooMany} {
		log := &manyRows{rows: rows}
		if err := scanUse(t.Context(), log, unusual.NewScan(rules, span.From, span.Until, now), rules, span, 5); !errors.Is(err, want) {
			t.Errorf("%d rows: %v", rows, err)
		}
		later := store.LogSpan{Registry: "1.2.3", From: now, Until: now.Add(rules.WorkTime() + time.Microsecond), Operations: unusual.Working()}
		if !reflect.DeepEqual(log.facts, []store.LogSpan{span}) || !reflect.DeepEqual(log.firsts, []store.LogSpan{later}) {
			t.Errorf("asked for %+v and %+v", log.facts, log.firsts)
		}
	}
}

func TestUnusualUseIsListed(t *testing.T) {
	a := newArena(t)
	other := a.another(0)
	from := a.clock.Now().Add(-40 * time.Hour)
	past := func(after time.Duration, operation, unit string, client uuid.UUID) store.LogRow {
		return store.LogRow{
			Time: from.Add(after), RequestID: "past", Registry: registryOID, Operation: operation, Outcome: store.OutcomeAllowed,
			ClientID: client, Unit: unit, Professional: "T-4711",
		}
	}
	if err := a.store.AppendLog(t.Context(),
		past(0, "Read", unitOID, a.client), past(time.Minute, "Search", unitOID, a.client), // read twice, and
		past(time.Hour, "Store", otherUnitOID, a.client), past(time.Hour, "Store", "", a.client), // worked on by others
		past(2*time.Hour, "Read", unitOID, other), past(20*time.Hour, "NewVersion", unitOID, other),
	); err != nil {
		t.Fatal(err)
	}
	a.relateTo(other, otherUnitOID, 2)
	a.expect("of which the time is not over", a.otherUnit.search(map[string]any{"client": other}), 200)
	for range 3 {
		a.tick(time.Minute)
		a.check("refused", a.otherUnit.search(map[string]any{}), 403, "no-relationship")
	}
	until := a.clock.Now().Add(time.Second)
	ask := map[string]any{"from": from, "until": until, "workDays": 1, "refusals": 3, "minutes": 5, "clients": 2}
	lists := func(lang string) map[string]any {
		return a.expect("unusual", a.supervise("/log/_unusual", ask, header("Accept-Language", lang)), 200).json
	}
	items := func(of map[string]any, list string) []any { return of[list].(map[string]any)["items"].([]any) }
	got := lists("en")
	reads := items(got, "readsWithoutWork")
	if len(reads) != 1 {
		t.Fatalf("reads without work: %v", reads)
	}
	if read := reads[0].(map[string]any); read["client"] != a.client.String() || read["unit"] != unitOID || read["reads"] != 2.0 || read["professional"] != "T-4711" {
		t.Errorf("reads without work: %v", read)
	}
	bursts := items(got, "refusalBursts")
	if len(bursts) != 2 { // of the professional, and under the certificate
		t.Fatalf("bursts: %v", bursts)
	}
	for _, burst := range bursts {
		of := burst.(map[string]any)
		if of["refusals"] != 3.0 || of["reasons"].(map[string]any)["no-relationship"] != 3.0 || (of["professional"] == nil) == (of["certificate"] == nil) {
			t.Errorf("burst: %v", of)
		}
	}
	if many := items(got, "manyClients"); len(many) != 1 || many[0].(map[string]any)["clients"] != 2.0 || many[0].(map[string]any)["day"] != "2026-11-21" {
		t.Errorf("many clients: %v", many)
	}
	rules := map[string]bool{}
	for _, lang := range []string{"fi", "sv", "en"} {
		for _, list := range []string{"readsWithoutWork", "refusalBursts", "manyClients"} {
			rules[lists(lang)[list].(map[string]any)["rule"].(string)] = true
		}
	}
	if len(rules) != 9 {
		t.Errorf("the rules are said in %d ways", len(rules))
	}
}

func TestOneReadingOfTheLogIsBounded(t *testing.T) {
	taken := 0
	take := atMost(2, func(int) error { taken++; return nil })
	for i, want := range []error{nil, nil, errTooMany, errTooMany} {
		if err := take(i); !errors.Is(err, want) {
			t.Errorf("row %d: %v", i, err)
		}
	}
	if taken != 2 {
		t.Errorf("%d were taken", taken)
	}
	all := make([]int, maxUnusual+1)
	if list := listed("x", all, func(n int) int { return n }); !list.More || len(list.Items) != maxUnusual {
		t.Errorf("%d of %d are listed, more=%t", len(list.Items), len(all), list.More)
	}
	if list := listed("x", all[1:], func(n int) int { return n }); list.More {
		t.Error("there are more than all")
	}
}
