// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/catalog"
)

// badRoles are refused, each with an error that names the field.
var badRoles = map[string]struct {
	old, text string
	says      string
}{
	"no roles":             {small["catalog.yaml"][strings.Index(small["catalog.yaml"], "roles:"):], "", "catalog.yaml: roles: lists none"},
	"empty role":           {"roles:", "roles:\n  -", "catalog.yaml: roles[0]: is empty"},
	"code":                 {"code: worker", `code: "social worker"`, "catalog.yaml: roles[0].code: "},
	"code twice":           {"code: clerk", "code: worker", `catalog.yaml: roles[1].code: "worker" is there twice`},
	"no name":              {"code: worker\n    names: {fi: a, sv: b, en: c}", "code: worker\n    names: {fi: a, en: c}", "catalog.yaml: roles[0].names.sv: "},
	"day":                  {`validFrom: "2026-01-01"` + "\n    validUntil", `validFrom: "2026-13-01"` + "\n    validUntil", "catalog.yaml: roles[1].validFrom: "},
	"until before from":    {`validUntil: "2026-06-30"` + "\n", `validUntil: "2025-06-30"` + "\n", "catalog.yaml: roles[1].validUntil: is before"},
	"no rights":            {"rights:\n      - operations: [Store]\n        serviceTasks: [\"*\"]\n        documentTypes: [letter]", "rights: []", "catalog.yaml: roles[1].rights: lists none"},
	"unknown field":        {"operations: [Store]", "operations: [Store]\n        documentType: [note]", `unknown field "roles[1].rights[0].documentType"`},
	"no operations":        {"operations: [Store]", "operations: []", "catalog.yaml: roles[1].rights[0].operations: lists none"},
	"unknown operation":    {"operations: [Store]", "operations: [store]", "catalog.yaml: roles[1].rights[0].operations[0]: is not the name"},
	"every operation":      {"operations: [Store]", `operations: ["*"]`, "catalog.yaml: roles[1].rights[0].operations[0]: is not the name"},
	"operation twice":      {"operations: [Store]", "operations: [Store, Read, Store]", "catalog.yaml: roles[1].rights[0].operations[2]: is there twice"},
	"no tasks":             {"        serviceTasks: [\"*\"]\n", "", "catalog.yaml: roles[1].rights[0].serviceTasks: lists none"},
	"no types":             {"        documentTypes: [letter]\n", "", "catalog.yaml: roles[1].rights[0].documentTypes: lists none"},
	"unknown task":         {"serviceTasks: [t3, t2]", "serviceTasks: [t3, t4]", `catalog.yaml: roles[0].rights[1].serviceTasks[1]: "t4" is not in the catalog`},
	"unknown type":         {"documentTypes: [letter]", "documentTypes: [t1]", `catalog.yaml: roles[1].rights[0].documentTypes[0]: "t1" is not in the catalog`},
	"task twice":           {"serviceTasks: [t3, t2]", "serviceTasks: [t3, t2, t3]", "catalog.yaml: roles[0].rights[1].serviceTasks[2]: is there twice"},
	"all and one":          {"serviceTasks: [t3, t2]", `serviceTasks: [t3, "*"]`, `catalog.yaml: roles[0].rights[1].serviceTasks[1]: "*" stands for all`},
	"client right of task": {"operations: [FindClient]", "operations: [FindClient]\n        serviceTasks: [t1]", "catalog.yaml: roles[0].rights[0]: is to find and register clients"},
	"mixed right":          {"operations: [Store]", "operations: [Store, RegisterClient]", "catalog.yaml: roles[1].rights[0].operations: finding and registering"},
}

