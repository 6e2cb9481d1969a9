// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package eligibility

import (
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
)

// mostly draws true far more often than not, so that chains get past their first
// checks. Rapid prefers small numbers, so the odd one out is not small.
func mostly(t *rapid.T, label string) bool {
	return rapid.IntRange(0, 24).Draw(t, label) != 17
}

// aTime draws open, past, present or future; mostly what suits the field.
func aTime(t *rapid.T, label string, usual ...time.Time) time.Time {
	if mostly(t, label+" usual") {
		return rapid.SampledFrom(usual).Draw(t, label)
	}
	return rapid.SampledFrom([]time.Time{{}, day(-2), day(-1), now, day(1), day(2)}).Draw(t, label)
}

func anOrganization(t *rapid.T, oid string) *Organization {
	if !mostly(t, oid+" exists") {
		return nil
	}
	return &Organization{
		OID:        oid,
		Joined:     aTime(t, oid+" joined", day(-9), day(-8), now),
		Ended:      aTime(t, oid+" ended", time.Time{}, day(1), day(2), day(5)),
		Social:     mostly(t, oid+" social"),
		Health:     rapid.Bool().Draw(t, oid+" health"),
		Joint:      !mostly(t, oid+" direct"),
		MainJoiner: mainOID,
	}
}

func aSystem(t *rapid.T, name string) *ClientSystem {
	if !mostly(t, name+" exists") {
		return nil
	}
	s := &ClientSystem{
		Name: name, Version: "1.0",
		Class:      "A2",
		ValidFrom:  aTime(t, name+" from", time.Time{}, day(-7)),
		ValidUntil: aTime(t, name+" until", time.Time{}, day(1), day(3), day(6)),
		Formats:    []string{"JSON", "XHTML"},
	}
	if !mostly(t, name+" class") {
		s.Class = rapid.SampledFrom([]string{"", "B", "A3"}).Draw(t, name+" class")
	}
	if mostly(t, name+" access") {
		s.Features = append(s.Features, FeatureRegisterAccess)
	}
	if mostly(t, name+" extended") {
		s.Features = append(s.Features, FeatureExtended)
	}
	if !mostly(t, name+" formats") {
		s.Formats = rapid.SampledFrom([][]string{nil, {"JSON"}, {"XHTML"}}).Draw(t, name+" formats")
	}
	return s
}

func someTasks(t *rapid.T, label string) []string {
	return rapid.SliceOfDistinct(rapid.SampledFrom([]string{"home-care", "housing", "meals"}), rapid.ID[string]).Draw(t, label)
}

