// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/enforcement"
	"github.com/valtuus/valtuus/internal/testworld"
)

func revisionIn(o metav1.Object) (uint64, error) {
	return strconv.ParseUint(o.GetResourceVersion(), 10, 64)
}

func haveAccess(access v1alpha1.RelationshipAccess) OmegaMatcher {
	return HaveField("Status.Access", access)
}

func beEnforced(reason string) OmegaMatcher {
	return SatisfyAll(
		haveAccess(v1alpha1.AccessEnded), beReady(v1alpha1.EndedReason),
		haveCondition(v1alpha1.RevocationEnforcedCondition, metav1.ConditionTrue, reason),
	)
}

var _ = Describe("a relationship", func() {
	It("with a unit that nobody knows waits and names it, and is accepted when the unit appears", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		o := l.Relationship(l.OID("20.3"))
		Expect(l.Create(ctx, o)).To(Succeed())
		Eventually(seen(ctx, l, o)).Should(SatisfyAll(
			haveAccess(v1alpha1.AccessWaiting), notBeReady("UnitUnknown"),
			WithTransform(readyMessage, ContainSubstring(string(l.OID("20.3")))),
			haveCondition(v1alpha1.ReconcilingCondition, metav1.ConditionTrue, "UnitUnknown"),
		))
		// The unit's own claim comes before the national register lists it: a night late.
		unit := l.Unit("west", "20.3")
		Expect(l.Create(ctx, unit)).To(Succeed())
		Eventually(seen(ctx, l, o)).Should(SatisfyAll(haveAccess(v1alpha1.AccessWaiting), notBeReady("UnitNotAccepted")))
		change(ctx, l, l.Company, func(c *v1alpha1.Organization) { c.Spec.UnitOIDs = append(c.Spec.UnitOIDs, unit.Spec.OID) })
		Eventually(seen(ctx, l, o)).Should(SatisfyAll(haveAccess(v1alpha1.AccessGranted), beReady(v1alpha1.AccessGrantedReason)))
	})

	It("that overlaps another is refused with the other's name, and accepted when the other ends", func(ctx context.Context) {
		l := begin(ctx, nil)
		first := l.open(ctx)
		second := l.Relationship(l.North.Spec.OID)
		second.Spec.ClientID = first.Spec.ClientID
		// It begins when the first is going to end, so that only the end stands in the way.
		second.Spec.Start = l.In(time.Hour)
		Expect(l.Create(ctx, second)).To(Succeed())
		Eventually(seen(ctx, l, second)).Should(SatisfyAll(
			haveAccess(v1alpha1.AccessRefused), notBeReady("Overlap"),
			haveCondition(v1alpha1.StalledCondition, metav1.ConditionTrue, "Overlap"),
			WithTransform(readyMessage, ContainSubstring(first.Name)),
		))
		Expect(seen(ctx, l, first)()).To(haveAccess(v1alpha1.AccessGranted), "the first is not disturbed")
		change(ctx, l, first, func(o *v1alpha1.ServiceRelationship) { o.Spec.End = ptr.To(l.In(time.Hour)) })
		Eventually(seen(ctx, l, second)).Should(haveAccess(v1alpha1.AccessGranted))
	})

	It("that overlaps another is accepted when the other is deleted", func(ctx context.Context) {
		l := begin(ctx, nil)
		first := l.open(ctx)
		second := l.Relationship(l.North.Spec.OID)
		second.Spec.ClientID = first.Spec.ClientID
		Expect(l.Create(ctx, second)).To(Succeed())
		Eventually(seen(ctx, l, second)).Should(haveAccess(v1alpha1.AccessRefused))
		Expect(l.Delete(ctx, first)).To(Succeed())
		Eventually(seen(ctx, l, second)).Should(haveAccess(v1alpha1.AccessGranted))
	})

	It("for another task, another unit or another client overlaps nothing", func(ctx context.Context) {
		l := begin(ctx, nil)
		first := l.open(ctx)
		task, unit, person := l.Relationship(l.North.Spec.OID), l.Relationship(l.South.Spec.OID), l.Relationship(l.North.Spec.OID)
		task.Spec.ClientID, task.Spec.ServiceTasks = first.Spec.ClientID, []v1alpha1.ServiceTaskCode{"families"}
		unit.Spec.ClientID = first.Spec.ClientID
		for _, o := range []*v1alpha1.ServiceRelationship{task, unit, person} {
			Expect(l.Create(ctx, o)).To(Succeed())
			Eventually(seen(ctx, l, o)).Should(haveAccess(v1alpha1.AccessGranted))
		}
	})

	It("needs a grant made by hand where the registry makes none", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) { w.Registry.Spec.Policies.AutomaticGrants = v1alpha1.AutomaticGrantsDisabled })
		Expect(l.Create(ctx, l.Test())).To(Succeed())
		o := l.Relationship(l.North.Spec.OID)
		Expect(l.Create(ctx, o)).To(Succeed())
		Eventually(seen(ctx, l, o)).Should(SatisfyAll(haveAccess(v1alpha1.AccessWaiting), notBeReady("GrantMissing")))
		grant := l.handMade()
		grant.Name = "by-hand"
		Expect(l.Create(ctx, grant)).To(Succeed())
		Eventually(seen(ctx, l, o)).Should(SatisfyAll(haveAccess(v1alpha1.AccessGranted), HaveField("Status.GrantName", BeEquivalentTo("by-hand"))))
		Expect(l.Get(ctx, keyOf(l.grant(l.North)), &v1alpha1.RegistryAccessGrant{})).To(MatchError(ContainSubstring("not found")))
	})

	It("is refused for a task that the agreement does not buy, and waits for one the unit is not registered for", func(ctx context.Context) {
		l := begin(ctx, nil)
		Expect(l.Create(ctx, l.Test())).To(Succeed())
		grant := l.handMade()
		grant.Spec.Agreement = &v1alpha1.Agreement{
			Reference: "agreement 7", ValidFrom: l.Ago(time.Hour), ServiceTasks: []v1alpha1.ServiceTaskCode{testworld.Task},
		}
		Expect(l.Create(ctx, grant)).To(Succeed())
		Eventually(seen(ctx, l, grant)).Should(beReady(v1alpha1.GrantReadyReason))
		unbought, unregistered := l.Relationship(l.North.Spec.OID), l.Relationship(l.North.Spec.OID)
		unbought.Spec.ServiceTasks = []v1alpha1.ServiceTaskCode{"families"}
		unregistered.Spec.ServiceTasks = []v1alpha1.ServiceTaskCode{"disability"}
		Expect(l.Create(ctx, unbought)).To(Succeed())
		Expect(l.Create(ctx, unregistered)).To(Succeed())
		Eventually(seen(ctx, l, unbought)).Should(SatisfyAll(haveAccess(v1alpha1.AccessRefused), notBeReady("TaskNotBought")))
		Eventually(seen(ctx, l, unregistered)).Should(SatisfyAll(haveAccess(v1alpha1.AccessWaiting), notBeReady("TaskNotRegistered")))
		change(ctx, l, grant, func(g *v1alpha1.RegistryAccessGrant) { g.Spec.Agreement.ServiceTasks = nil })
		Eventually(seen(ctx, l, unbought)).Should(haveAccess(v1alpha1.AccessGranted))
	})

	It("that starts in the future is accepted with one write, and counts from its start", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		Eventually(seen(ctx, l, l.grant(l.North))).Should(HaveField("Status.LiveRelationships", HaveValue(BeEquivalentTo(1))))
		written := &journal{}
		l.startOn(written.keep(l.config()), nil)
		o := l.Relationship(l.North.Spec.OID)
		o.Spec.Start = l.In(time.Hour)
		Expect(l.Create(ctx, o)).To(Succeed())
		Eventually(seen(ctx, l, o)).Should(haveAccess(v1alpha1.AccessGranted))
		l.quiet(ctx, written)
		Expect(seen(ctx, l, l.grant(l.North))()).To(HaveField("Status.LiveRelationships", HaveValue(BeEquivalentTo(1))))
		l.pass(time.Hour)
		Eventually(seen(ctx, l, l.grant(l.North))).Should(HaveField("Status.LiveRelationships", HaveValue(BeEquivalentTo(2))))
		Expect(written.of("/servicerelationships/" + o.Name + "/status")).To(HaveLen(1))
	})

	It("that is deleted counts no more, and nothing waits for it", func(ctx context.Context) {
		l := begin(ctx, nil)
		o := l.open(ctx)
		l.replica(ctx, "a")
		Eventually(seen(ctx, l, l.grant(l.North))).Should(HaveField("Status.LiveRelationships", HaveValue(BeEquivalentTo(1))))
		l.endIt(ctx, o)
		l.awaited()
		Expect(l.Delete(ctx, o)).To(Succeed())
		Eventually(seen(ctx, l, l.grant(l.North))).Should(HaveField("Status.LiveRelationships", HaveValue(BeZero())))
		Eventually(func() float64 { return l.gauge("valtuus_oldest_unenforced_end_seconds") }).Should(BeZero())
	})
})

