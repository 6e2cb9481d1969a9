// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
)

const retentionPart = `
retention:
  - {code: notes, documentTypes: [note], years: 3, from: stored}
  - {code: people, basicData: true, years: 2, from: clientDeath}
  - {code: one, serviceTasks: [t1, t3], years: 10, from: matterClosed}
  - {code: one-child, serviceTasks: [t1], when: childMatter, years: 120, from: clientBirth}
`

// kept is the small catalog with retention rules.
var kept = small.with("catalog.yaml", small["catalog.yaml"]+retentionPart)

func TestRetentionRulesAreLoaded(t *testing.T) {
	c := kept.load(t)
	if len(c.Retention()) != 4 || len(c.RetentionOf("note")) != 1 || len(c.RetentionOf("letter")) != 0 ||
		len(c.RetentionIn("t1")) != 2 || len(c.RetentionIn("t2")) != 0 || len(c.BasicDataRetention()) != 1 {
		t.Errorf("got %+v", c.Retention())
	}
	if c := small.load(t); len(c.Retention()) != 0 {
		t.Errorf("a catalog without rules has %+v", c.Retention())
	}
}

func TestRetentionRulesAreChecked(t *testing.T) {
	for name, bad := range map[string]struct{ old, text, says string }{
		"code":                 {"code: notes", `code: "no tes"`, "retention[0].code: must be"},
		"code twice":           {"code: people", "code: notes", `retention[1].code: "notes" is there twice`},
		"for nothing":          {"documentTypes: [note], ", "", "retention[0]: must be for one of"},
		"for two things":       {"documentTypes: [note]", "documentTypes: [note], serviceTasks: [t2]", "retention[0]: must be for one of"},
		"no types":             {"documentTypes: [note]", "documentTypes: []", "retention[0].documentTypes: lists none"},
		"unknown type":         {"documentTypes: [note]", "documentTypes: [noet]", `retention[0].documentTypes[0]: "noet" is not in the catalog`},
		"type twice":           {"documentTypes: [note]", "documentTypes: [note, note]", "retention[0].documentTypes[1]: is there twice"},
		"unknown task":         {"[t1, t3]", "[t1, t4]", `retention[2].serviceTasks[1]: "t4" is not in the catalog`},
		"no years":             {"years: 3, ", "", "retention[0].years: must be 1 to 200"},
		"no time at all":       {"years: 3", "years: 0", "retention[0].years: must be 1 to 200"},
		"years below":          {"years: 3", "years: -3", "retention[0].years: must be 1 to 200"},
		"for ever":             {"years: 3", "years: 2000", "retention[0].years: must be 1 to 200"},
		"years as text":        {"years: 3", `years: "3"`, "catalog.yaml: "},
		"no event":             {"from: stored", `from: ""`, `retention[0].from: "" must be one of`},
		"unknown event":        {"from: stored", "from: created", `retention[0].from: "created" must be one of`},
		"unknown condition":    {"when: childMatter", "when: adult", `retention[3].when: "adult" must be childMatter`},
		"condition of a type":  {"documentTypes: [note]", "documentTypes: [note], when: childMatter", "retention[0].when: goes with serviceTasks"},
		"only a condition":     {"[t1, t3]", "[t3]", `retention[3].when: "t1" has no rule for what the condition does not hold for`},
		"matter of basic data": {"from: clientDeath", "from: matterClosed", "retention[1].from: must be clientDeath or clientBirth for basic data"},
		"last matter of type":  {"from: stored", "from: lastMatterClosed", "retention[0].from: lastMatterClosed goes with serviceTasks"},
		"unknown field":        {"years: 3", "yearz: 3", `unknown field "retention[0].yearz"`},
	} {
		if !strings.Contains(retentionPart, bad.old) {
			t.Fatalf("there is no %s", bad.old)
		}
		changed := strings.Replace(retentionPart, bad.old, bad.text, 1)
		_, err := catalog.Load(small.with("catalog.yaml", small["catalog.yaml"]+changed).fs())
		var told *catalog.LoadError
		if !errors.As(err, &told) || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: got %v, want %q in it", name, err, bad.says)
		}
	}
}

func TestEveryServiceTaskOfTheStandInHasARetentionRule(t *testing.T) {
	c := catalog.StandIn()
	for _, task := range c.ServiceTasks() {
		if len(c.RetentionIn(task.Code)) == 0 {
			t.Errorf("%s has none", task.Code)
		}
	}
	if len(c.BasicDataRetention()) != 1 {
		t.Error("basic data have none")
	}
}

func TestYearsAreCountedByTheCalendar(t *testing.T) {
	for _, c := range []struct {
		from  catalog.Day
		years int
		want  catalog.Day
	}{
		{"2026-03-01", 10, "2036-03-01"}, {"2024-02-29", 1, "2025-02-28"}, {"2024-02-29", 4, "2028-02-29"},
		{"2024-02-29", 76, "2100-02-28"}, {"2023-02-28", 1, "2024-02-28"}, {"2026-12-31", 2, "2028-12-31"},
		{"1906-05-05", 120, "2026-05-05"}, {"9990-01-01", 10, ""}, {"", 10, ""}, {"2026-02-30", 10, ""},
	} {
		if got := c.from.LastOf(c.years); got != c.want {
			t.Errorf("%d years from %s: %q, want %q", c.years, c.from, got, c.want)
		}
	}
	if d := catalog.Day("2028-02-28").Next(); d != "2028-02-29" || d.Next() != "2028-03-01" || catalog.Day("9999-12-31").Next() != "" {
		t.Errorf("after 28 February 2028 comes %s, then %s", d, d.Next())
	}
}

// The last day has the date of the first, unless its year has no such date; a later day never ends earlier.
func TestYearsAreCountedByTheCalendar_AnyDay(t *testing.T) {
	day := rapid.Custom(func(t *rapid.T) time.Time {
		return time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 90_000).Draw(t, "day"))
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, years := day.Draw(t, "a"), day.Draw(t, "b"), rapid.IntRange(1, 200).Draw(t, "years")
		last := catalog.Day(a.Format(time.DateOnly)).LastOf(years)
		on, err := time.Parse(time.DateOnly, string(last))
		same := on.Month() == a.Month() && on.Day() == a.Day()
		leap := a.Month() == time.February && a.Day() == 29 && on.Month() == time.February && on.Day() == 28 && on.AddDate(0, 0, 1).Day() == 1
		if err != nil || on.Year() != a.Year()+years || !same && !leap {
			t.Fatalf("%d years from %s: %s", years, a.Format(time.DateOnly), last)
		}
		if other := catalog.Day(b.Format(time.DateOnly)).LastOf(years); a.Before(b) && last > other {
			t.Fatalf("%d years from %s end after those from %s", years, a, b)
		}
	})
}
