// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/pki"
	"github.com/valtuus/valtuus/internal/testworld"
)

// another makes a copy of an object that can be created beside it.
func another[O client.Object](o O, namespace, name string) O {
	twin := o.DeepCopyObject().(O)
	twin.SetNamespace(namespace)
	twin.SetName(name)
	twin.SetResourceVersion("")
	twin.SetUID("")
	return twin
}

// space makes one more namespace of the world; its name sorts after the world's others.
func (l *life) space(ctx context.Context, name string) string {
	GinkgoHelper()
	name = "z-" + name + l.Platform[len("platform"):]
	Expect(l.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	return name
}

// make creates an object and deletes it with the spec: the world does not know it as its own.
func (l *life) make(ctx context.Context, o client.Object) {
	GinkgoHelper()
	Expect(l.Create(ctx, o)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(l.Delete(ctx, o))).To(Succeed()) })
}

func notBeAccepted(reason string) OmegaMatcher {
	return SatisfyAll(notBeReady(reason), haveCondition(v1alpha1.AcceptedCondition, metav1.ConditionFalse, reason))
}

var _ = Describe("a claim on an OID", func() {
	It("that the organization does not list is not believed", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		unit := l.Unit("foreign", "20.7")
		Expect(l.Create(ctx, unit)).To(Succeed())
		Eventually(seen(ctx, l, unit)).Should(notBeAccepted(v1alpha1.OIDNotListedReason))
	})

	It("from a namespace that is not bound is not believed, though it was there first", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) {
			w.Company.Spec.UnitOIDs = append(w.Company.Spec.UnitOIDs, w.OID("20.8"))
		})
		thief := another(l.Unit("mine", "20.8"), l.space(ctx, "thief"), "mine")
		l.make(ctx, thief)
		Eventually(seen(ctx, l, thief)).Should(SatisfyAll(
			notBeAccepted(v1alpha1.NamespaceNotBoundReason), HaveField("Status.Registries", BeEmpty())))
		honest := l.Unit("east", "20.8")
		Expect(l.Create(ctx, honest)).To(Succeed())
		Eventually(seen(ctx, l, honest)).Should(beReady(v1alpha1.SucceededReason))
		Expect(l.Create(ctx, l.Test())).To(Succeed())
		o := l.Relationship(honest.Spec.OID)
		Expect(l.Create(ctx, o)).To(Succeed())
		Eventually(seen(ctx, l, o)).Should(haveAccess(v1alpha1.AccessGranted))
		var secrets corev1.SecretList
		Expect(l.List(ctx, &secrets, client.InNamespace(thief.Namespace))).To(Succeed())
		Expect(secrets.Items).To(BeEmpty())
		Expect(seen(ctx, l, thief)()).To(HaveField("Status.Registries", BeEmpty()), "a claim that is not believed is told nothing")
	})

	It("that a unit already has gets a condition, not the right, and takes over when the first is gone", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		first := l.credential(ctx, l.North)
		second := another(l.North, l.Producer, "a-second") // by name it would come first
		Expect(l.Create(ctx, second)).To(Succeed())
		Eventually(seen(ctx, l, second)).Should(notBeAccepted(v1alpha1.OIDClaimedReason))
		Consistently(seen(ctx, l, l.grant(l.North)), "400ms").Should(beReady(v1alpha1.GrantReadyReason))
		Expect(l.credential(ctx, l.North)).To(Equal(first))

		Expect(l.Delete(ctx, l.North)).To(Succeed())
		Eventually(seen(ctx, l, second)).Should(beReady(v1alpha1.SucceededReason))
		Eventually(func() string { return l.credential(ctx, second) }).ShouldNot(BeElementOf("", first))
		Eventually(func() string { return l.credential(ctx, l.North) }).Should(BeEmpty(), "the first unit's Secret goes")
	})

	It("of an organization belongs to the older one", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		twin := another(l.Company, "", "z"+l.Company.Name)
		twin.Spec.Namespaces = []string{l.Platform}
		l.make(ctx, twin)
		Eventually(seen(ctx, l, twin)).Should(SatisfyAll(
			notBeReady(v1alpha1.OIDClaimedReason), haveCondition(v1alpha1.StalledCondition, metav1.ConditionTrue, v1alpha1.OIDClaimedReason)))
		Consistently(seen(ctx, l, l.North), "400ms").Should(beReady(v1alpha1.SucceededReason))
		Expect(l.Delete(ctx, l.Company)).To(Succeed())
		Eventually(seen(ctx, l, twin)).Should(beReady("Standing"))
		Eventually(seen(ctx, l, l.North)).Should(notBeAccepted(v1alpha1.NamespaceNotBoundReason), "the other binds another namespace")
		l.expectRevoked(ctx, l.North, "UnitNotAccepted")
	})

	It("from a registry in a namespace that is not bound is not believed, until it is bound", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) { w.Area.Spec.Namespaces = nil })
		Eventually(seen(ctx, l, l.Registry)).Should(SatisfyAll(
			notBeAccepted(v1alpha1.NamespaceNotBoundReason), HaveField("Status.Credentials", BeEmpty())))
		change(ctx, l, l.Area, func(o *v1alpha1.Organization) { o.Spec.Namespaces = []string{l.Organizer} })
		Eventually(seen(ctx, l, l.Registry)).Should(SatisfyAll(beReady(v1alpha1.SucceededReason), HaveField("Status.Credentials", HaveLen(1))))
		change(ctx, l, l.Area, func(o *v1alpha1.Organization) { o.Spec.Namespaces = nil })
		Eventually(seen(ctx, l, l.Registry)).Should(SatisfyAll(
			notBeAccepted(v1alpha1.NamespaceNotBoundReason), HaveField("Status.Credentials", BeEmpty()), HaveField("Status.SecretRef", BeNil())))
		Eventually(func() error {
			return l.Get(ctx, client.ObjectKey{Namespace: l.Organizer, Name: "clients-organizer"}, &corev1.Secret{})
		}).Should(MatchError(ContainSubstring("not found")))
	})

	It("of a registry belongs to the first in an archive, and to the next when the first loses its organization", func(ctx context.Context) {
		l := begin(ctx, nil)
		Eventually(seen(ctx, l, l.Registry)).Should(beReady(v1alpha1.SucceededReason))
		other := another(l.Area, "", "z"+l.Area.Name)
		other.Spec.OID, other.Spec.Namespaces = l.OID("11.0"), []string{l.Platform}
		l.make(ctx, other)
		second := another(l.Registry, l.Platform, "a-second")
		second.Spec.Organization = other.Spec.OID
		Expect(l.Create(ctx, second)).To(Succeed())
		Eventually(seen(ctx, l, second)).Should(SatisfyAll(notBeAccepted(v1alpha1.OIDClaimedReason), HaveField("Status.Credentials", BeEmpty())))
		Consistently(seen(ctx, l, l.Registry), "300ms").Should(beReady(v1alpha1.SucceededReason))

		change(ctx, l, l.Area, func(o *v1alpha1.Organization) { o.Spec.Joining.EndedAt = ptr.To(l.Ago(time.Minute)) })
		Eventually(seen(ctx, l, l.Registry)).Should(notBeAccepted(v1alpha1.OrganizationNotStandingReason))
		Eventually(seen(ctx, l, second)).Should(beReady(v1alpha1.SucceededReason))
	})

	It("of a registry in another archive stands in nobody's way", func(ctx context.Context) {
		l := begin(ctx, nil)
		archive := another(l.Archive, l.Platform, "z"+l.Archive.Name)
		Expect(l.Create(ctx, archive)).To(Succeed())
		second := another(l.Registry, l.Organizer, "second")
		second.Spec.ArchiveName = v1alpha1.ObjectName(archive.Name)
		Expect(l.Create(ctx, second)).To(Succeed())
		for _, o := range []*v1alpha1.Registry{l.Registry, second} {
			Eventually(seen(ctx, l, o)).Should(beReady(v1alpha1.SucceededReason))
		}
	})

	It("of a registry waits for an archive that does not exist, and recovers when it does", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) { w.Registry.Spec.ArchiveName = v1alpha1.ObjectName("z" + w.Archive.Name) })
		Eventually(seen(ctx, l, l.Registry)).Should(notBeAccepted(v1alpha1.ArchiveUnknownReason))
		Expect(l.Create(ctx, another(l.Archive, l.Platform, "z"+l.Archive.Name))).To(Succeed())
		Eventually(seen(ctx, l, l.Registry)).Should(beReady(v1alpha1.SucceededReason))
	})
})