var _ = Describe("the end of a relationship", func() {
	It("is enforced when the archive's replica has applied the revision, and not before", func(ctx context.Context) {
		l := begin(ctx, nil)
		o := l.open(ctx)
		archive := l.replica(ctx, "a")
		revision := l.endIt(ctx, o)
		l.awaited()
		archive.renew(ctx, enforcement.Revisions{"relationships": revision - 1, "grants": revision})
		Consistently(seen(ctx, l, o), "500ms").Should(haveAccess(v1alpha1.AccessGranted))
		archive.renew(ctx, enforcement.Revisions{"relationships": revision})
		Eventually(seen(ctx, l, o)).Should(SatisfyAll(
			beEnforced(v1alpha1.AppliedReason), HaveField("Status.AcceptedEnd", Not(BeNil()))))
	})

	It("that lies in the past from the start is enforced the same way", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		archive := l.replica(ctx, "a")
		o := l.Relationship(l.North.Spec.OID)
		o.Spec.End = ptr.To(l.Ago(time.Minute))
		Expect(l.Create(ctx, o)).To(Succeed())
		l.awaited()
		archive.renew(ctx, enforcement.Revisions{"relationships": l.revision(ctx, o)})
		Eventually(seen(ctx, l, o)).Should(beEnforced(v1alpha1.AppliedReason))
	})

	It("comes by time alone", func(ctx context.Context) {
		l := begin(ctx, nil)
		o := l.open(ctx)
		change(ctx, l, o, func(o *v1alpha1.ServiceRelationship) { o.Spec.End = ptr.To(l.In(time.Hour)) })
		Eventually(seen(ctx, l, o)).Should(SatisfyAll(haveAccess(v1alpha1.AccessGranted), HaveField("Status.AcceptedEnd", Not(BeNil()))))
		l.pass(59 * time.Minute)
		l.replica(ctx, "a").renew(ctx, enforcement.Revisions{"relationships": l.revision(ctx, o)})
		Consistently(seen(ctx, l, o), "500ms").Should(haveAccess(v1alpha1.AccessGranted))
		l.pass(time.Minute)
		Eventually(seen(ctx, l, o)).Should(haveAccess(v1alpha1.AccessGranted))
		l.awaited() // the replica has gone silent a minute ago
		l.pass(16 * time.Second)
		Eventually(seen(ctx, l, o)).Should(beEnforced(v1alpha1.NoLiveReplicaReason))
	})

	It("waits for the replica that lags", func(ctx context.Context) {
		l := begin(ctx, nil)
		o := l.open(ctx)
		quick, slow := l.replica(ctx, "a"), l.replica(ctx, "b")
		revision := l.endIt(ctx, o)
		l.awaited()
		quick.renew(ctx, enforcement.Revisions{"relationships": revision})
		slow.renew(ctx, enforcement.Revisions{"relationships": revision - 1})
		Consistently(seen(ctx, l, o), "500ms").Should(haveAccess(v1alpha1.AccessGranted))
		slow.renew(ctx, enforcement.Revisions{"relationships": revision + 1})
		Eventually(seen(ctx, l, o)).Should(beEnforced(v1alpha1.AppliedReason))
	})

	It("waits for a silent replica until its lease has run out, though the bound has passed", func(ctx context.Context) {
		l := begin(ctx, nil)
		o := l.open(ctx)
		l.endIt(ctx, o)
		l.awaited()
		l.pass(4 * time.Second)
		l.replica(ctx, "a") // the last sign of life
		l.pass(19 * time.Second)
		Consistently(seen(ctx, l, o), "500ms").ShouldNot(haveAccess(v1alpha1.AccessEnded))
		l.pass(2 * time.Second)
		Eventually(seen(ctx, l, o)).Should(beEnforced(v1alpha1.NoLiveReplicaReason))
	})

	It("waits for the bound where the lease ran out long ago", func(ctx context.Context) {
		l := begin(ctx, nil)
		o := l.open(ctx)
		l.replica(ctx, "a")
		l.pass(time.Minute)
		l.endIt(ctx, o)
		l.awaited()
		l.pass(14 * time.Second)
		Consistently(seen(ctx, l, o), "500ms").Should(haveAccess(v1alpha1.AccessGranted))
		l.pass(2 * time.Second)
		Eventually(seen(ctx, l, o)).Should(beEnforced(v1alpha1.NoLiveReplicaReason))
	})

	It("waits for the registry's own bound", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) {
			w.Registry.Spec.Policies.Staleness = &v1alpha1.Staleness{ProducersSeconds: ptr.To(int32(40))}
		})
		o := l.open(ctx)
		l.endIt(ctx, o)
		l.awaited()
		l.pass(44 * time.Second)
		Consistently(seen(ctx, l, o), "500ms").ShouldNot(haveAccess(v1alpha1.AccessEnded))
		l.pass(2 * time.Second)
		Eventually(seen(ctx, l, o)).Should(beEnforced(v1alpha1.NoLiveReplicaReason))
	})

	It("that takes long is told of, and still confirmed", func(ctx context.Context) {
		l := begin(ctx, nil)
		o := l.open(ctx)
		archive := l.replica(ctx, "a")
		revision := l.endIt(ctx, o)
		l.awaited()
		l.pass(16 * time.Second)
		archive.renew(ctx, enforcement.Revisions{"relationships": revision - 1})
		Eventually(seen(ctx, l, o)).Should(SatisfyAll(
			notBeReady(v1alpha1.AwaitingArchiveReason),
			haveCondition(v1alpha1.RevocationEnforcedCondition, metav1.ConditionFalse, v1alpha1.AwaitingArchiveReason),
			haveCondition(v1alpha1.ReconcilingCondition, metav1.ConditionTrue, v1alpha1.AwaitingArchiveReason),
		))
		archive.renew(ctx, enforcement.Revisions{"relationships": l.revision(ctx, o)})
		Eventually(seen(ctx, l, o)).Should(beEnforced(v1alpha1.AppliedReason))
	})

	It("can be corrected: with a later end the relationship is accepted again", func(ctx context.Context) {
		l := begin(ctx, nil)
		o := l.open(ctx)
		archive := l.replica(ctx, "a")
		revision := l.endIt(ctx, o)
		l.awaited()
		archive.renew(ctx, enforcement.Revisions{"relationships": revision})
		Eventually(seen(ctx, l, o)).Should(beEnforced(v1alpha1.AppliedReason))
		change(ctx, l, o, func(o *v1alpha1.ServiceRelationship) { o.Spec.End = ptr.To(l.In(time.Hour)) })
		Eventually(seen(ctx, l, o)).Should(SatisfyAll(
			haveAccess(v1alpha1.AccessGranted), beReady(v1alpha1.AccessGrantedReason),
			HaveField("Status.AcceptedEnd.Time", BeTemporally("~", l.In(time.Hour).Time, time.Second)),
			Not(haveCondition(v1alpha1.RevocationEnforcedCondition, metav1.ConditionTrue, v1alpha1.AppliedReason)),
		))
		change(ctx, l, o, func(o *v1alpha1.ServiceRelationship) { o.Spec.End = nil })
		Eventually(seen(ctx, l, o)).Should(SatisfyAll(haveAccess(v1alpha1.AccessGranted), HaveField("Status.AcceptedEnd", BeNil())))
		// The second end waits for a word of its own.
		revision = l.endIt(ctx, o)
		l.awaited()
		Consistently(seen(ctx, l, o), "500ms").Should(haveAccess(v1alpha1.AccessGranted))
		archive.renew(ctx, enforcement.Revisions{"relationships": revision})
		Eventually(seen(ctx, l, o)).Should(beEnforced(v1alpha1.AppliedReason))
	})
})

