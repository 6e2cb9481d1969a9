// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package retention_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/retention"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// Three people of the tables: an adult, a child, and one of whom nothing is known.
var (
	adult   = uuid.UUID{15: 1}
	child   = uuid.UUID{15: 2}
	unknown = uuid.UUID{15: 3}
)

// at gives noon of a day in Finland.
func at(day catalog.Day) time.Time {
	t, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		panic(err)
	}
	return t.Add(10 * time.Hour)
}

// matter gives one, open where closed is empty.
func matter(id string, opened, closed catalog.Day, tasks []string, clients ...uuid.UUID) store.KeptMatter {
	m := store.KeptMatter{ID: id, ClientIDs: clients, ServiceTasks: tasks, Opened: at(opened)}
	if closed != "" {
		m.Closed = at(closed)
	}
	return m
}

func people(adultDied, childDied string) []store.KeptClient {
	return []store.KeptClient{{ID: adult, BornOn: "1950-06-15", DiedOn: adultDied}, {ID: child, BornOn: "2015-02-05", DiedOn: childDied}}
}

// note is a document of the adult in matter M, in the task.
func note(task string, matters ...store.KeptMatter) store.Kept {
	return store.Kept{
		Type: "case-note", Matter: "M", ServiceTasks: []string{task}, Created: at("2023-12-31"), Stored: at("2026-02-01"), ClientIDs: []uuid.UUID{adult},
		Clients: people("", ""), Matters: matters,
	}
}

// with gives the document changed.
func with(k store.Kept, change func(*store.Kept)) store.Kept {
	change(&k)
	return k
}