var _ = Describe("an archive", func() {
	It("of a name that is taken gets nothing, and takes nothing from the first", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		ledger := HaveField("Status.Credentials", ConsistOf(HaveField("Fingerprint", l.credential(ctx, l.North))))
		Expect(seen(ctx, l, l.grant(l.North))()).To(ledger)
		second := another(l.Archive, l.space(ctx, "second"), l.Archive.Name)
		l.make(ctx, second)
		Eventually(seen(ctx, l, second)).Should(SatisfyAll(
			notBeReady(v1alpha1.NameTakenReason), HaveField("Status.CABundle", BeEmpty()),
			haveCondition(v1alpha1.StalledCondition, metav1.ConditionTrue, v1alpha1.NameTakenReason),
		))
		Consistently(seen(ctx, l, l.grant(l.North)), "500ms").Should(SatisfyAll(beReady(v1alpha1.GrantReadyReason), ledger))
		Expect(seen(ctx, l, l.Registry)()).To(beReady(v1alpha1.SucceededReason))

		// When the first goes, what rested on it ends; the second begins with an authority of its own.
		first, err := seen(ctx, l, l.Archive)()
		Expect(err).NotTo(HaveOccurred())
		Expect(l.Delete(ctx, l.Archive)).To(Succeed())
		Eventually(seen(ctx, l, second)).Should(SatisfyAll(
			beReady(v1alpha1.ServerCertificateIssuedReason), HaveField("Status.CABundle", Not(BeElementOf("", first.Status.CABundle)))))
		Eventually(seen(ctx, l, l.grant(l.North))).Should(SatisfyAll(beReady(v1alpha1.GrantReadyReason), Not(ledger)))
		authority, err := seen(ctx, l, second)()
		Expect(err).NotTo(HaveOccurred())
		Eventually(seen(ctx, l, l.secret(l.North))).Should(HaveField("Data", HaveKeyWithValue("ca.crt", []byte(authority.Status.CABundle))))
		var made corev1.SecretList
		Expect(l.List(ctx, &made, client.InNamespace(second.Namespace))).To(Succeed())
		for i := range made.Items {
			l.cleanLater(&made.Items[i])
		}
	})

	It("that has lost its authority says so, makes no other, and what was issued still counts", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		grant, err := seen(ctx, l, l.grant(l.North))()
		Expect(err).NotTo(HaveOccurred())
		credential := grant.Status.Credentials[0]
		ca := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: l.Platform, Name: l.Archive.Name + "-ca"}}
		kept, err := seen(ctx, l, ca)()
		Expect(err).NotTo(HaveOccurred())
		l.stop()
		Expect(l.Delete(ctx, ca)).To(Succeed())
		l.start(nil)
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(
			notBeReady(v1alpha1.AuthorityLostReason), haveCondition(v1alpha1.StalledCondition, metav1.ConditionTrue, v1alpha1.AuthorityLostReason)))
		Expect(l.Get(ctx, keyOf(ca), &corev1.Secret{})).To(MatchError(ContainSubstring("not found")))

		// The renewal fails; the active credential serves until it runs out.
		l.clock.SetTime(credential.RenewAt.Time)
		counts := SatisfyAll(beReady(v1alpha1.GrantReadyReason), HaveField("Status.Credentials", ConsistOf(credential)))
		Consistently(seen(ctx, l, l.grant(l.North)), "1s").Should(counts)
		l.clock.SetTime(credential.NotAfter.Time)
		Eventually(seen(ctx, l, l.grant(l.North))).Should(notBeReady(v1alpha1.IssuerUnavailableReason))

		restored := another(kept, kept.Namespace, kept.Name)
		Expect(l.Create(ctx, restored)).To(Succeed())
		l.touch(ctx, l.Archive, "again")
		Eventually(seen(ctx, l, l.Archive)).Should(beReady(v1alpha1.ServerCertificateIssuedReason))
		l.start(nil) // instead of waiting for the next attempt, up to a minute
		Eventually(seen(ctx, l, l.grant(l.North))).Should(SatisfyAll(
			beReady(v1alpha1.GrantReadyReason), Not(HaveField("Status.Credentials", ContainElement(credential)))))
	})

	It("that is gone ends what rested on it, even if the registry's status cannot be written", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		l.start(func(inner client.Client) client.Client {
			return interceptor.NewClient(noWatch{inner}, interceptor.Funcs{
				SubResourcePatch: func(ctx context.Context, w client.Client, sub string, o client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
					if _, ok := o.(*v1alpha1.Registry); ok {
						return errors.New("not now")
					}
					return w.SubResource(sub).Patch(ctx, o, patch, options...)
				},
			})
		})
		Expect(l.Delete(ctx, l.Archive)).To(Succeed())
		Eventually(func(g Gomega) {
			l.touch(ctx, l.grant(l.North), time.Now().String())
			g.Expect(seen(ctx, l, l.grant(l.North))()).To(SatisfyAll(
				notBeReady(v1alpha1.IssuerUnavailableReason), HaveField("Status.Credentials", BeEmpty()),
				haveCondition(v1alpha1.RevocationEnforcedCondition, metav1.ConditionFalse, v1alpha1.AwaitingArchiveReason),
			))
			g.Expect(l.keysOf(ctx)).To(BeEmpty())
		}).Should(Succeed())
		l.start(nil)
		Eventually(seen(ctx, l, l.Registry)).Should(notBeAccepted(v1alpha1.ArchiveUnknownReason))
		Eventually(seen(ctx, l, l.grant(l.North))).Should(SatisfyAll(
			notBeReady("RegistryNotAccepted"), haveCondition(v1alpha1.RevocationEnforcedCondition, metav1.ConditionFalse, v1alpha1.AwaitingArchiveReason)))
		l.pass(66 * time.Second) // nobody knows the bound any more: the longest counts
		Eventually(seen(ctx, l, l.grant(l.North))).Should(
			haveCondition(v1alpha1.RevocationEnforcedCondition, metav1.ConditionTrue, v1alpha1.NoLiveReplicaReason))
	})

	It("renews its server certificate in time, and when its names change", func(ctx context.Context) {
		l := begin(ctx, nil)
		ready := beReady(v1alpha1.ServerCertificateIssuedReason)
		Eventually(seen(ctx, l, l.Archive)).Should(ready)
		fingerprint := func() string {
			secret := &corev1.Secret{}
			Expect(l.Get(ctx, client.ObjectKey{Namespace: l.Platform, Name: l.Archive.Name + "-server"}, secret)).To(Succeed())
			leaf, err := leafIn(secret)
			Expect(err).NotTo(HaveOccurred())
			return pki.FingerprintOf(leaf).String()
		}
		archive, err := seen(ctx, l, l.Archive)()
		Expect(err).NotTo(HaveOccurred())
		first := archive.Status.ServerCertificate
		Expect(fingerprint()).To(Equal(first.Fingerprint))

		l.clock.SetTime(first.RenewAt.Add(-time.Second))
		Consistently(fingerprint, "500ms").Should(Equal(first.Fingerprint))
		l.clock.SetTime(first.RenewAt.Time)
		Eventually(fingerprint).ShouldNot(Equal(first.Fingerprint))
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(ready, HaveField("Status.ServerCertificate.Fingerprint", fingerprint())))

		second := fingerprint()
		change(ctx, l, l.Archive, func(a *v1alpha1.Archive) { a.Spec.External.DNSNames = []string{"localhost", "archive.example"} })
		Eventually(fingerprint).ShouldNot(Equal(second))
		third := fingerprint()
		change(ctx, l, l.Archive, func(a *v1alpha1.Archive) { a.Spec.External.DNSNames = []string{"archive.example"} })
		Eventually(fingerprint).ShouldNot(Equal(third))
		change(ctx, l, l.Archive, func(a *v1alpha1.Archive) { a.Spec.External.DNSNames, a.Spec.External.IPAddresses = nil, nil })
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(notBeReady("NameMissing")))
	})

	It("says that its trust anchors cannot be read", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) { w.Archive.Spec.Professionals.TrustAnchors = "not a certificate" })
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(
			notBeReady(v1alpha1.TrustAnchorsInvalidReason), haveCondition(v1alpha1.StalledCondition, metav1.ConditionTrue, v1alpha1.TrustAnchorsInvalidReason)))
		Eventually(seen(ctx, l, l.Registry)).Should(notBeAccepted(v1alpha1.ArchiveNotReadyReason))
		change(ctx, l, l.Archive, func(a *v1alpha1.Archive) { a.Spec.Professionals.TrustAnchors = string(l.Cards.AnchorsPEM()) })
		Eventually(seen(ctx, l, l.Registry)).Should(beReady(v1alpha1.SucceededReason))
	})

	It("never adopts a Secret that is not its own", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) { w.Archive.Name += "-z"; w.Registry.Spec.ArchiveName += "-z" })
		Eventually(seen(ctx, l, l.Archive)).Should(beReady(v1alpha1.ServerCertificateIssuedReason))
		second := another(l.Archive, l.Platform, "y"+l.Archive.Name)
		foreign := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: l.Platform, Name: second.Name + "-ca"}, StringData: map[string]string{"precious": "theirs"},
		}
		Expect(l.Create(ctx, foreign)).To(Succeed())
		Expect(l.Create(ctx, second)).To(Succeed())
		Eventually(seen(ctx, l, second)).Should(SatisfyAll(notBeReady(v1alpha1.SecretConflictReason), HaveField("Status.CABundle", BeEmpty())))
		Expect(seen(ctx, l, foreign)()).To(HaveField("Data", HaveKeyWithValue("precious", []byte("theirs"))))
	})
})