var _ = Describe("the end of a grant", func() {
	It("is enforced by the revision of the grant, each time anew", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		archive := l.replica(ctx, "a")
		suspend := func(on *bool) {
			change(ctx, l, l.grant(l.North), func(g *v1alpha1.RegistryAccessGrant) { g.Spec.Suspend = on })
		}
		awaiting := haveCondition(v1alpha1.RevocationEnforcedCondition, metav1.ConditionFalse, v1alpha1.AwaitingArchiveReason)
		for range 2 {
			suspend(ptr.To(true))
			Eventually(seen(ctx, l, l.grant(l.North))).Should(awaiting)
			archive.renew(ctx, enforcement.Revisions{"grants": l.revision(ctx, l.grant(l.North)) - 1})
			Consistently(seen(ctx, l, l.grant(l.North)), "400ms").Should(awaiting)
			archive.renew(ctx, enforcement.Revisions{"grants": l.revision(ctx, l.grant(l.North))})
			Eventually(seen(ctx, l, l.grant(l.North))).Should(haveCondition(v1alpha1.RevocationEnforcedCondition, metav1.ConditionTrue, v1alpha1.AppliedReason))
			suspend(nil)
			Eventually(seen(ctx, l, l.grant(l.North))).Should(beReady(v1alpha1.GrantReadyReason))
		}
	})

	It("does not count the wait of an end that was taken back", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		suspend := func(on *bool) {
			change(ctx, l, l.grant(l.North), func(g *v1alpha1.RegistryAccessGrant) { g.Spec.Suspend = on })
		}
		awaiting := haveCondition(v1alpha1.RevocationEnforcedCondition, metav1.ConditionFalse, v1alpha1.AwaitingArchiveReason)
		suspend(ptr.To(true))
		Eventually(seen(ctx, l, l.grant(l.North))).Should(awaiting)
		suspend(nil)
		Eventually(seen(ctx, l, l.grant(l.North))).Should(beReady(v1alpha1.GrantReadyReason))
		l.pass(time.Minute)
		suspend(ptr.To(true))
		Eventually(seen(ctx, l, l.grant(l.North))).Should(awaiting)
		Consistently(seen(ctx, l, l.grant(l.North)), "500ms").Should(awaiting, "no replica is live: the bound has to pass from the second end on")
		l.pass(16 * time.Second)
		Eventually(seen(ctx, l, l.grant(l.North))).Should(haveCondition(v1alpha1.RevocationEnforcedCondition, metav1.ConditionTrue, v1alpha1.NoLiveReplicaReason))
	})
})

