// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"

	public "github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/deploymenttest/play"
	"github.com/valtuus/valtuus/internal/testworld"
)

// TestInvariant2_EndingNeedsNoController ends access in every way there is, with every controller stopped.
func TestInvariant2_EndingNeedsNoController(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	c := disturbed.toItself(t)
	var units map[string]*v1alpha1.ProducerUnit
	var company *v1alpha1.Organization
	s := c.begin(t, settings{world: func(w *testworld.World) {
		units = addUnits(w, "end", "future-end", "delete", "suspend", "delete-grant", "withdraw", "delete-unit", "end-company", "delete-company", "end-agreement")
		company = ownCompany(w, units["delete-company"], "50.0")
	}})
	ending := ownCompany(s.World, units["end-company"], "60.0")
	g.Expect(s.Create(background, company)).To(Succeed())
	g.Expect(s.Create(background, ending)).To(Succeed())
	cares := map[string]*care{}
	for name, unit := range units {
		g.Expect(s.Create(background, unit)).To(Succeed())
		if name == "end-agreement" {
			grant := s.grantOf(unit)
			grant.Spec = agreed(s, unit, testworld.Task)
			g.Expect(s.Create(background, grant)).To(Succeed())
		}
	}
	for name, unit := range units {
		cares[name] = s.open(unit, nil)
	}
	registry := c.begin(t, settings{})
	last := registry.open(registry.North, nil)
	deleted, canceled := s.trial("deleted"), registry.trial("canceled")
	byDeleted, _ := deleted.parties(s.archive.Endpoint) // once they have their credentials
	byCanceled, _ := canceled.parties(registry.archive.Endpoint)
	g.Expect(c.withoutManager()).To(Succeed())

	for name, one := range map[string]struct {
		trial     *trial
		organizer *play.Party
		end       func(*trial) error
	}{
		"delete-test": {deleted, byDeleted, func(d *trial) error { return s.Delete(background, d.test) }},
		"cancel-test": {canceled, byCanceled, func(d *trial) error {
			return change(d.s, d.test, func(o *v1alpha1.DeploymentTest) { o.Spec.Cancellation = &v1alpha1.TestCancellation{Reason: "a flood"} })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			access := func() string {
				_, err := one.organizer.Archive.RegisterClient(background, one.organizer.Code)
				return public.ReasonOf(err)
			}
			g.Eventually(access).Should(BeEmpty())
			g.Expect(one.end(one.trial)).To(Succeed())
			g.Eventually(access, soon).WithPolling(time.Millisecond).Should(Equal("deployment-test-over"))
			g.Expect(one.trial.now().Status.Window.ClosedAt).To(BeNil(), "no controller has closed it")
		})
	}
	grant := func(c *care, edit func(*v1alpha1.RegistryAccessGrant)) error {
		return change(c.s, c.s.grantOf(c.unit), edit)
	}
	in := time.Now().Add(2 * time.Second).Truncate(time.Second)
	for _, one := range []struct {
		unit, reason string
		end          func(*care) error
	}{
		{"end", "relationship-ended", func(c *care) error { return c.end(time.Now()) }},
		{"future-end", "relationship-ended", func(c *care) error { return c.end(in) }},
		{"delete", "no-relationship", func(c *care) error { return s.Delete(background, c.relationship) }},
		{"suspend", "grant-suspended", func(c *care) error {
			return grant(c, func(o *v1alpha1.RegistryAccessGrant) { o.Spec.Suspend = ptr.To(true) })
		}},
		{"end-agreement", "grant-expired", func(c *care) error {
			return grant(c, func(o *v1alpha1.RegistryAccessGrant) { o.Spec.Agreement.ValidUntil = instant(time.Now()) })
		}},
		{"delete-grant", "grant-missing", func(c *care) error { return s.Delete(background, s.grantOf(c.unit)) }},
		{"withdraw", "unit-withdrawn", func(c *care) error {
			return change(s, c.unit, func(o *v1alpha1.ProducerUnit) { o.Spec.AcceptFrom = nil })
		}},
		{"delete-unit", "unit-unknown", func(c *care) error { return s.Delete(background, c.unit) }},
		{"end-company", "producer-ended", func(*care) error {
			return change(s, ending, func(o *v1alpha1.Organization) { o.Spec.Joining.EndedAt = instant(time.Now()) })
		}},
		{"delete-company", "producer-ended", func(*care) error { return s.Delete(background, company) }},
		{"registry", "registry-unknown", func(*care) error { return registry.Delete(background, registry.Registry) }},
	} {
		t.Run(one.unit, func(t *testing.T) {
			g := NewWithT(t)
			c := cares[one.unit]
			if one.unit == "registry" {
				c = last
			}
			g.Expect(c.access()).To(Equal(allowed))
			g.Expect(one.end(c)).To(Succeed())
			began := time.Now()
			g.Eventually(c.access, soon).WithPolling(time.Millisecond).Should(Equal(one.reason))
			t.Logf("%s after %s", one.reason, time.Since(began).Round(time.Millisecond))
			_, err := c.caller.Read(background, c.note)
			g.Expect(err).To(HaveOccurred(), "its own document")
		})
	}
}

// ownCompany gives a unit a company of its own.
func ownCompany(w *testworld.World, unit *v1alpha1.ProducerUnit, suffix string) *v1alpha1.Organization {
	company := w.Company.DeepCopy()
	company.ResourceVersion, company.UID = "", ""
	company.Name, company.Spec.OID, company.Spec.UnitOIDs = w.Company.Name+"-"+suffix, w.OID(suffix), []v1alpha1.OID{unit.Spec.OID}
	unit.Spec.Organization = company.Spec.OID
	return company
}

