// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// told are the notes of the events with the reason in the organizer's namespace.
func (l *life) told(ctx context.Context, reason string) (notes []string) {
	GinkgoHelper()
	var list eventsv1.EventList
	Expect(l.List(ctx, &list, client.InNamespace(l.Organizer))).To(Succeed())
	for i := range list.Items {
		if list.Items[i].Reason == reason {
			notes = append(notes, list.Items[i].Note)
		}
	}
	return notes
}

var _ = Describe("the close of a deployment test", func() {
	It("ends with a deletion though registries and archive are gone, and says what is not proven", func(ctx context.Context) {
		l := begin(ctx, nil)
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeObserved))
		Expect(test.Status.ArchiveName).To(BeEquivalentTo(l.Archive.Name))
		Expect(l.Delete(ctx, testRegistry(test))).To(Succeed())
		Eventually(seen(ctx, l, test)).Should(be(v1alpha1.TestClosing))
		Expect(l.Delete(ctx, l.Registry)).To(Succeed())
		for _, o := range []client.Object{testRegistry(test), l.Registry.DeepCopy()} {
			Eventually(func() error {
				l.pass(time.Second)
				return l.Get(ctx, keyOf(o), o)
			}).Should(MatchError(apierrors.IsNotFound, "IsNotFound"))
		}
		Expect(l.Delete(ctx, test)).To(Succeed())
		Consistently(func() error { l.pass(2 * time.Second); return l.Get(ctx, keyOf(test), test) }, "500ms").Should(Succeed(), "the archive is there, and can tell")
		Expect(l.told(ctx, v1alpha1.TestDestructionUnprovenReason)).To(BeEmpty())

		Expect(l.Delete(ctx, l.Archive)).To(Succeed())
		Eventually(func() error {
			l.pass(10 * time.Second)
			return l.Get(ctx, keyOf(test), test)
		}).Should(MatchError(apierrors.IsNotFound, "IsNotFound"))
		Eventually(func() []string { return l.told(ctx, v1alpha1.TestDestructionUnprovenReason) }).Should(ConsistOf(ContainSubstring("that its data is destroyed is not proven")))
		l.lets(ctx, test)
	})

	It("leaves neither relationships of its registry nor its Job, and says what stands where its report belongs", func(ctx context.Context) {
		l := begin(ctx, nil)
		theirs := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: l.Organizer, Name: "pair-report"}, Data: map[string]string{"a": "b"}}
		Expect(l.Create(ctx, theirs)).To(Succeed())
		test := l.opened(ctx, l.run("pair", v1alpha1.ModeSimulated))
		job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: l.Organizer, Name: "pair-simulation"}}
		Eventually(seen(ctx, l, job)).Should(HaveField("UID", Not(BeEmpty())))
		production, applied := l.Relationship(l.North.Spec.OID), l.Relationship(l.North.Spec.OID)
		applied.Name, applied.Spec.RegistryRef.Name = "of-the-test", "pair"
		applied.Spec.ClientID = uuid.NewString()
		for _, o := range []client.Object{production, applied} {
			Expect(l.Create(ctx, o)).To(Succeed())
		}
		archive := l.observer(test)
		archive.sees(ctx, l.plays()...)
		for _, o := range []client.Object{job, applied} {
			Eventually(func() error { return l.Get(ctx, keyOf(o), o) }).Should(MatchError(apierrors.IsNotFound, "IsNotFound"), "at the close, whatever the archive does: %T", o)
		}
		Expect(seen(ctx, l, test)()).To(be(v1alpha1.TestClosing))
		l.closes(ctx, archive)
		Expect(seen(ctx, l, production)()).To(HaveField("DeletionTimestamp", BeNil()))

		Eventually(seen(ctx, l, test)).Should(SatisfyAll(be(v1alpha1.TestPassed), HaveField("Status.Report", BeNil()),
			beReady(v1alpha1.TestPassedReason), say("ConfigMap pair-report is not the report of this test: delete it")))
		settling, restarted := &journal{}, &journal{}
		l.startOn(settling.keep(l.config()), nil)
		l.quiet(ctx, settling)
		l.startOn(restarted.keep(l.config()), nil)
		l.touch(ctx, test, "again")
		l.expectNothing(ctx, restarted)
		Expect(l.Get(ctx, keyOf(theirs), theirs)).To(Succeed())
		Expect(theirs.Data).To(Equal(map[string]string{"a": "b"}))
		Expect(l.Delete(ctx, theirs)).To(Succeed())
		Eventually(func(g Gomega) {
			l.pass(time.Minute)
			g.Expect(seen(ctx, l, test)()).To(SatisfyAll(HaveField("Status.Report", Not(BeNil())), Not(say("ConfigMap"))))
		}).Should(Succeed())
	})
})