func aGrantInput(t *rapid.T) *GrantInput {
	in := &GrantInput{
		Now:             now,
		Grant:           Grant{Name: "a/g", Registry: "r", UnitOID: unitOID, Suspended: !mostly(t, "not suspended")},
		Organizer:       anOrganization(t, organizerOID),
		OrganizerMain:   anOrganization(t, "1.1"),
		OrganizerSystem: aSystem(t, "organizer-cis"),
		Producer:        anOrganization(t, producerOID),
		ProducerMain:    anOrganization(t, "1.2"),
		ProducerSystem:  aSystem(t, rapid.SampledFrom([]string{"producer-cis", "organizer-cis"}).Draw(t, "producer system")),
	}
	in.Grant.Extent = rapid.SampledFrom([]Extent{ExtentBasic, ExtentExtended}).Draw(t, "extent")
	if rapid.Bool().Draw(t, "agreement") {
		in.Grant.Agreement = &Agreement{
			Reference:  "D/1",
			ValidFrom:  aTime(t, "agreement from", time.Time{}, day(-6), now),
			ValidUntil: aTime(t, "agreement until", time.Time{}, day(1), day(4)),
		}
		in.Grant.Agreement.Sectors = rapid.SampledFrom([][]string{nil, {"Social"}, {"Social", "Health"}, {"Health"}}).Draw(t, "sectors")
		if rapid.Bool().Draw(t, "agreement lists tasks") {
			in.Grant.Agreement.Tasks = someTasks(t, "bought")
		}
	}
	if !mostly(t, "no older grant") {
		in.OlderGrant = "a/older"
	}
	if mostly(t, "registry exists") {
		in.Registry = &Registry{
			Name: "a/r", OID: registryOID, OrganizationOID: organizerOID, ClientSystem: "organizer-cis", Accepted: mostly(t, "registry accepted"),
			DeploymentTest: rapid.SampledFrom([]TestPolicy{TestEnforce, TestReport, ""}).Draw(t, "policy"),
			TestProof:      rapid.SampledFrom([]TestProof{ProofTested, ProofReported, "", "x"}).Draw(t, "proof"),
			SimulatedTests: rapid.SampledFrom([]SimulatedTests{SimulatedAccepted, SimulatedAccepted, "Refused", ""}).Draw(t, "simulated tests"),
			Retest:         rapid.SampledFrom([]Retest{RetestNone, "", RetestMajor, RetestAny, "x"}).Draw(t, "retest"),
		}
		if !mostly(t, "an ordinary registry") || !mostly(t, "an ordinary one indeed") {
			in.Registry.Trial = &Trial{
				Name: "a/t", RegistryOID: "1.9", UnitOID: unitOID, Simulated: rapid.Bool().Draw(t, "simulated"),
				StartsAt: aTime(t, "trial starts", day(-1), now), ClosesAt: aTime(t, "trial closes", day(1), day(2)),
			}
			in.Grant.OfTrial = mostly(t, "the trial's grant")
		}
	}
	if mostly(t, "unit exists") {
		in.Unit = &Unit{Name: "b/u", OID: unitOID, OrganizationOID: producerOID, ClientSystem: "producer-cis", Accepted: mostly(t, "unit accepted"), ServiceTasks: []string{"home-care"}}
		if mostly(t, "accepts") {
			in.Unit.AcceptFrom = []string{organizerOID}
		}
		if r := in.Registry; r != nil && r.Trial != nil && mostly(t, "accepts the time") {
			in.Unit.AcceptTests = []AcceptedTest{{RegistryOID: "1.9", TestRegistryOID: r.OID, StartsAt: r.Trial.StartsAt, ClosesAt: r.Trial.ClosesAt}}
			switch a := &in.Unit.AcceptTests[0]; rapid.IntRange(0, 15).Draw(t, "accepts another") {
			case 0:
				a.TestRegistryOID = "another"
			case 1:
				a.ClosesAt = a.ClosesAt.Add(-time.Second)
			case 2:
				a.ClosesAt = a.ClosesAt.Add(time.Second)
			}
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "tests") {
		in.Tests = append(in.Tests, DeploymentTest{
			OrganizerSystem: rapid.SampledFrom([]string{"organizer-cis", "organizer-cis", "x"}).Draw(t, "test organizer"),
			ProducerSystem:  rapid.SampledFrom([]string{"producer-cis", "organizer-cis"}).Draw(t, "test producer"),
			PassedAt:        aTime(t, "passed", day(-3), now),
			ReportedAt:      aTime(t, "reported", day(-2), now, time.Time{}),
			Simulated:       rapid.Bool().Draw(t, "test simulated"),
			Name:            rapid.SampledFrom([]string{"a/t1", "a/t2"}).Draw(t, "test name"),
			Failed:          rapid.Bool().Draw(t, "test failed"), OpensAt: aTime(t, "opens", time.Time{}, day(1)),
			OrganizerVersion: rapid.SampledFrom([]string{"1.0", "1.1", "2.0", ""}).Draw(t, "organizer's tested version"),
			ProducerVersion:  rapid.SampledFrom([]string{"1.0", "1.0", "1.0", "2.0"}).Draw(t, "producer's tested version"),
		})
	}
	return in
}

// naive says of each prerequisite, by itself and in any order, whether it holds.
// It shares no code with the chain.
func naive(in *GrantInput) map[string]bool {
	n := in.Now
	inForce := func(from, until time.Time) bool {
		return (from.IsZero() || from.Compare(n) <= 0) && (until.IsZero() || n.Compare(until) < 0)
	}
	begun := func(o *Organization) bool { return o != nil && !o.Joined.IsZero() && o.Joined.Compare(n) <= 0 }
	over := func(o *Organization) bool {
		return begun(o) && !o.Ended.IsZero() && o.Ended.Compare(n) <= 0
	}
	stands := func(o, m *Organization) bool {
		return o != nil && (!o.Joint || (m != nil && !m.Joint && begun(m) && !over(m)))
	}
	has := func(s *ClientSystem, f string) bool { return s != nil && slices.Index(s.Features, f) >= 0 }
	featured := func(s *ClientSystem) bool {
		return has(s, "RegisterAccess") && (in.Grant.Extent != "Extended" || has(s, "ExtendedRegisterAccess"))
	}
	certified := func(s *ClientSystem) bool {
		return s != nil && s.Class != "" && s.Class[0] == 'A' && (s.ValidFrom.IsZero() || s.ValidFrom.Compare(n) <= 0)
	}
	fresh := func(s *ClientSystem) bool {
		return !certified(s) || s.ValidUntil.IsZero() || s.ValidUntil.Compare(n) > 0
	}
	common := 0
	if in.OrganizerSystem != nil && in.ProducerSystem != nil {
		for _, a := range in.OrganizerSystem.Formats {
			for _, b := range in.ProducerSystem.Formats {
				if a == b {
					common++
				}
			}
		}
	}
	a := in.Grant.Agreement
	registered := a == nil || len(a.Tasks) == 0 || (in.Unit != nil && slices.Contains(a.Tasks, "home-care"))
	trial := in.Registry != nil && in.Registry.Trial != nil
	tested := in.Registry != nil && (in.Registry.DeploymentTest == "Report" || trial)
	asTested := func(version string) bool { // the present version of both is 1.0
		switch in.Registry.Retest {
		case "", "None":
			return true
		case "Major":
			return version == "1.0" || version == "1.1"
		}
		return version == "1.0"
	}
	for _, d := range in.Tests {
		if in.OrganizerSystem != nil && in.ProducerSystem != nil && !d.PassedAt.IsZero() && d.PassedAt.Compare(n) <= 0 &&
			d.OrganizerSystem+"/"+d.ProducerSystem == in.OrganizerSystem.Name+"/"+in.ProducerSystem.Name && in.Registry != nil {
			reported := !d.ReportedAt.IsZero() && d.ReportedAt.Compare(n) <= 0
			proven := reported || in.Registry.TestProof == "" || in.Registry.TestProof == "Tested"
			tested = tested || proven && asTested(d.OrganizerVersion) && asTested(d.ProducerVersion) && (!d.Simulated || in.Registry.SimulatedTests == "Accepted")
		}
	}
	return map[string]bool{
		"Suspended":                   !in.Grant.Suspended,
		"RegistryNotFound":            in.Registry != nil,
		"RegistryNotAccepted":         in.Registry != nil && in.Registry.Accepted,
		"GrantConflict":               in.OlderGrant == "",
		"OrganizerNotJoined":          begun(in.Organizer),
		"OrganizerEnded":              !over(in.Organizer),
		"OrganizerNotRegistered":      in.Organizer != nil && in.Organizer.Social,
		"UnitUnknown":                 in.Unit != nil,
		"UnitNotAccepted":             in.Unit != nil && in.Unit.Accepted,
		"ProducerNotJoined":           begun(in.Producer),
		"ProducerEnded":               !over(in.Producer),
		"MainJoinerNotStanding":       stands(in.Organizer, in.OrganizerMain) && stands(in.Producer, in.ProducerMain),
		"ProducerNotRegistered":       in.Producer != nil && in.Producer.Social,
		"OrganizerSystemUnknown":      in.OrganizerSystem != nil,
		"ProducerSystemUnknown":       in.ProducerSystem != nil,
		"OrganizerSystemNotCertified": certified(in.OrganizerSystem),
		"ProducerSystemNotCertified":  certified(in.ProducerSystem),
		"OrganizerSystemExpired":      fresh(in.OrganizerSystem),
		"ProducerSystemExpired":       fresh(in.ProducerSystem),
		"OrganizerSystemLacksFeature": featured(in.OrganizerSystem),
		"ProducerSystemLacksFeature":  featured(in.ProducerSystem),
		"FormatsIncompatible":         common > 0,
		"TaskNotRegistered":           registered,
		"SocialCareNotBought":         a == nil || len(a.Sectors) == 0 || slices.Contains(a.Sectors, "Social"),
		"AgreementNotYetValid":        a == nil || a.ValidFrom.IsZero() || a.ValidFrom.Compare(n) <= 0,
		"AgreementExpired":            a == nil || inForce(time.Time{}, a.ValidUntil) || a.ValidFrom.Compare(n) > 0,
		"DeploymentTestMissing":       tested,
		"NotOfTest":                   !trial || in.Grant.OfTrial,
		"TestNotOpen":                 !trial || in.Registry.Trial.StartsAt.Compare(n) <= 0,
		"TestClosed":                  !trial || inForce(time.Time{}, in.Registry.Trial.ClosesAt) || in.Registry.Trial.StartsAt.Compare(n) > 0,
		"NotAcceptedByUnit": in.Unit != nil && (!trial && len(in.Unit.AcceptFrom) == 1 || trial && (in.Registry.Trial.Simulated || slices.ContainsFunc(in.Unit.AcceptTests, func(a AcceptedTest) bool {
			return a.TestRegistryOID == in.Registry.OID && a.ClosesAt.Compare(in.Registry.Trial.ClosesAt) >= 0
		}))),
	}
}

func TestGrantAgreesWithNaivePredicates(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		in := aGrantInput(t)
		v := EvaluateGrant(in)
		each := naive(in)
		all := true
		for _, held := range each {
			all = all && held
		}
		g.Expect(v.OK).To(Equal(all), "%s: %s", v.Reason, v.Message)
		if !v.OK {
			held, known := each[v.Reason]
			g.Expect(known).To(BeTrue(), "reason %s has a predicate", v.Reason)
			g.Expect(held).To(BeFalse(), "reason %s is what is missing", v.Reason)
		}
		seen[v.Reason]++
	})
	t.Logf("verdicts drawn: %v", seen)
}

