// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/testworld"
)

// ahead records a relationship that starts in a while, and waits until the unit is told so. On a busy machine that takes
// longer than the while, and the next one is longer.
func (s *scene) ahead(unit *v1alpha1.ProducerUnit) (c *care, start time.Time) {
	s.t.Helper()
	g := NewWithT(s.t)
	for while := 4 * time.Second; while <= patience; while *= 2 {
		start = time.Now().Add(while).Truncate(time.Second)
		c = s.begun(unit, func(r *v1alpha1.ServiceRelationship) { r.Spec.Start = *instant(start) })
		c.caller = s.caller(s.archive, s.UnitSecret(unit))
		var told string
		g.Eventually(func() string { told = c.access(); return told }).Should(BeElementOf("relationship-not-started", allowed))
		if told != allowed {
			return c, start
		}
		g.Expect(time.Now()).To(BeTemporally(">=", start), "access before the start")
	}
	s.t.Fatal("no relationship is ahead")
	return nil, start
}

// TestTheLifeOfARight: a relationship makes its grant, waits for its start, and serves until its end.
func TestTheLifeOfARight(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	c, start := s.ahead(s.North)
	for time.Now().Before(start) {
		if got := c.access(); time.Now().Before(start) {
			g.Expect(got).To(Equal("relationship-not-started"))
		}
		time.Sleep(20 * time.Millisecond)
	}
	g.Eventually(c.access, soon).Should(Equal(allowed))

	other, err := s.organizer.Store(background, c.document("service-decision", "substance-abuse", "of another task"))
	g.Expect(err).NotTo(HaveOccurred())
	id, err := c.caller.FindClient(background, c.code)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(id).To(Equal(c.id))
	g.Eventually(func() (int, error) {
		page, err := c.caller.Search(background, archiveclient.Query{Client: id})
		return page.Total, err
	}).Should(Equal(2), "the decision and the relationship's own document, not the document of another task")
	g.Expect(c.caller.Read(background, c.decision)).To(MatchJSON(testworld.Body("service-decision", "the decision")))
	_, err = c.caller.Read(background, other)
	g.Expect(reasonOf(err)).To(Equal("task-not-covered"))
	note, err := c.caller.Store(background, c.document("case-note", testworld.Task, "the note"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(s.organizer.Read(background, note)).To(MatchJSON(testworld.Body("case-note", "the note")))
	_, err = c.caller.Store(background, c.document("case-note", "substance-abuse", "of another task"))
	g.Expect(reasonOf(err)).To(Equal("task-not-covered"))

	// The company's other unit has a grant, but nothing to do with this client.
	s.open(s.South, nil)
	south := *c
	south.caller = s.caller(s.archive, s.UnitSecret(s.South))
	g.Expect(south.access()).To(Equal("no-relationship"))

	g.Expect(c.end(time.Now().Add(time.Second))).To(Succeed()) // after the start, whatever the moment
	g.Eventually(c.access, soon).Should(Equal("relationship-ended"))
	g.Eventually(seen(s, c.relationship)).Should(SatisfyAll(
		WithTransform(func(r *v1alpha1.ServiceRelationship) string { return enforced(r) }, Equal(v1alpha1.AppliedReason)),
		HaveField("Status.Access", v1alpha1.AccessEnded)))
}

// TestInvariant1_WhateverEndsEndsAccess takes away, one by one, what a right rests on.
func TestInvariant1_WhateverEndsEndsAccess(t *testing.T) {
	t.Parallel()
	var units map[string]*v1alpha1.ProducerUnit
	var co, main *v1alpha1.Organization
	var system *v1alpha1.ClientSystem
	s := shared.of(t).begin(t, settings{world: func(w *testworld.World) {
		units = addUnits(w, "end", "future-end", "backdated", "delete", "suspend", "agreement", "deleted-grant", "moved", "joiner", "system")
		co, main = joint(w, units["joiner"])
		system = w.CompanySystem.DeepCopy()
		system.Name += "-expiring"
		units["system"].Spec.ClientSystem = v1alpha1.ObjectName(system.Name)
	}})
	g := NewWithT(t)
	test := s.Test()
	test.Name, test.Spec.Systems.Producer = "expiring", v1alpha1.ObjectName(system.Name)
	for _, o := range []client.Object{main, co, system, test} {
		g.Expect(s.Create(background, o)).To(Succeed())
	}
	for _, unit := range units {
		g.Expect(s.Create(background, unit)).To(Succeed())
	}
	agreement := s.grantOf(units["agreement"])
	agreement.Spec = agreed(s, units["agreement"], testworld.Task)
	g.Expect(s.Create(background, agreement)).To(Succeed())
	cares := map[string]*care{}
	for name, unit := range units {
		cares[name] = s.open(unit, nil)
	}
	const later = 2 * time.Second
	for _, one := range []struct {
		unit string
		in   time.Duration // access goes on until then
		end  func(c *care, at time.Time) error
		// until are refusals that may come before, reasons those that come after.
		until, reasons []string
		revoked        bool
	}{
		{unit: "end", reasons: []string{"relationship-ended"}, end: (*care).end},
		{unit: "future-end", in: later, reasons: []string{"relationship-ended"}, end: (*care).end},
		{unit: "backdated", in: -30 * time.Minute, reasons: []string{"relationship-ended"}, end: (*care).end},
		{unit: "delete", reasons: []string{"no-relationship"}, end: func(c *care, _ time.Time) error { return s.Delete(background, c.relationship) }},
		{unit: "suspend", reasons: []string{"grant-suspended"}, revoked: true, end: func(c *care, _ time.Time) error {
			return change(s, s.grantOf(c.unit), suspend)
		}},
		// The relationship still lives, so a new grant is made; what was issued under the old one serves no more.
		{unit: "deleted-grant", reasons: []string{"grant-missing", "grant-not-ready", "credential-not-listed"}, end: func(c *care, _ time.Time) error {
			return s.Delete(background, s.grantOf(c.unit))
		}},
		{unit: "moved", reasons: []string{"unit-unknown"}, revoked: true, end: func(c *care, _ time.Time) error {
			return change(s, s.Company, func(o *v1alpha1.Organization) { o.Spec.UnitOIDs = without(o.Spec.UnitOIDs, c.unit.Spec.OID) })
		}},
		{unit: "joiner", in: later, reasons: []string{"producer-ended", "unit-unknown"}, revoked: true, end: func(_ *care, at time.Time) error {
			return change(s, main, func(o *v1alpha1.Organization) { o.Spec.Joining.EndedAt = instant(at) })
		}},
		{unit: "system", in: later, reasons: []string{"system-not-valid"}, revoked: true, end: func(_ *care, at time.Time) error {
			return change(s, system, func(o *v1alpha1.ClientSystem) { o.Spec.Certificate.ValidUntil = *instant(at) })
		}},
		// A grant that says something new waits for the controller's word.
		{unit: "agreement", in: later, until: []string{"grant-not-ready"}, reasons: []string{"grant-expired"}, revoked: true, end: func(_ *care, at time.Time) error {
			return change(s, agreement, func(o *v1alpha1.RegistryAccessGrant) { o.Spec.Agreement.ValidUntil = instant(at) })
		}},
	} {
		t.Run(one.unit, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			c := cares[one.unit]
			at := time.Now().Add(one.in).Truncate(time.Second)
			g.Expect(one.end(c, at)).To(Succeed())
			for time.Now().Before(at) {
				if got := c.access(); time.Now().Before(at) {
					g.Expect(got).To(BeElementOf(append(one.until, allowed)))
				}
				time.Sleep(20 * time.Millisecond)
			}
			g.Eventually(c.access, soon).Should(BeElementOf(one.reasons))
			g.Consistently(c.access, "300ms").Should(BeElementOf(one.reasons))
			_, err := c.caller.Read(background, c.note)
			g.Expect(err).To(HaveOccurred(), "its own document")
			g.Expect(s.organizer.Read(background, c.note)).NotTo(BeEmpty())
			if one.revoked {
				g.Eventually(func() error { return s.Get(background, s.UnitSecret(c.unit), &corev1.Secret{}) }).
					Should(MatchError(ContainSubstring("not found")))
			}
		})
	}
}

// joint makes a company that has joined through a main joiner, and gives it the unit.
func joint(w *testworld.World, unit *v1alpha1.ProducerUnit) (co, main *v1alpha1.Organization) {
	co, main = w.Company.DeepCopy(), w.Company.DeepCopy()
	main.Name, main.Spec.OID, main.Spec.UnitOIDs = w.Company.Name+"-main", w.OID("30.0"), nil
	co.Name, co.Spec.OID, co.Spec.UnitOIDs = w.Company.Name+"-co", w.OID("40.0"), []v1alpha1.OID{unit.Spec.OID}
	co.Spec.Joining = v1alpha1.Joining{Mode: v1alpha1.JoiningJoint, MainJoiner: main.Spec.OID, JoinedAt: w.Ago(time.Hour)}
	unit.Spec.Organization = co.Spec.OID
	w.Company.Spec.UnitOIDs = without(w.Company.Spec.UnitOIDs, unit.Spec.OID)
	return co, main
}

func without(oids []v1alpha1.OID, gone v1alpha1.OID) (out []v1alpha1.OID) {
	for _, oid := range oids {
		if oid != gone {
			out = append(out, oid)
		}
	}
	return out
}

// TestInvariant6_EitherSideEndsItAlone: a unit that takes its acceptance back, and an organizer that deletes its grant.
func TestInvariant6_EitherSideEndsItAlone(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{world: func(w *testworld.World) {
		// A person's grant, so that none comes back by itself.
		w.Registry.Spec.Policies.AutomaticGrants = v1alpha1.AutomaticGrantsDisabled
	}})
	// Neither without the other: a grant that the unit has not agreed to brings no credential.
	g.Expect(change(s, s.North, func(u *v1alpha1.ProducerUnit) { u.Spec.AcceptFrom = nil })).To(Succeed())
	for _, unit := range []*v1alpha1.ProducerUnit{s.North, s.South} {
		grant := s.grantOf(unit)
		grant.Spec = v1alpha1.RegistryAccessGrantSpec{
			RegistryRef: v1alpha1.RegistryReference{Name: v1alpha1.ObjectName(s.Registry.Name)}, ProducerUnit: unit.Spec.OID, Extent: v1alpha1.ExtentBasic,
		}
		g.Expect(s.Create(background, grant)).To(Succeed())
	}
	south := s.open(s.South, nil)
	g.Eventually(seen(s, s.grantOf(s.North))).Should(HaveField("Status.Conditions", ContainElement(SatisfyAll(
		HaveField("Type", v1alpha1.ReadyCondition), HaveField("Reason", "NotAcceptedByUnit")))))
	g.Expect(s.Get(background, s.UnitSecret(s.North), &corev1.Secret{})).To(MatchError(ContainSubstring("not found")))

	g.Expect(change(s, s.North, func(u *v1alpha1.ProducerUnit) { u.Spec.AcceptFrom = []v1alpha1.OID{s.Area.Spec.OID} })).To(Succeed())
	north := s.open(s.North, nil)
	g.Expect(change(s, s.North, func(u *v1alpha1.ProducerUnit) { u.Spec.AcceptFrom = nil })).To(Succeed())
	g.Eventually(north.access, soon).Should(Equal("unit-withdrawn"))
	g.Expect(s.Delete(background, s.grantOf(s.South))).To(Succeed())
	g.Eventually(south.access, soon).Should(Equal("grant-missing"))
	for _, unit := range []*v1alpha1.ProducerUnit{s.North, s.South} {
		g.Eventually(func() error { return s.Get(background, s.UnitSecret(unit), &corev1.Secret{}) }).
			Should(MatchError(ContainSubstring("not found")))
	}
}
