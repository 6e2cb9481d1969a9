// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/deploymenttest"
)

var _ = Describe("the verdict on a deployment test", func() {
	patch := func(ctx context.Context, l *life, o client.Object, text string) error {
		return l.Patch(ctx, o.DeepCopyObject().(client.Object), client.RawPatch("application/merge-patch+json", []byte(text)))
	}

	It("is a failure where a system was changed in the window, though all steps are told by then", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeObserved))
		archive := l.observer(test)
		l.stop()
		change(ctx, l, l.CompanySystem, func(o *v1alpha1.ClientSystem) { o.Spec.Version += ".1" })
		archive.sees(ctx, l.plays()...)
		l.start(nil)
		l.closes(ctx, archive)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestFailed), say("changed during the test"), HaveField("Status.Result", v1alpha1.ResultFailed),
			HaveField("Status.PassedAt", BeNil()), HaveField("Status.Steps", HaveEach(HaveField("State", v1alpha1.StepSeen)))))
	})

	It("does not pass by what the archive tells after the unit has withdrawn", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeObserved))
		archive := l.observer(test)
		archive.sees(ctx, l.plays()[:8]...)
		Eventually(seen(ctx, l, test)).Should(say("7 of 8 steps"))
		change(ctx, l, l.North, func(u *v1alpha1.ProducerUnit) { u.Spec.AcceptTests = nil })
		Eventually(seen(ctx, l, test)).Should(HaveField("Status.Window.ClosedAt", Not(BeNil())))
		archive.sees(ctx, l.plays()[8])
		l.closes(ctx, archive)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestFailed), say("has not accepted the time")))
	})

	It("rests on the formats that the systems declared when it opened, which the status keeps", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeObserved))
		formats := HaveField("Status.Systems", And(
			HaveField("Organizer.Formats", ConsistOf(l.AreaSystem.Spec.Formats)), HaveField("Producer.Formats", ConsistOf(l.CompanySystem.Spec.Formats))))
		Expect(test).To(formats)
		archive := l.observer(test)
		archive.sees(ctx, l.plays()...)
		Eventually(seen(ctx, l, test)).Should(be(v1alpha1.TestClosing))
		change(ctx, l, l.CompanySystem, func(o *v1alpha1.ClientSystem) { o.Spec.Formats = []v1alpha1.DocumentFormat{v1alpha1.FormatXHTML} })
		l.closes(ctx, archive)
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestPassed), formats), "what it declares after the close is of no account")
	})

	It("rests on what was agreed: nothing of it changes once the window has opened", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeObserved))
		later := l.In(time.Hour).UTC().Format(time.RFC3339)
		Expect(patch(ctx, l, test, `{"spec":{"run":{"startsAt":"`+later+`"}}}`)).To(MatchError(ContainSubstring("immutable once the window has opened")))
		Expect(patch(ctx, l, test, `{"spec":{"run":{"windowSeconds":7200}}}`)).To(MatchError(ContainSubstring("immutable once the window has opened")))
		Expect(patch(ctx, l, test, `{"spec":{"run":{"windowSeconds":3600}}}`)).To(Succeed(), "the same, said")
		Expect(patch(ctx, l, test, `{"spec":{"run":{"serviceTask":"families"}}}`)).To(MatchError(ContainSubstring("serviceTask is immutable")))
	})
})

var _ = Describe("a unit's acceptance of a deployment test", func() {
	It("is of that test and of so long a window: what was raised, or made anew, is accepted anew", func(ctx context.Context) {
		l := begin(ctx, nil)
		first := l.run("first", v1alpha1.ModeObserved)
		Expect(l.Create(ctx, first)).To(Succeed())
		copied := func(test *v1alpha1.DeploymentTest, closes func() metav1.Time) {
			GinkgoHelper()
			Eventually(seen(ctx, l, l.North)).Should(WithTransform(func(u *v1alpha1.ProducerUnit) bool {
				for _, asked := range u.Status.DeploymentTests {
					if asked.TestRegistryOID == deploymenttest.RegistryOID(test.UID) {
						return asked.ClosesAt.Equal(ptr.To(closes()))
					}
				}
				return false
			}, BeTrue()))
			change(ctx, l, l.North, func(u *v1alpha1.ProducerUnit) {
				u.Spec.AcceptTests = nil
				for _, asked := range u.Status.DeploymentTests {
					u.Spec.AcceptTests = append(u.Spec.AcceptTests, v1alpha1.TestAcceptance{
						RegistryOID: asked.RegistryOID, TestRegistryOID: asked.TestRegistryOID, StartsAt: asked.StartsAt, ClosesAt: asked.ClosesAt,
					})
				}
			})
		}
		in := func(d time.Duration) func() metav1.Time {
			return func() metav1.Time { return metav1.NewTime(first.Spec.Run.StartsAt.Add(d)) }
		}
		copied(first, in(time.Hour))
		Eventually(seen(ctx, l, first)).Should(be(v1alpha1.TestScheduled))

		By("raising the window")
		change(ctx, l, first, func(o *v1alpha1.DeploymentTest) { o.Spec.Run.WindowSeconds = ptr.To(int32(7200)) })
		Eventually(seen(ctx, l, first)).Should(SatisfyAll(be(v1alpha1.TestWaiting), notBeReady(v1alpha1.TestNotAcceptedReason)))
		copied(first, in(2*time.Hour))
		Eventually(seen(ctx, l, first)).Should(be(v1alpha1.TestScheduled))
		change(ctx, l, first, func(o *v1alpha1.DeploymentTest) { o.Spec.Run.WindowSeconds = nil })
		Consistently(seen(ctx, l, first), "300ms").Should(be(v1alpha1.TestScheduled), "less than was accepted")

		By("making another at the same time")
		Expect(l.Delete(ctx, first)).To(Succeed())
		second := l.run("second", v1alpha1.ModeObserved)
		second.Spec.Run.StartsAt = first.Spec.Run.StartsAt
		Expect(l.Create(ctx, second)).To(Succeed())
		Eventually(seen(ctx, l, second)).Should(SatisfyAll(be(v1alpha1.TestWaiting), notBeReady(v1alpha1.TestNotAcceptedReason),
			say("testRegistryOID: "+string(deploymenttest.RegistryOID(second.UID)))))
		copied(second, in(time.Hour))
		Eventually(seen(ctx, l, second)).Should(be(v1alpha1.TestScheduled))
	})
})

var _ = Describe("a recorded test's systems", func() {
	It("stay as they were when the record came, whatever is edited later", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.Test()
		test.Spec.Recorded.Result = v1alpha1.ResultFailed
		Expect(l.Create(ctx, test)).To(Succeed())
		tested := HaveField("Status.Systems.Organizer.Version", BeEquivalentTo("1.0"))
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestFailed), tested))
		change(ctx, l, l.AreaSystem, func(o *v1alpha1.ClientSystem) { o.Spec.Version = "2.0" })
		Expect(l.Patch(ctx, must(seen(ctx, l, test)()), client.RawPatch("application/merge-patch+json",
			[]byte(`{"spec":{"recorded":{"testedAt":"`+l.Ago(time.Hour).UTC().Format(time.RFC3339)+`"}}}`)))).To(MatchError(ContainSubstring("testedAt is immutable")))
		change(ctx, l, test, func(o *v1alpha1.DeploymentTest) { o.Spec.Recorded.Result = v1alpha1.ResultPassed })
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestPassed), tested))
	})
})
