// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/enforcement"
	"github.com/valtuus/valtuus/internal/testworld"
)

var _ = Describe("a settled world", func() {
	It("is left alone by a restart and by a second look (invariant 9: a restart writes nothing)", func(ctx context.Context) {
		_, request := newRequest()
		l := begin(ctx, func(w *testworld.World) {
			w.South.Spec.Credential = v1alpha1.UnitCredential{Delivery: v1alpha1.DeliveryCertificateRequest, CertificateRequest: request}
		})
		granted := l.open(ctx)
		south, future, waiting, refused, ended := l.Relationship(l.South.Spec.OID), l.Relationship(l.North.Spec.OID),
			l.Relationship(l.OID("20.9")), l.Relationship(l.North.Spec.OID), l.Relationship(l.North.Spec.OID)
		future.Spec.Start, future.Spec.End = l.In(time.Hour), ptr.To(l.In(2*time.Hour))
		refused.Spec.ClientID = granted.Spec.ClientID
		ended.Spec.End = ptr.To(l.Ago(time.Minute))
		for _, o := range []client.Object{south, future, waiting, refused, ended} {
			Expect(l.Create(ctx, o)).To(Succeed())
		}
		l.awaited()
		l.pass(16 * time.Second)
		for o, access := range map[*v1alpha1.ServiceRelationship]v1alpha1.RelationshipAccess{
			south: v1alpha1.AccessGranted, future: v1alpha1.AccessGranted, waiting: v1alpha1.AccessWaiting,
			refused: v1alpha1.AccessRefused, ended: v1alpha1.AccessEnded,
		} {
			Eventually(seen(ctx, l, o)).Should(HaveField("Status.Access", access))
		}
		// One grant of its own whose end is enforced.
		suspended := l.grant(l.South)
		change(ctx, l, suspended, func(g *v1alpha1.RegistryAccessGrant) { g.Spec.Suspend = ptr.To(true) })
		l.expectRevoked(ctx, l.South, v1alpha1.SuspendedReason)

		settling := &journal{}
		l.startOn(settling.keep(l.config()), nil)
		l.quiet(ctx, settling)
		restarted := &journal{}
		l.startOn(restarted.keep(l.config()), nil)
		l.expectNothing(ctx, restarted)

		objects, err := l.Objects(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(len(objects)).To(BeNumerically(">", 15))
		versions := map[client.Object]string{}
		for _, o := range objects {
			l.touch(ctx, o.(client.Object), "again")
			fresh, err := seen(ctx, l, o.(client.Object))()
			Expect(err).NotTo(HaveOccurred())
			versions[fresh] = fresh.GetResourceVersion()
		}
		l.expectNothing(ctx, restarted)
		for o, version := range versions {
			Expect(seen(ctx, l, o)()).To(HaveField("GetResourceVersion()", version))
		}
	})

	It("takes one status write for a relationship accepted and one for its end, and none for anything else", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		archive := l.replica(ctx, "a")
		written := &journal{}
		l.startOn(written.keep(l.config()), nil)
		l.quiet(ctx, written)
		grant := "/registryaccessgrants/" + l.grant(l.North).Name + "/status"
		before, counted := len(written.all()), len(written.of(grant))

		var relationships []*v1alpha1.ServiceRelationship
		for range 5 {
			o := l.Relationship(l.North.Spec.OID)
			relationships = append(relationships, o)
			Expect(l.Create(ctx, o)).To(Succeed())
		}
		for _, o := range relationships {
			Eventually(seen(ctx, l, o)).Should(HaveField("Status.Access", v1alpha1.AccessGranted))
		}
		l.quiet(ctx, written)
		for _, o := range relationships {
			Expect(written.of("/servicerelationships/" + o.Name + "/status")).To(HaveLen(1))
		}

		for _, o := range relationships {
			l.endIt(ctx, o)
		}
		l.awaited()
		archive.renew(ctx, enforcement.Revisions{"relationships": l.revision(ctx, relationships[4])})
		for _, o := range relationships {
			Eventually(seen(ctx, l, o)).Should(HaveField("Status.Access", v1alpha1.AccessEnded))
		}
		l.quiet(ctx, written)
		for _, o := range relationships {
			Expect(written.of("/servicerelationships/" + o.Name + "/status")).To(HaveLen(2))
		}
		// What remains is the count of live relationships at the grant.
		counted = len(written.of(grant)) - counted
		Expect(counted).To(BeNumerically(">", 0))
		Expect(written.all()[before:]).To(HaveLen(10 + counted))
	})
})