// agreed is a grant under an agreement about service tasks.
func agreed(s *scene, unit *v1alpha1.ProducerUnit, tasks ...v1alpha1.ServiceTaskCode) v1alpha1.RegistryAccessGrantSpec {
	return v1alpha1.RegistryAccessGrantSpec{
		RegistryRef: v1alpha1.RegistryReference{Name: v1alpha1.ObjectName(s.Registry.Name)}, ProducerUnit: unit.Spec.OID,
		Extent: v1alpha1.ExtentBasic, Agreement: &v1alpha1.Agreement{Reference: "agreement 7", ValidFrom: s.Ago(time.Hour), ServiceTasks: tasks},
	}
}

// TestInvariant2_GrantingTakesTheControllersWord: what would open access opens nothing while the controllers are
// stopped, and opens when they are back.
func TestInvariant2_GrantingTakesTheControllersWord(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	c := disturbed.toItself(t)
	var units map[string]*v1alpha1.ProducerUnit
	s := c.begin(t, settings{world: func(w *testworld.World) {
		units = addUnits(w, "later-end", "unsuspended", "task", "accepting")
		units["accepting"].Spec.AcceptFrom = nil
	}})
	for _, unit := range units {
		g.Expect(s.Create(background, unit)).To(Succeed())
	}
	later := s.open(units["later-end"], nil)
	north := s.open(s.North, nil)
	unsuspended := s.open(units["unsuspended"], nil)
	g.Expect(change(s, s.grantOf(unsuspended.unit), func(o *v1alpha1.RegistryAccessGrant) { o.Spec.Suspend = ptr.To(true) })).To(Succeed())
	g.Eventually(unsuspended.access, soon).Should(Equal("grant-suspended"))
	g.Eventually(func() []v1alpha1.Credential { return s.ledger(unsuspended.unit) }).Should(BeEmpty())
	g.Eventually(func() error { return s.Get(background, s.UnitSecret(unsuspended.unit), &corev1.Secret{}) }).
		Should(MatchError(apierrors.IsNotFound, "IsNotFound"))
	grant := s.grantOf(units["task"])
	grant.Spec = agreed(s, units["task"], testworld.Task)
	g.Expect(s.Create(background, grant)).To(Succeed())
	s.open(units["task"], nil)
	families := s.begun(units["task"], func(r *v1alpha1.ServiceRelationship) { r.Spec.ServiceTasks = []v1alpha1.ServiceTaskCode{"families"} })
	families.caller = s.caller(s.archive, s.UnitSecret(units["task"]))
	accepting := s.begun(units["accepting"], nil)
	g.Eventually(seen(s, families.relationship)).Should(HaveField("Status.Access", v1alpha1.AccessRefused), "not what was agreed")
	g.Eventually(families.search).Should(Equal("relationship-not-accepted"))
	end := time.Now().Add(10 * time.Second).Truncate(time.Second)
	g.Expect(later.end(end)).To(Succeed())
	g.Eventually(seen(s, later.relationship)).Should(HaveField("Status.AcceptedEnd", HaveField("Time", BeTemporally("==", end))))
	// A start that the controllers have accepted comes without them.
	starting, _ := s.ahead(s.North)
	g.Expect(c.withoutManager()).To(Succeed())

	fresh := s.begun(s.North, nil)
	fresh.caller = north.caller
	g.Expect(change(s, s.grantOf(unsuspended.unit), func(o *v1alpha1.RegistryAccessGrant) { o.Spec.Suspend = nil })).To(Succeed())
	g.Expect(change(s, s.grantOf(units["task"]), func(o *v1alpha1.RegistryAccessGrant) {
		o.Spec.Agreement.ServiceTasks = []v1alpha1.ServiceTaskCode{testworld.Task, "families"}
	})).To(Succeed())
	g.Expect(change(s, units["accepting"], func(o *v1alpha1.ProducerUnit) { o.Spec.AcceptFrom = []v1alpha1.OID{s.Area.Spec.OID} })).To(Succeed())
	g.Expect(later.end(end.Add(time.Hour))).To(Succeed())
	g.Eventually(starting.access).Should(Equal(allowed), "its start was accepted")
	g.Eventually(later.access).Should(Equal("relationship-ended"), "the end that was accepted holds")
	opened := func() []string {
		return []string{fresh.access(), unsuspended.access(), families.search(), later.access()}
	}
	none := HaveExactElements("relationship-not-accepted", "grant-not-ready", "grant-not-ready", "relationship-ended")
	g.Eventually(opened).Should(none)
	g.Consistently(opened, "1s").Should(none)
	g.Expect(s.ledger(accepting.unit)).To(BeEmpty())

	g.Expect(c.startManager()).To(Succeed())
	accepting.caller = s.caller(s.archive, s.UnitSecret(accepting.unit))
	unsuspended.caller = s.caller(s.archive, s.UnitSecret(unsuspended.unit))
	for _, opens := range []*care{fresh, unsuspended, later, accepting} {
		g.Eventually(opens.access).Should(Equal(allowed))
	}
	g.Eventually(families.search).Should(Equal(allowed))
}

// search is how the unit fares when it searches for documents of its client.
func (c *care) search() string {
	_, err := c.caller.Search(background, archiveQuery(c.id))
	return reasonOf(err)
}