// at evaluates the same facts at another instant.
func at(in *GrantInput, instant time.Time) Verdict {
	other := *in
	other.Now = instant
	return EvaluateGrant(&other)
}

func TestGrantRecheckIsSoundAndTight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		in := aGrantInput(t)
		v := EvaluateGrant(in)
		horizon := v.RecheckAt
		if horizon.IsZero() {
			horizon = day(10000)
		}
		g.Expect(horizon.After(now)).To(BeTrue())
		for range 5 {
			ahead := rapid.Int64Range(0, int64(horizon.Sub(now))-1).Draw(t, "ahead")
			g.Expect(at(in, now.Add(time.Duration(ahead)))).To(Equal(v), "nothing changes before RecheckAt")
		}
		g.Expect(at(in, horizon.Add(-1))).To(Equal(v))
		if !v.RecheckAt.IsZero() {
			turned := at(in, v.RecheckAt)
			turned.RecheckAt, turned.ValidFrom, turned.ValidUntil = v.RecheckAt, v.ValidFrom, v.ValidUntil
			g.Expect(turned).NotTo(Equal(v), "something does change at RecheckAt")
		}
		if v.OK && !v.ValidUntil.IsZero() {
			g.Expect(at(in, v.ValidUntil).OK).To(BeFalse(), "ValidUntil is the first instant outside")
		}
		if v.OK && !v.ValidFrom.IsZero() {
			g.Expect(at(in, v.ValidFrom).OK).To(BeTrue(), "ValidFrom is the first instant inside")
			g.Expect(at(in, v.ValidFrom.Add(-1)).OK).To(BeFalse())
		}
	})
}

