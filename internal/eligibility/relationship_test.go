// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import (
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

type relationshipCase struct {
	name   string
	change func(in *RelationshipInput)
	want   string
	says   []string
}

// other adds an accepted, older relationship like the fixture, changed.
func other(change func(o, self *Relationship)) func(in *RelationshipInput) {
	return func(in *RelationshipInput) {
		o := relationshipFixture("pirha/r0")
		o.Accepted, o.Created = true, day(-2)
		change(&o, &in.Relationship)
		in.Others = append(in.Others, o)
	}
}

var relationshipCases = []relationshipCase{
	{"nothing changed", func(*RelationshipInput) {}, "", nil},
	{"no registry", func(in *RelationshipInput) { in.Registry = nil }, ReasonRegistryNotFound, []string{"Registry social"}},
	{"registry not accepted", func(in *RelationshipInput) { in.Registry.Accepted = false }, ReasonRegistryNotAccepted, []string{"pirha/social"}},
	{"end before start", func(in *RelationshipInput) { in.Relationship.End = day(9) }, ReasonEndBeforeStart, []string{"2026-09-10T12:00:00Z", "2026-09-11T12:00:00Z"}},
	{"end at start", func(in *RelationshipInput) { in.Relationship.End = day(10) }, "", nil},
	{"no end", func(in *RelationshipInput) { in.Relationship.End = time.Time{} }, "", nil},
	{"unit unknown", func(in *RelationshipInput) { in.Unit = nil }, ReasonUnitUnknown, []string{unitOID, "overnight"}},
	{"unit contested", func(in *RelationshipInput) { in.Unit.Accepted = false; in.Unit.Detail = "koivu/other has the OID." },
		ReasonUnitNotAccepted, []string{"koivu/home", "koivu/other has the OID."}},
	{"unit out of reach", func(in *RelationshipInput) { in.Unit.NotManaged = true }, ReasonUnitNotManaged, []string{"koivu/home", "platform"}},
	{"unit not registered for one of the tasks", func(in *RelationshipInput) {
		in.Relationship.ServiceTasks = []string{"home-care", "shelter"}
	}, ReasonTaskNotRegistered, []string{"tasks: shelter.", unitOID}},
	{"task not bought", func(in *RelationshipInput) { in.Relationship.ServiceTasks = []string{"home-care", "housing"} },
		ReasonTaskNotBought, []string{"tasks: housing.", "D/1/2026", "pirha/home"}},
	{"agreement lists no tasks", func(in *RelationshipInput) {
		in.Relationship.ServiceTasks = []string{"housing"}
		in.Grant.Agreement = &Agreement{}
	}, "", nil},
	{"grant without agreement", func(in *RelationshipInput) {
		in.Relationship.ServiceTasks = []string{"housing"}
		in.Grant.Agreement = nil
	}, "", nil},

	{"overlap", other(func(*Relationship, *Relationship) {}), ReasonOverlap, []string{"pirha/r0", unitOID}},
	{"overlap of open ends", other(func(o, r *Relationship) { o.End, r.End = time.Time{}, time.Time{} }), ReasonOverlap, nil},
	{"overlap by an instant", other(func(o, _ *Relationship) { o.Start, o.End = day(20).Add(-1), time.Time{} }), ReasonOverlap, nil},
	{"overlap by one of two tasks", other(func(o, _ *Relationship) { o.ServiceTasks = []string{"housing", "home-care"} }), ReasonOverlap, nil},
	{"follows without a gap", other(func(o, _ *Relationship) { o.Start, o.End = day(1), day(10) }), "", nil},
	{"precedes without a gap", other(func(o, _ *Relationship) { o.Start, o.End = day(20), time.Time{} }), "", nil},
	{"another task", other(func(o, _ *Relationship) { o.ServiceTasks = []string{"housing"} }), "", nil},
	{"another client", other(func(o, _ *Relationship) { o.ClientID = "c-000000" }), "", nil},
	{"another unit", other(func(o, _ *Relationship) { o.UnitOID = "1.2.9" }), "", nil},
	{"the other is not accepted", other(func(o, _ *Relationship) { o.Accepted = false }), "", nil},
	{"the other was accepted first though younger", other(func(o, _ *Relationship) { o.Created = now }), ReasonOverlap, nil},
	{"both accepted, the older stays", other(func(o, r *Relationship) { r.Accepted, o.Created = true, now }), "", nil},
	{"both accepted, the younger goes", other(func(_, r *Relationship) { r.Accepted = true }), ReasonOverlap, nil},
	{"both accepted, same second, by name", other(func(o, r *Relationship) { r.Accepted, o.Created = true, r.Created }), ReasonOverlap, nil},
	{"does not overlap with itself", func(in *RelationshipInput) { in.Others[0].Accepted = true }, "", nil},

	{"no grant, automatic", func(in *RelationshipInput) { in.Grant = nil }, "", nil},
	{"no grant, not automatic", func(in *RelationshipInput) { in.Grant, in.Registry.AutomaticGrants = nil, false }, ReasonGrantMissing, []string{unitOID, "pirha/social"}},
	{"a grant, not automatic", func(in *RelationshipInput) { in.Registry.AutomaticGrants = false }, "", nil},
}

func TestRelationshipChain(t *testing.T) {
	for _, c := range relationshipCases {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			in := acceptable()
			c.change(in)
			v := EvaluateRelationship(in)
			want := c.want
			if want == "" {
				want = ReasonAccepted
			}
			g.Expect(v.Reason).To(Equal(want), v.Message)
			g.Expect(v.OK).To(Equal(c.want == ""))
			g.Expect(v.RecheckAt).To(BeZero())
			g.Expect(v.Message).NotTo(ContainSubstring(in.Relationship.ClientID))
			for _, s := range c.says {
				g.Expect(v.Message).To(ContainSubstring(s))
			}
		})
	}
}

func TestOverlapNamesTheOldestWhateverTheOrder(t *testing.T) {
	g := NewWithT(t)
	in := acceptable()
	for i, name := range []string{"pirha/b", "pirha/a", "pirha/c"} {
		o := relationshipFixture(name)
		o.Accepted, o.Created = true, day(-3+i/2)
		in.Others = append(in.Others, o)
	}
	first := EvaluateRelationship(in)
	g.Expect(first.Message).To(ContainSubstring("pirha/a"))
	slices.Reverse(in.Others)
	g.Expect(EvaluateRelationship(in)).To(Equal(first))
}

func TestEachRelationshipCheckMatters(t *testing.T) {
	for i, name := range names(relationshipChain) {
		mutant := drop(relationshipChain, i)
		var killedBy string
		for _, c := range relationshipCases {
			in := acceptable()
			c.change(in)
			if want := reasonOf(relationshipChain, in); reasonOf(mutant, in) != want {
				killedBy = c.name
				break
			}
		}
		if killedBy == "" {
			t.Errorf("no case notices that %s is gone", name)
		}
		t.Logf("without %-28s fails: %s", name, killedBy)
	}
}