// TestRetentionByServiceTask is statement 12 of the check list: the retention dates by service task, row by row of
// the table, with the stand-in catalog.
func TestRetentionByServiceTask(t *testing.T) {
	closed := func(task string, clients ...uuid.UUID) store.KeptMatter {
		return matter("M", "2025-05-01", "2026-03-01", []string{task}, clients...)
	}
	open := func(task string) store.KeptMatter { return matter("M", "2025-05-01", "", []string{task}, adult) }
	ofChild := func(k store.Kept) store.Kept {
		return with(k, func(k *store.Kept) { k.ClientIDs = []uuid.UUID{child} })
	}
	dead := func(k store.Kept) store.Kept {
		return with(k, func(k *store.Kept) { k.Clients = people("2026-05-31", "2027-05-31") })
	}
	ofType := func(code string, k store.Kept) store.Kept {
		return with(k, func(k *store.Kept) { k.Type = code })
	}
	for name, c := range map[string]struct {
		k    store.Kept
		want retention.Clock
	}{
		"client relationship document": {dead(ofType("client-relationship", note("families"))), runs("client-relationship", "clientDeath", "2026-05-31", "2028-06-01")},
		"client relationship document of one who lives": {ofType("client-relationship", note("families", closed("families", adult))),
			waits("client-relationship", "clientDeath", "clientDeath")},
		"families with children":           {note("families", closed("families", adult)), runs("families", "matterClosed", "2026-03-01", "2056-03-02")},
		"families with children, open":     {note("families", open("families")), waits("families", "matterClosed", "matterClosed")},
		"working-age people":               {note("working-age", closed("working-age", adult)), runs("working-age", "matterClosed", "2026-03-01", "2036-03-02")},
		"older people":                     {note("older-people", closed("older-people", adult)), runs("older-people", "matterClosed", "2026-03-01", "2036-03-02")},
		"older people by the other code":   {note("elderly", closed("elderly", adult)), runs("older-people", "matterClosed", "2026-03-01", "2036-03-02")},
		"substance-abuse services":         {note("substance-abuse", closed("substance-abuse", adult)), runs("substance-abuse", "matterClosed", "2026-03-01", "2036-03-02")},
		"disability services":              {note("disability", closed("disability", adult)), runs("disability", "lastMatterClosed", "2026-03-01", "2036-03-02")},
		"disability services, a later one": {note("disability", closed("disability", adult), matter("N", "2026-01-01", "2027-04-04", []string{"disability"}, adult)), runs("disability", "lastMatterClosed", "2027-04-04", "2037-04-05")},
		"disability services, the need goes on": {note("disability", closed("disability", adult), matter("N", "2026-01-01", "", []string{"disability"}, adult)),
			waits("disability", "lastMatterClosed", "lastMatterClosed")},
		"disability services, another need goes on": {note("disability", closed("disability", adult), matter("N", "2026-01-01", "", []string{"families"}, adult)),
			runs("disability", "lastMatterClosed", "2026-03-01", "2036-03-02")},
		"child welfare":                     {dead(ofChild(note("child-welfare", closed("child-welfare", child)))), runs("child-welfare", "clientDeath", "2027-05-31", "2029-06-01")},
		"child welfare of one who lives":    {ofChild(note("child-welfare", closed("child-welfare", child))), waits("child-welfare", "clientDeath", "clientDeath")},
		"family law in a matter of a child": {ofChild(note("family-law", closed("family-law", child))), runs("family-law-child", "clientBirth", "2015-02-05", "2135-02-06")},
		"family law, a parent's document in a matter of a child": {note("family-law", closed("family-law", adult, child)),
			runs("family-law-child", "clientBirth", "2015-02-05", "2135-02-06")},
		"family law in another matter":                 {note("family-law", closed("family-law", adult)), runs("family-law", "matterClosed", "2026-03-01", "2036-03-02")},
		"family law in an open matter of a child":      {ofChild(note("family-law", matter("M", "2025-05-01", "", []string{"family-law"}, child))), waits("family-law", "matterClosed", "matterClosed")},
		"family law with one whose birth is not known": {note("family-law", closed("family-law", adult, unknown)), waits("family-law-child", "clientBirth", "clientBirth")},
		"vouchers":             {ofType("voucher", note("families", open("families"))), runs("vouchers", "stored", "2026-02-01", "2029-02-02")},
		"client-fee decisions": {ofType("fee-decision", note("families", closed("families", adult))), runs("fees-in-matter", "matterClosed", "2026-03-01", "2038-03-02")},
		"client-fee decisions stored after the closing":  {with(ofType("fee-decision", note("families", closed("families", adult))), func(k *store.Kept) { k.Stored = at("2026-04-01") }), runs("fees", "stored", "2026-04-01", "2038-04-02")},
		"income clarifications":                          {ofType("income-clarification", note("families", closed("families", adult))), runs("fees-in-matter", "matterClosed", "2026-03-01", "2038-03-02")},
		"no rule for the task":                           {note("new-task", closed("new-task", adult)), retention.Clock{WaitsFor: retention.WaitsForRule}},
		"no rule for one of two tasks":                   {with(note("families", closed("families", adult)), func(k *store.Kept) { k.ServiceTasks = []string{"families", "new-task"} }), retention.Clock{WaitsFor: retention.WaitsForRule}},
		"two tasks: the longer":                          {with(note("families", closed("families", adult)), func(k *store.Kept) { k.ServiceTasks = []string{"working-age", "families"} }), runs("families", "matterClosed", "2026-03-01", "2056-03-02")},
		"two tasks, one of which does not run":           {with(note("families", closed("families", adult)), func(k *store.Kept) { k.ServiceTasks = []string{"families", "child-welfare"} }), waits("child-welfare", "clientDeath", "clientDeath")},
		"two clients: the later death":                   {dead(with(note("child-welfare"), func(k *store.Kept) { k.ClientIDs = []uuid.UUID{adult, child} })), runs("child-welfare", "clientDeath", "2027-05-31", "2029-06-01")},
		"two clients, one of whom lives":                 {with(note("child-welfare"), func(k *store.Kept) { k.ClientIDs, k.Clients = []uuid.UUID{adult, child}, people("2026-05-31", "") }), waits("child-welfare", "clientDeath", "clientDeath")},
		"no matter":                                      {with(note("families", closed("families", adult)), func(k *store.Kept) { k.Matter = "" }), waits("families", "matterClosed", "matter")},
		"a matter that the archive does not know":        {note("families", matter("N", "2025-05-01", "2026-03-01", []string{"families"}, adult)), waits("families", "matterClosed", "matter")},
		"disability services without a matter":           {with(note("disability", closed("disability", adult)), func(k *store.Kept) { k.Matter = "" }), waits("disability", "lastMatterClosed", "matter")},
		"a client that the archive does not know":        {with(note("child-welfare"), func(k *store.Kept) { k.ClientIDs = []uuid.UUID{unknown} }), waits("child-welfare", "clientDeath", "clientDeath")},
		"a relationship that may still stand":            {with(dead(ofType("client-relationship", note("families"))), func(k *store.Kept) { k.Unsettled = true }), waits("client-relationship", "clientDeath", retention.WaitsForSettlement)},
		"a death that is no day":                         {with(note("child-welfare"), func(k *store.Kept) { k.Clients = people("2026-02-30", "") }), waits("child-welfare", "clientDeath", "clientDeath")},
		"closed on 29 February":                          {note("working-age", matter("M", "2020-05-01", "2024-02-29", nil, adult)), runs("working-age", "matterClosed", "2024-02-29", "2034-03-01")},
		"closed late on New Year's Eve by Finnish time":  {note("working-age", store.KeptMatter{ID: "M", Closed: time.Date(2025, 12, 31, 21, 59, 59, 0, time.UTC)}), runs("working-age", "matterClosed", "2025-12-31", "2036-01-01")},
		"closed on New Year's Day by Finnish time alone": {note("working-age", store.KeptMatter{ID: "M", Closed: time.Date(2025, 12, 31, 22, 0, 0, 0, time.UTC)}), runs("working-age", "matterClosed", "2026-01-01", "2036-01-02")},
	} {
		if got := retention.Document(catalog.StandIn(), &c.k); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func runs(rule string, from catalog.RetentionEvent, started, destroyed catalog.Day) retention.Clock {
	return retention.Clock{Rule: rule, CountedFrom: from, StartedOn: started, DestroyOn: destroyed}
}

func waits(rule string, from catalog.RetentionEvent, what retention.Waiting) retention.Clock {
	return retention.Clock{Rule: rule, CountedFrom: from, WaitsFor: what}
}

func TestAChildIsOneUntilEighteen(t *testing.T) {
	for opened, wantChild := range map[catalog.Day]bool{"2033-02-04": true, "2033-02-05": false, "2015-02-05": true} {
		k := note("family-law", matter("M", opened, "2040-01-01", nil, child))
		k.ClientIDs = []uuid.UUID{child}
		if got := retention.Document(catalog.StandIn(), &k); (got.Rule == "family-law-child") != wantChild {
			t.Errorf("a matter opened on %s: %+v", opened, got)
		}
	}
}

// TestRetentionOfBasicData is the first row of the table: basic data go two years after the client's death, and not
// before what is kept of the client.
func TestRetentionOfBasicData(t *testing.T) {
	c := catalog.StandIn()
	person := func(died string, documents int, matters ...store.KeptMatter) *store.KeptPerson {
		p := &store.KeptPerson{KeptClient: people(died, "")[0], Clients: people(died, ""), Documents: documents, Matters: matters}
		return p
	}
	const today = "2028-06-01"
	old, recent := matter("M", "2010-01-01", "2015-01-01", []string{"older-people"}, adult), matter("N", "2010-01-01", "2020-01-01", []string{"older-people"}, adult)
	for name, one := range map[string]struct {
		p    *store.KeptPerson
		want retention.Clock
	}{
		"one who died":                 {person("2026-05-31", 0), runs("basic-data", "clientDeath", "2026-05-31", "2028-06-01")},
		"one who lives":                {person("", 0), waits("basic-data", "clientDeath", "clientDeath")},
		"one with a document":          {person("2026-05-31", 1), waits("basic-data", "clientDeath", retention.WaitsForDocuments)},
		"one with a matter that is up": {person("2026-05-31", 0, old), runs("basic-data", "clientDeath", "2026-05-31", "2028-06-01")},
		"one with a matter kept":       {person("2026-05-31", 0, old, recent), waits("basic-data", "clientDeath", retention.WaitsForMatters)},
		"one with an open matter": {person("2026-05-31", 0, matter("M", "2010-01-01", "", []string{"older-people"}, adult)),
			waits("basic-data", "clientDeath", retention.WaitsForMatters)},
	} {
		got, matters := retention.Client(c, one.p, today)
		if got != one.want || len(matters) != len(one.p.Matters) {
			t.Errorf("%s: got %+v, want %+v", name, got, one.want)
		}
		if got.Due("2028-05-31") || got.Due(today) != (one.want.WaitsFor == "") {
			t.Errorf("%s: due too early, or not at all", name)
		}
	}
}

// A closing or a death that was recorded as of a day too early makes nothing due that was written after it; what was
// written before, such as old client data that is stored years later, goes by the event.
func TestAnEventThatIsTooEarlyMakesNothingDueEarly(t *testing.T) {
	c := catalog.StandIn()
	early := matter("M", "1989-05-01", "1990-03-01", []string{"families"}, adult)
	of := func(task string, m store.KeptMatter, written catalog.Day) store.Kept {
		return with(note(task, m), func(k *store.Kept) { k.Created, k.Clients = at(written), people("1990-05-31", "") })
	}
	for name, test := range map[string]struct {
		k    store.Kept
		want retention.Clock
	}{
		"a closing":                      {of("families", early, "2026-01-31"), runs("families", "matterClosed", "2026-01-31", "2056-02-01")},
		"a closing, and an old document": {of("families", early, "1989-12-31"), runs("families", "matterClosed", "1990-03-01", "2020-03-02")},
		"a death":                        {of("child-welfare", early, "2026-01-31"), runs("child-welfare", "clientDeath", "2026-01-31", "2028-02-01")},
		"a last closing":                 {of("disability", matter("M", "1989-05-01", "1990-03-01", []string{"disability"}, adult), "2026-01-31"), runs("disability", "lastMatterClosed", "2026-01-31", "2036-02-01")},
		"a death, and an old document":   {of("child-welfare", early, "1989-12-31"), runs("child-welfare", "clientDeath", "1990-05-31", "1992-06-01")},
	} {
		if got := retention.Document(c, &test.k); got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}