// A message may hold instants that the objects hold, and nothing that moves with
// the clock: the same reason for the same facts always reads the same.
func TestMessagesDoNotMoveWithTheClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		in := aGrantInput(t)
		v := EvaluateGrant(in)
		later := at(in, now.Add(time.Duration(rapid.Int64Range(1, int64(240*time.Hour)).Draw(t, "later"))))
		if later.Reason == v.Reason && v.Reason != ReasonMainJoinerNotStanding {
			g.Expect(later.Message).To(Equal(v.Message))
		}
		for _, text := range []string{v.Message, v.Warning} {
			if text != "" {
				g.Expect(text).To(HaveSuffix("."))
				g.Expect(text).NotTo(ContainSubstring("%!"), "formatting went wrong")
			}
		}
		for _, word := range []string{" ago", "since more", " in 1", "seconds"} {
			g.Expect(strings.Contains(v.Message, word)).To(BeFalse())
		}
	})
}

func TestRelationshipAgreesWithNaivePredicate(t *testing.T) {
	aRelationship := func(t *rapid.T, name string) Relationship {
		start := rapid.IntRange(0, 5).Draw(t, name+" start")
		r := Relationship{
			Name: name, Created: day(-rapid.IntRange(0, 2).Draw(t, name+" age")), Accepted: rapid.Bool().Draw(t, name+" accepted"),
			UnitOID: unitOID, ClientID: rapid.SampledFrom([]string{"c1", "c2"}).Draw(t, name+" client"),
			ServiceTasks: []string{rapid.SampledFrom([]string{"home-care", "home-care", "housing", "meals"}).Draw(t, name+" task")}, Start: day(start),
		}
		if rapid.Bool().Draw(t, name+" ends") {
			r.End = day(rapid.IntRange(0, 8).Draw(t, name+" end"))
		}
		return r
	}
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		in := acceptable()
		in.Relationship = aRelationship(t, "self")
		in.Others = []Relationship{aRelationship(t, "a"), aRelationship(t, "z")}
		in.Registry.AutomaticGrants = rapid.Bool().Draw(t, "automatic")
		if rapid.Bool().Draw(t, "no grant") {
			in.Grant = nil
		} else if rapid.Bool().Draw(t, "no listed tasks") {
			in.Grant.Agreement = nil
		}
		r := in.Relationship
		ok := r.ServiceTasks[0] != "meals" && (in.Grant != nil || in.Registry.AutomaticGrants) &&
			(in.Grant == nil || in.Grant.Agreement == nil || r.ServiceTasks[0] == "home-care") &&
			(r.End.IsZero() || r.End.Compare(r.Start) >= 0)
		for _, o := range in.Others {
			first := o.Accepted && !r.Accepted ||
				o.Accepted && (o.Created.Compare(r.Created) < 0 || o.Created.Equal(r.Created) && o.Name < r.Name)
			// Day by day: all fixtures start and end on whole days.
			for d := 0; d < 12; d++ {
				covers := func(x Relationship) bool {
					return x.Start.Compare(day(d)) <= 0 && (x.End.IsZero() || day(d).Before(x.End))
				}
				if first && o.ClientID == r.ClientID && o.ServiceTasks[0] == r.ServiceTasks[0] && covers(o) && covers(r) {
					ok = false
				}
			}
		}
		g.Expect(EvaluateRelationship(in).OK).To(Equal(ok))
	})
}

func TestTwoOverlappingRelationshipsNeverBothStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		both := []Relationship{relationshipFixture("pirha/a"), relationshipFixture("pirha/b")}
		for i := range both {
			both[i].Accepted = rapid.Bool().Draw(t, "accepted")
			both[i].Created = day(-rapid.IntRange(0, 1).Draw(t, "age"))
		}
		for range 4 { // each looks at the other in any order, more than once
			i := rapid.IntRange(0, 1).Draw(t, "who")
			for _, j := range []int{i, 1 - i} {
				in := acceptable()
				in.Relationship, in.Others = both[j], slices.Clone(both)
				both[j].Accepted = EvaluateRelationship(in).OK
			}
		}
		g.Expect(both[0].Accepted != both[1].Accepted).To(BeTrue(), "exactly one stays")
	})
}
