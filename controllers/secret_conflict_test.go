// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

var _ = Describe("a Secret in the way of a credential's", func() {
	It("is told of where people look, and once it is gone the credential comes without another word", func(ctx context.Context) {
		l := begin(ctx, nil)
		units := l.secret(l.North)
		Expect(l.Create(ctx, units)).To(Succeed())
		organizers := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: l.Organizer, Name: "pair-organizer"}}
		Expect(l.Create(ctx, organizers)).To(Succeed())
		Expect(l.Create(ctx, l.Test())).To(Succeed())
		Expect(l.Create(ctx, l.Relationship(l.North.Spec.OID))).To(Succeed())
		grant := l.grant(l.North)
		test := l.run("pair", v1alpha1.ModeObserved)
		Expect(l.Create(ctx, test)).To(Succeed())
		l.accept(ctx, test)
		Eventually(seen(ctx, l, test)).Should(notBeReady(v1alpha1.TestScheduledReason))
		l.clock.SetTime(test.Spec.Run.StartsAt.Time)

		Eventually(seen(ctx, l, grant)).Should(notBeReady(v1alpha1.SecretConflictReason))
		Eventually(seen(ctx, l, testRegistry(test))).Should(notBeReady(v1alpha1.SecretConflictReason))
		Eventually(seen(ctx, l, test)).Should(SatisfyAll(notBeReady(v1alpha1.TestOpenReason),
			say("Registry pair is stalled: Secret "+l.Organizer+"/pair-organizer exists")))

		Expect(l.Delete(ctx, units)).To(Succeed())
		Expect(l.Delete(ctx, organizers)).To(Succeed())
		Eventually(seen(ctx, l, grant)).Should(beReady(v1alpha1.GrantReadyReason))
		Eventually(seen(ctx, l, testRegistry(test))).Should(beReady(v1alpha1.SucceededReason))
		Eventually(seen(ctx, l, test)).ShouldNot(say("stalled"))
	})
})
