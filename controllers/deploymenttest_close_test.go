// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
})