var _ = Describe("a grant", func() {
	It("for a pair that has one waits its turn, and takes over", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		first, err := seen(ctx, l, l.grant(l.North))()
		Expect(err).NotTo(HaveOccurred())
		second := l.handMade()
		second.Name = "second"
		Expect(l.Create(ctx, second)).To(Succeed())
		Eventually(seen(ctx, l, second)).Should(SatisfyAll(
			notBeReady("GrantConflict"), HaveField("Status.Credentials", BeEmpty()),
			haveCondition(v1alpha1.StalledCondition, metav1.ConditionTrue, "GrantConflict"),
		))
		Expect(seen(ctx, l, first)()).To(SatisfyAll(
			beReady(v1alpha1.GrantReadyReason), HaveField("Status.Credentials", Equal(first.Status.Credentials))))
		old := l.credential(ctx, l.North)
		Expect(l.Delete(ctx, first)).To(Succeed())
		Eventually(seen(ctx, l, second)).Should(SatisfyAll(beReady(v1alpha1.GrantReadyReason), HaveField("Status.Credentials", HaveLen(1))))
		Expect(l.credential(ctx, l.North)).NotTo(BeElementOf("", old))
		Consistently(func() error { return l.Get(ctx, keyOf(first), &v1alpha1.RegistryAccessGrant{}) }, "300ms").
			Should(MatchError(ContainSubstring("not found")), "nobody makes the automatic grant beside the other")
	})

	It("for a registry that is not in its namespace finds none", func(ctx context.Context) {
		l := begin(ctx, nil)
		Expect(l.Create(ctx, l.Test())).To(Succeed())
		grant := l.handMade()
		grant.Namespace = l.Platform
		Expect(l.Create(ctx, grant)).To(Succeed())
		Eventually(seen(ctx, l, grant)).Should(SatisfyAll(notBeReady("RegistryNotFound"), HaveField("Status.Credentials", BeEmpty())))
		o := l.Relationship(l.North.Spec.OID)
		o.Namespace = l.Platform
		Expect(l.Create(ctx, o)).To(Succeed())
		Eventually(seen(ctx, l, o)).Should(SatisfyAll(haveAccess(v1alpha1.AccessWaiting), notBeReady("RegistryNotFound")))
		Expect(l.keysOf(ctx)).To(BeEmpty())
	})

	It("made by hand under the automatic grant's name for another unit leaves the relationship waiting, not spinning", func(ctx context.Context) {
		l := begin(ctx, nil)
		Expect(l.Create(ctx, l.Test())).To(Succeed())
		other := l.handMade()
		other.Spec.ProducerUnit = l.South.Spec.OID
		Expect(l.Create(ctx, other)).To(Succeed())
		o := l.Relationship(l.North.Spec.OID)
		Expect(l.Create(ctx, o)).To(Succeed())
		Eventually(seen(ctx, l, o)).Should(SatisfyAll(haveAccess(v1alpha1.AccessGranted), HaveField("Status.GrantName", Not(BeEquivalentTo(other.Name)))))
	})
})