func TestLoadRefusesBadRoles(t *testing.T) {
	for name, c := range badRoles {
		t.Run(name, func(t *testing.T) {
			_, err := catalog.Load(small.replace("catalog.yaml", c.old, c.text).fs())
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

func TestRolesAreDatedAndWhatIsNotThereMayNothing(t *testing.T) {
	c := small.load(t)
	for name, want := range map[string]struct {
		code, moment string
		inForce      bool
	}{
		"always":    {"worker", "1990-01-01T00:00:00Z", true},
		"unknown":   {"nobody", "2026-03-01T00:00:00Z", false},
		"no code":   {"", "2026-03-01T00:00:00Z", false},
		"the star":  {"*", "2026-03-01T00:00:00Z", false},
		"before":    {"clerk", "2025-12-31T21:59:59Z", false},
		"first day": {"clerk", "2025-12-31T22:00:00Z", true},
		"last day":  {"clerk", "2026-06-30T20:59:59Z", true},
		"after":     {"clerk", "2026-06-30T21:00:00Z", false},
	} {
		role, inForce := c.Role(want.code, at(t, want.moment))
		if inForce != want.inForce || (role != nil) != want.inForce {
			t.Errorf("%s: got %v, %t", name, role, inForce)
		}
	}
}

func TestMayIsWithinOneRight(t *testing.T) {
	c := small.load(t)
	for _, want := range []struct {
		role, operation string
		tasks           []string
		documentType    string
		may             bool
	}{
		{"worker", "Read", []string{"t3"}, "note", true},
		{"worker", "Read", []string{"t9", "t3"}, "note", true},
		{"worker", "Read", []string{"t3"}, "letter", false}, // t3 is in one right, letter in another
		{"worker", "Read", []string{"t2"}, "letter", true},
		{"worker", "Search", []string{"t2"}, "letter", false},
		{"worker", "Store", []string{"t3"}, "note", false},
		{"worker", "Read", []string{"t9"}, "note", false},
		{"worker", "Read", nil, "note", false},
		{"worker", "FindClient", []string{"t3"}, "note", false},
		{"clerk", "Store", []string{"unheard-of"}, "letter", true},
		{"clerk", "Store", nil, "letter", false},
		{"clerk", "Store", []string{"t3"}, "*", false},
		{"clerk", "", []string{"t3"}, "letter", false},
	} {
		if got := roleOf(t, c, want.role).May(want.operation, want.tasks, want.documentType); got != want.may {
			t.Errorf("%+v: got %t", want, got)
		}
	}
	if worker := roleOf(t, c, "worker"); !worker.Has("FindClient") || worker.Has("RegisterClient") || worker.Has("Store") {
		t.Error("may not do what its rights list")
	}
}

// TestMayAndScopeAreWhatTheRightsSay holds both to the words of the catalog, so that a search shows a document
// if and only if the operation on that document would be allowed.
func TestMayAndScopeAreWhatTheRightsSay(t *testing.T) {
	operations := []string{"Search", "Read", "Store"}
	rapid.Check(t, func(rt *rapid.T) {
		codes := func(label string, of ...string) []string {
			if rapid.IntRange(0, 3).Draw(rt, label+" all") == 0 {
				return []string{"*"}
			}
			return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 1, len(of), rapid.ID[string]).Draw(rt, label)
		}
		rights := make([]catalog.Right, rapid.IntRange(1, 4).Draw(rt, "rights"))
		for i := range rights {
			rights[i] = catalog.Right{
				Operations:    rapid.SliceOfNDistinct(rapid.SampledFrom(operations), 1, 3, rapid.ID[string]).Draw(rt, "operations"),
				ServiceTasks:  codes("tasks", "t1", "t2"),
				DocumentTypes: codes("types", "note", "letter", "relationship"),
			}
		}
		text, err := json.Marshal(rights)
		if err != nil {
			t.Fatal(err)
		}
		yaml := small["catalog.yaml"] + fmt.Sprintf("  - {code: drawn, names: {fi: a, sv: b, en: c}, rights: %s}\n", text)
		role := roleOf(t, small.with("catalog.yaml", yaml).load(t), "drawn")

		operation := rapid.SampledFrom(operations).Draw(rt, "operation")
		tasks := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"t1", "t2", "t9"}), rapid.ID[string]).Draw(rt, "of tasks")
		documentType := rapid.SampledFrom([]string{"note", "letter", "relationship", "other"}).Draw(rt, "of type")
		want := slices.ContainsFunc(rights, func(r catalog.Right) bool {
			return slices.Contains(r.Operations, operation) && says(r.DocumentTypes, documentType) &&
				slices.ContainsFunc(tasks, func(task string) bool { return says(r.ServiceTasks, task) })
		})
		if got := role.May(operation, tasks, documentType); got != want {
			rt.Fatalf("%s of %s in %v under %s: may %t", operation, documentType, tasks, text, got)
		}
		inScope := false
		for _, scope := range role.Scope(operation) {
			for _, task := range tasks {
				inScope = inScope || (scope.Tasks == nil || slices.Contains(scope.Tasks, task)) &&
					(scope.Types == nil || slices.Contains(scope.Types, documentType))
			}
		}
		if inScope != want {
			rt.Fatalf("%s of %s in %v under %s: in scope %t", operation, documentType, tasks, text, inScope)
		}
	})
}

