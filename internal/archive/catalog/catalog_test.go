// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/catalog"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func TestDaysAreFinnish(t *testing.T) {
	for text, want := range map[string]catalog.Day{
		"2026-01-31T21:59:59Z": "2026-01-31", "2026-01-31T22:00:00Z": "2026-02-01",
		"2026-07-31T20:59:59Z": "2026-07-31", "2026-07-31T21:00:00Z": "2026-08-01",
		"2026-07-31T23:30:00+09:00": "2026-07-31",
	} {
		if got := catalog.DayOf(at(t, text)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestSchemaOn(t *testing.T) {
	note := typeOf(t, small.load(t), "note")
	for _, c := range []struct {
		version, moment, want string
		err                   error
	}{
		{"", "2024-12-31T21:59:59Z", "", catalog.ErrNotInForce},
		{"", "2024-12-31T22:00:00Z", "1", nil},
		{"", "2025-12-31T21:59:59Z", "1", nil},
		{"", "2025-12-31T22:00:00Z", "", catalog.ErrNotInForce}, // between the two
		{"", "2026-01-31T22:00:00Z", "2", nil},
		{"", "2099-01-01T00:00:00Z", "2", nil},
		{"1", "2025-06-01T00:00:00Z", "1", nil},
		{"1", "2026-06-01T00:00:00Z", "", catalog.ErrNotInForce},
		{"2", "2025-06-01T00:00:00Z", "", catalog.ErrNotInForce},
		{"3", "2025-06-01T00:00:00Z", "", catalog.ErrUnknownVersion},
	} {
		schema, err := note.SchemaOn(c.version, at(t, c.moment))
		if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || (err == nil && schema.Version() != c.want) {
			t.Errorf("%q on %s: got %v, %v", c.version, c.moment, schema, err)
		}
	}
	if schema, err := typeOf(t, small.load(t), "letter").SchemaOn("", noon); schema != nil || err != nil {
		t.Errorf("a type without schemas: got %v, %v", schema, err)
	}
}

func TestCodesAreDated(t *testing.T) {
	c := small.load(t)
	for name, check := range map[string]struct {
		in      func(string, time.Time) bool
		code    string
		moment  string
		inForce bool
	}{
		"always":              {c.ServiceTask, "t1", "1990-01-01T00:00:00Z", true},
		"unknown":             {c.ServiceTask, "c1", "2026-03-01T00:00:00Z", false},
		"before":              {c.ServiceTask, "t2", "2025-12-31T21:59:59Z", false},
		"first day":           {c.ServiceTask, "t2", "2025-12-31T22:00:00Z", true},
		"last day":            {c.ServiceTask, "t2", "2026-06-30T20:59:59Z", true},
		"after":               {c.ServiceTask, "t2", "2026-06-30T21:00:00Z", false},
		"correction":          {c.CorrectionReason, "c1", "2026-03-01T00:00:00Z", true},
		"correction, before":  {c.CorrectionReason, "c1", "2025-03-01T00:00:00Z", false},
		"annulment":           {c.AnnulmentReason, "a1", "2025-03-01T00:00:00Z", true},
		"annulment, after":    {c.AnnulmentReason, "a1", "2026-03-01T00:00:00Z", false},
		"annulment as reason": {c.CorrectionReason, "a1", "2025-03-01T00:00:00Z", false},
	} {
		if check.in(check.code, at(t, check.moment)) != check.inForce {
			t.Errorf("%s: want %t", name, check.inForce)
		}
	}
}

func TestTypes(t *testing.T) {
	c := small.load(t)
	relationship := typeOf(t, c, "relationship")
	if relationship.Operation() != "ManageRelationship" || !relationship.IsRelationship() || relationship.Takes("application/xhtml+xml") || !relationship.Takes("application/json") {
		t.Errorf("got %+v", relationship)
	}
	if letter := typeOf(t, c, "letter"); letter.Operation() != "" || letter.IsRelationship() || letter.Takes("application/json") {
		t.Errorf("got %+v", letter)
	}
	if _, known := c.Type("other"); known {
		t.Error("knows another type")
	}
	if got, in := c.RelationshipType(noon); !in || got != relationship {
		t.Errorf("got %v, %t", got, in)
	}
	if _, in := c.RelationshipType(at(t, "2024-06-01T00:00:00Z")); in {
		t.Error("the relationship type is in force before its first day")
	}
}

func TestStandInHasWhatTheProductNeeds(t *testing.T) {
	c := catalog.StandIn()
	var types []string
	for _, kind := range c.Types() {
		types = append(types, kind.Code()+" "+kind.Operation())
		for _, schema := range kind.Schemas() {
			if raw := string(schema.Raw()); !strings.Contains(raw, "Stands in for the national definition.") || strings.Contains(raw, `"x-`) {
				t.Errorf("%s %s does not say what it is", kind.Code(), schema.Version())
			}
		}
	}
	want := []string{
		"client-relationship ManageRelationship", "matter ManageMatter", "case-note ", "service-decision ", "client-plan ",
		"needs-assessment ", "implementation-plan ", "need-notification ", "health-note ",
		"voucher ", "fee-decision ", "income-clarification ",
	}
	if !slices.Equal(types, want) {
		t.Errorf("got %q", types)
	}
	for _, kind := range c.Types() {
		if (kind.Sector() == access.HealthCare) != (kind.Code() == "health-note") {
			t.Errorf("%s is of sector %d", kind.Code(), kind.Sector())
		}
	}
	// Those of the samples, the demo, the benchmarks and the tests are among them.
	for _, task := range []string{"families", "working-age", "older-people", "elderly", "substance-abuse", "disability", "child-welfare", "family-law"} {
		if !c.ServiceTask(task, noon) {
			t.Errorf("has no service task %s", task)
		}
	}
}