// cleanLater deletes an object with the spec.
func (l *life) cleanLater(o client.Object) {
	DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(l.Delete(ctx, o))).To(Succeed()) })
}

var _ = Describe("a deployment test", func() {
	It("that failed, lies in the future or names an unknown system opens nothing", func(ctx context.Context) {
		l := begin(ctx, nil)
		failed, future, unknown := another(l.Test(), l.Organizer, "failed"), another(l.Test(), l.Organizer, "future"), another(l.Test(), l.Organizer, "unknown")
		failed.Spec.Recorded.Result = v1alpha1.ResultFailed
		future.Spec.Recorded.TestedAt = l.In(time.Hour)
		unknown.Spec.Systems.Producer = v1alpha1.ObjectName("z" + l.CompanySystem.Name)
		for _, o := range []client.Object{failed, future, unknown, l.Relationship(l.North.Spec.OID)} {
			Expect(l.Create(ctx, o)).To(Succeed())
		}
		Eventually(seen(ctx, l, failed)).Should(SatisfyAll(beReady(v1alpha1.TestFailedReason), HaveField("Status.Result", v1alpha1.ResultFailed)))
		Eventually(seen(ctx, l, future)).Should(SatisfyAll(notBeReady(v1alpha1.TestInFutureReason), HaveField("Status.Result", BeEmpty())))
		Eventually(seen(ctx, l, unknown)).Should(SatisfyAll(notBeReady(v1alpha1.TestSystemUnknownReason), HaveField("Status.Result", BeEmpty())))
		Eventually(seen(ctx, l, l.grant(l.North))).Should(notBeReady("DeploymentTestMissing"))
		Consistently(seen(ctx, l, l.grant(l.North)), "300ms").Should(HaveField("Status.Credentials", BeEmpty()))

		l.pass(time.Hour)
		Eventually(seen(ctx, l, l.grant(l.North))).Should(beReady(v1alpha1.GrantReadyReason), "the recorded time has come")
		Expect(l.Delete(ctx, future)).To(Succeed())
		l.expectRevoked(ctx, l.North, "DeploymentTestMissing")

		system := another(l.CompanySystem, "", "z"+l.CompanySystem.Name)
		l.make(ctx, system)
		Eventually(seen(ctx, l, unknown)).Should(beReady(v1alpha1.TestPassedReason))
		change(ctx, l, failed, func(t *v1alpha1.DeploymentTest) { t.Spec.Recorded.Result = v1alpha1.ResultPassed })
		Eventually(seen(ctx, l, l.grant(l.North))).Should(beReady(v1alpha1.GrantReadyReason))
	})

	It("that is missing is only reported where the registry says so", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) { w.Registry.Spec.Policies.DeploymentTest = v1alpha1.DeploymentTestReport })
		o := l.Relationship(l.North.Spec.OID)
		Expect(l.Create(ctx, o)).To(Succeed())
		Eventually(seen(ctx, l, o)).Should(haveAccess(v1alpha1.AccessGranted))
		Expect(seen(ctx, l, l.grant(l.North))()).To(beReady(v1alpha1.GrantReadyTestMissingReason))
		Expect(l.Create(ctx, l.Test())).To(Succeed())
		Eventually(seen(ctx, l, l.grant(l.North))).Should(beReady(v1alpha1.GrantReadyReason))
		Expect(conditions.IsTrue(must(seen(ctx, l, l.grant(l.North))()), v1alpha1.EligibleCondition)).To(BeTrue())
	})
})

func must[T any](value T, err error) T {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	return value
}