// says tells whether a list of a right covers the code.
func says(list []string, code string) bool {
	return slices.Contains(list, code) || slices.Equal(list, []string{"*"})
}

// TestEveryOperationCanBeGiven: an operation that access learns needs a word in the rights too.
func TestEveryOperationCanBeGiven(t *testing.T) {
	worker, supervisor := roleOf(t, catalog.StandIn(), "social-worker"), roleOf(t, catalog.StandIn(), "supervisor")
	for operation := access.FindClient; operation <= access.Supervise; operation++ {
		if !worker.Has(operation.String()) && !supervisor.Has(operation.String()) {
			t.Errorf("no role may %s", operation)
		}
	}
	if worker.Has(access.Supervise.String()) {
		t.Error("who is supervised supervises")
	}
}

func TestStandInRolesReachNoFurtherThanTheirWork(t *testing.T) {
	c := catalog.StandIn()
	for _, want := range []struct {
		role, operation, task, documentType string
		may                                 bool
	}{
		{"social-worker", "Annul", "child-welfare", "service-decision", true},
		{"social-worker", "ManageRelationship", "elderly", "client-relationship", true},
		{"social-counselor", "Read", "families", "matter", true},
		{"social-counselor", "Read", "child-welfare", "case-note", false},
		{"social-counselor", "Store", "families", "service-decision", false},
		{"social-counselor", "Annul", "families", "case-note", false},
		{"practical-nurse", "Read", "elderly", "client-plan", true},
		{"practical-nurse", "Read", "elderly", "needs-assessment", false},
		{"practical-nurse", "Read", "child-welfare", "case-note", false},
		{"practical-nurse", "Store", "elderly", "case-note", true},
		{"practical-nurse", "Store", "elderly", "client-plan", false},
		{"office-secretary", "ManageMatter", "families", "matter", true},
		{"office-secretary", "Read", "families", "case-note", false},
		{"supervisor", "Annul", "families", "case-note", true},
		{"supervisor", "Store", "families", "case-note", false},
	} {
		if got := roleOf(t, c, want.role).May(want.operation, []string{want.task}, want.documentType); got != want.may {
			t.Errorf("%+v: got %t", want, got)
		}
	}
	if roleOf(t, c, "practical-nurse").Has("RegisterClient") {
		t.Error("a practical nurse may register clients")
	}
}

func roleOf(t testing.TB, c *catalog.Catalog, code string) *catalog.Role {
	t.Helper()
	role, known := c.Role(code, noon)
	if !known {
		t.Fatalf("the catalog has no role %s", code)
	}
	return role
}

// worstRights is a role of the most rights that a catalog is likely to have, and a document that only the last
// one covers.
func worstRights(t testing.TB) *catalog.Catalog {
	var rights strings.Builder
	for range 20 {
		rights.WriteString("      - {operations: [Read], serviceTasks: [t1, t2], documentTypes: [letter, note]}\n")
	}
	rights.WriteString("      - {operations: [Read], serviceTasks: [t2], documentTypes: [relationship]}\n")
	role := "  - code: worst\n    names: {fi: a, sv: b, en: c}\n    validFrom: \"2025-01-01\"\n    rights:\n" + rights.String()
	return small.with("catalog.yaml", small["catalog.yaml"]+role).load(t)
}

func TestMayAllocatesNothing(t *testing.T) {
	role, tasks := roleOf(t, worstRights(t), "worst"), []string{"t9", "t2"}
	if n := testing.AllocsPerRun(100, func() {
		if !role.May("Read", tasks, "relationship") || role.May("Store", tasks, "relationship") {
			t.Error("decides otherwise")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkUserRight is what the user right adds to a decision: the role is looked up and asked. Budget: 1 µs.
func BenchmarkUserRight(b *testing.B) {
	tasks, moment := []string{"elderly"}, time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		catalog                          *catalog.Catalog
		role, task, operation, documents string
	}{
		"StandIn": {catalog.StandIn(), "practical-nurse", "elderly", "Read", "implementation-plan"},
		"Worst":   {worstRights(b), "worst", "t2", "Read", "relationship"},
	} {
		b.Run(name, func(b *testing.B) {
			tasks[0] = c.task
			b.ReportAllocs()
			for b.Loop() {
				role, known := c.catalog.Role(c.role, moment)
				if !known || !role.May(c.operation, tasks, c.documents) {
					b.Fatal("is not allowed")
				}
			}
		})
	}
}
