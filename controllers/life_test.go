// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/pki"
	"github.com/valtuus/valtuus/internal/testworld"
)

var _ = Describe("the life of a right", func() {
	It("waits for the deployment test and says what is missing, then issues the credential", func(ctx context.Context) {
		l := begin(ctx, nil)
		relationship := l.Relationship(l.North.Spec.OID)
		Expect(l.Create(ctx, relationship)).To(Succeed())

		Eventually(seen(ctx, l, l.grant(l.North))).Should(SatisfyAll(
			notBeReady("DeploymentTestMissing"),
			HaveField("Status.Credentials", BeEmpty()),
		))
		Eventually(seen(ctx, l, relationship)).Should(SatisfyAll(
			HaveField("Status.Access", v1alpha1.AccessWaiting),
			notBeReady(v1alpha1.GrantNotReadyReason),
			WithTransform(readyMessage, ContainSubstring(l.CompanySystem.Name)),
		))
		Expect(client.IgnoreNotFound(l.Get(ctx, client.ObjectKeyFromObject(l.secret(l.North)), &corev1.Secret{}))).To(Succeed())

		Expect(l.Create(ctx, l.Test())).To(Succeed())
		Eventually(seen(ctx, l, relationship)).Should(SatisfyAll(
			HaveField("Status.Access", v1alpha1.AccessGranted), beReady(v1alpha1.AccessGrantedReason),
		))
		Eventually(seen(ctx, l, l.grant(l.North))).Should(SatisfyAll(
			beReady(v1alpha1.GrantReadyReason),
			HaveField("Status.LiveRelationships", HaveValue(BeEquivalentTo(1))),
		))
		l.expectUsable(ctx, l.North)
		Eventually(seen(ctx, l, l.North)).Should(HaveField("Status.Registries", ConsistOf(SatisfyAll(
			HaveField("Reason", v1alpha1.GrantReadyReason),
			HaveField("SecretName", BeEquivalentTo(l.secret(l.North).Name)),
		))))
	})

	It("gives the organizer its own credential, in its own namespace", func(ctx context.Context) {
		l := begin(ctx, nil)
		Eventually(seen(ctx, l, l.Registry)).Should(beReady(v1alpha1.SucceededReason))
		secret := &corev1.Secret{}
		Expect(l.Get(ctx, client.ObjectKey{Namespace: l.Organizer, Name: l.Registry.Name + "-organizer"}, secret)).To(Succeed())
		Expect(identityIn(secret)).To(Equal(pki.Identity{TrustDomain: "archive.example", Registry: string(l.Registry.Spec.OID)}))
	})

	It("suspends at once and issues anew when the suspension ends", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		first := l.credential(ctx, l.North)
		change(ctx, l, l.grant(l.North), func(g *v1alpha1.RegistryAccessGrant) { g.Spec.Suspend = ptr.To(true) })
		l.expectRevoked(ctx, l.North, v1alpha1.SuspendedReason)

		change(ctx, l, l.grant(l.North), func(g *v1alpha1.RegistryAccessGrant) { g.Spec.Suspend = nil })
		Eventually(seen(ctx, l, l.grant(l.North))).Should(beReady(v1alpha1.GrantReadyReason))
		Expect(l.credential(ctx, l.North)).NotTo(Equal(first))
	})

	It("ends with the agreement, by time alone", func(ctx context.Context) {
		l := begin(ctx, nil)
		Expect(l.Create(ctx, l.Test())).To(Succeed())
		grant := l.grant(l.North)
		grant.Spec = v1alpha1.RegistryAccessGrantSpec{
			RegistryRef: v1alpha1.RegistryReference{Name: "clients"}, ProducerUnit: l.North.Spec.OID, Extent: v1alpha1.ExtentBasic,
			Agreement: &v1alpha1.Agreement{Reference: "agreement 7", ValidFrom: l.Ago(time.Hour), ValidUntil: ptr.To(l.In(time.Hour))},
		}
		Expect(l.Create(ctx, grant)).To(Succeed())
		Eventually(seen(ctx, l, grant)).Should(beReady(v1alpha1.GrantReadyReason))
		l.pass(time.Hour)
		l.expectRevoked(ctx, l.North, "AgreementExpired")
	})

	It("ends when the agreement comes to buy health care only", func(ctx context.Context) {
		l := begin(ctx, nil)
		Expect(l.Create(ctx, l.Test())).To(Succeed())
		grant := l.grant(l.North)
		grant.Spec = v1alpha1.RegistryAccessGrantSpec{
			RegistryRef: v1alpha1.RegistryReference{Name: "clients"}, ProducerUnit: l.North.Spec.OID, Extent: v1alpha1.ExtentBasic,
			Agreement: &v1alpha1.Agreement{
				Reference: "agreement 7", ValidFrom: l.Ago(time.Hour),
				Buys: []v1alpha1.CareSector{v1alpha1.CareSectorSocial, v1alpha1.CareSectorHealth},
			},
		}
		Expect(l.Create(ctx, grant)).To(Succeed())
		Eventually(seen(ctx, l, grant)).Should(beReady(v1alpha1.GrantReadyReason))
		change(ctx, l, grant, func(g *v1alpha1.RegistryAccessGrant) {
			g.Spec.Agreement.Buys = []v1alpha1.CareSector{v1alpha1.CareSectorHealth}
		})
		l.expectRevoked(ctx, l.North, "SocialCareNotBought")
	})

	It("ends when the unit takes its acceptance back", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		change(ctx, l, l.North, func(u *v1alpha1.ProducerUnit) { u.Spec.AcceptFrom = nil })
		l.expectRevoked(ctx, l.North, "NotAcceptedByUnit")
	})

	It("ends when the organizer deletes the grant, and makes another only for a live relationship", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		secret := l.secret(l.North)
		old, err := seen(ctx, l, l.grant(l.North))()
		Expect(err).NotTo(HaveOccurred())
		first := l.credential(ctx, l.North)
		Expect(l.Delete(ctx, l.grant(l.North))).To(Succeed())
		Eventually(seen(ctx, l, l.grant(l.North))).Should(SatisfyAll(
			HaveField("UID", Not(Equal(old.UID))), beReady(v1alpha1.GrantReadyReason),
		))
		Eventually(func() (*corev1.Secret, error) { return seen(ctx, l, secret)() }).Should(HaveField("Data", Not(BeEmpty())))
		Expect(l.credential(ctx, l.North)).NotTo(Equal(first), "a new grant never takes over an old credential")
	})

	It("ends when a client system's certificate runs out", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) { w.CompanySystem.Spec.Certificate.ValidUntil = w.In(2 * time.Hour) })
		l.open(ctx)
		l.pass(2 * time.Hour)
		l.expectRevoked(ctx, l.North, "ProducerSystemExpired")
	})

	It("ends when the company's main joiner ends, and not before", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) {
			w.Company.Spec.Joining = v1alpha1.Joining{Mode: v1alpha1.JoiningJoint, MainJoiner: w.OID("30.0"), JoinedAt: w.Ago(time.Hour)}
		})
		main := l.Company.DeepCopy()
		main.Name, main.ResourceVersion, main.UID = l.Company.Name+"-main", "", ""
		main.Spec.OID, main.Spec.UnitOIDs = l.OID("30.0"), nil
		main.Spec.Joining = v1alpha1.Joining{Mode: v1alpha1.JoiningDirect, JoinedAt: l.Ago(time.Hour)}
		Eventually(seen(ctx, l, l.North)).Should(notBeReady(v1alpha1.OrganizationNotStandingReason))
		Expect(l.Create(ctx, main)).To(Succeed())
		l.open(ctx)
		change(ctx, l, main, func(o *v1alpha1.Organization) { o.Spec.Joining.EndedAt = ptr.To(l.In(time.Hour)) })
		Consistently(seen(ctx, l, l.grant(l.North)), "500ms").Should(beReady(v1alpha1.GrantReadyReason))
		l.pass(time.Hour)
		Eventually(seen(ctx, l, l.grant(l.North))).Should(SatisfyAll(
			HaveField("Status.Credentials", BeEmpty()),
			haveCondition(v1alpha1.ReadyCondition, "False", "UnitNotAccepted"),
		))
	})

	It("follows the platform when a unit moves to another company", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		change(ctx, l, l.Company, func(o *v1alpha1.Organization) { o.Spec.UnitOIDs = []v1alpha1.OID{l.South.Spec.OID} })
		Eventually(seen(ctx, l, l.North)).Should(notBeReady(v1alpha1.OIDNotListedReason))
		l.expectRevoked(ctx, l.North, "UnitNotAccepted")
	})

	It("lets a producer revoke its own credential by deleting the Secret, and delivers another", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		first := l.credential(ctx, l.North)
		Expect(l.Delete(ctx, l.secret(l.North))).To(Succeed())
		change(ctx, l, l.grant(l.North), func(g *v1alpha1.RegistryAccessGrant) { g.Annotations = map[string]string{"look": "again"} })
		Eventually(seen(ctx, l, l.secret(l.North))).ShouldNot(BeNil())
		Eventually(func() string { return l.credential(ctx, l.North) }).ShouldNot(BeElementOf("", first))
		Eventually(seen(ctx, l, l.grant(l.North))).Should(HaveField("Status.Credentials", HaveLen(1)))
	})
})

var _ = Describe("the credential", func() {
	It("is renewed in time, with an overlap that ends", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		grant, err := seen(ctx, l, l.grant(l.North))()
		Expect(err).NotTo(HaveOccurred())
		first := grant.Status.Credentials[0]
		life := first.NotAfter.Sub(l.clock.Now())
		Expect(first.RenewAt.Sub(l.clock.Now())).To(BeNumerically("~", life*7/10, life/10+time.Second))

		l.clock.SetTime(first.RenewAt.Add(-time.Second))
		Consistently(seen(ctx, l, l.grant(l.North)), "600ms").Should(HaveField("Status.Credentials", HaveLen(1)))
		l.clock.SetTime(first.RenewAt.Time)
		Eventually(seen(ctx, l, l.grant(l.North))).Should(HaveField("Status.Credentials", ConsistOf(
			SatisfyAll(HaveField("Fingerprint", first.Fingerprint), HaveField("State", v1alpha1.CredentialSuperseded), HaveField("AcceptUntil", Not(BeNil()))),
			SatisfyAll(HaveField("Fingerprint", Not(Equal(first.Fingerprint))), HaveField("State", v1alpha1.CredentialActive)),
		)))
		l.expectUsable(ctx, l.North)
		l.pass(2 * time.Minute)
		Eventually(seen(ctx, l, l.grant(l.North))).Should(HaveField("Status.Credentials", ConsistOf(HaveField("State", v1alpha1.CredentialActive))))
	})

	It("is issued for the unit's own key, and no Secret is made", func(ctx context.Context) {
		key, request := newRequest()
		l := begin(ctx, func(w *testworld.World) {
			w.North.Spec.Credential = v1alpha1.UnitCredential{Delivery: v1alpha1.DeliveryCertificateRequest, CertificateRequest: request}
		})
		l.open(ctx)
		grant, err := seen(ctx, l, l.grant(l.North))()
		Expect(err).NotTo(HaveOccurred())
		Expect(grant.Status.Credentials).To(HaveLen(1))
		_, err = tls.X509KeyPair([]byte(grant.Status.Credentials[0].Certificate), key.PEM())
		Expect(err).NotTo(HaveOccurred())
		Expect(grant.Status.SecretRef).To(BeNil())
		Eventually(seen(ctx, l, l.North)).Should(HaveField("Status.Registries", ConsistOf(HaveField("Certificate", grant.Status.Credentials[0].Certificate))))

		_, another := newRequest()
		change(ctx, l, l.North, func(u *v1alpha1.ProducerUnit) { u.Spec.Credential.CertificateRequest = another })
		Eventually(seen(ctx, l, l.grant(l.North))).Should(HaveField("Status.Credentials", ConsistOf(
			HaveField("Fingerprint", Not(Equal(grant.Status.Credentials[0].Fingerprint))))))

		change(ctx, l, l.North, func(u *v1alpha1.ProducerUnit) { u.Spec.Credential.CertificateRequest = "not a request" })
		Eventually(seen(ctx, l, l.grant(l.North))).Should(SatisfyAll(
			notBeReady(v1alpha1.CertificateRequestInvalidReason), HaveField("Status.Credentials", BeEmpty())))
	})

	It("never adopts a Secret that is not its own", func(ctx context.Context) {
		l := begin(ctx, nil)
		foreign := l.secret(l.North)
		foreign.StringData = map[string]string{"precious": "theirs"}
		Expect(l.Create(ctx, foreign)).To(Succeed())
		Expect(l.Create(ctx, l.Test())).To(Succeed())
		Expect(l.Create(ctx, l.Relationship(l.North.Spec.OID))).To(Succeed())
		Eventually(seen(ctx, l, l.grant(l.North))).Should(SatisfyAll(
			notBeReady(v1alpha1.SecretConflictReason), HaveField("Status.Credentials", BeEmpty())))
		Consistently(seen(ctx, l, foreign), "300ms").Should(HaveField("Data", HaveKeyWithValue("precious", []byte("theirs"))))
		Expect(l.Delete(ctx, l.grant(l.North))).To(Succeed())
		Consistently(seen(ctx, l, foreign), "300ms").Should(HaveField("Data", HaveKeyWithValue("precious", []byte("theirs"))))
	})
})

func readyMessage(o *v1alpha1.ServiceRelationship) string {
	for _, c := range o.Status.Conditions {
		if c.Type == v1alpha1.ReadyCondition {
			return c.Message
		}
	}
	return ""
}

// newRequest makes a key and a certificate request for it.
func newRequest() (pki.Key, string) {
	key, err := pki.NewKey()
	Expect(err).NotTo(HaveOccurred())
	request, err := testworld.CertificateRequest(key)
	Expect(err).NotTo(HaveOccurred())
	return key, request
}

// credential returns the fingerprint in the unit's Secret.
func (l *life) credential(ctx context.Context, unit *v1alpha1.ProducerUnit) string {
	secret := &corev1.Secret{}
	if err := l.Get(ctx, client.ObjectKeyFromObject(l.secret(unit)), secret); err != nil {
		return ""
	}
	leaf, err := leafIn(secret)
	if err != nil {
		return ""
	}
	return pki.FingerprintOf(leaf).String()
}

func leafIn(secret *corev1.Secret) (*x509.Certificate, error) {
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(pair.Certificate[0])
}

func identityIn(secret *corev1.Secret) (pki.Identity, error) {
	leaf, err := leafIn(secret)
	if err != nil {
		return pki.Identity{}, err
	}
	return pki.IdentityOf(leaf)
}

// expectUsable expects the unit's Secret to hold what the ledger's active entry says, under the archive's authority.
func (l *life) expectUsable(ctx context.Context, unit *v1alpha1.ProducerUnit) {
	GinkgoHelper()
	secret := &corev1.Secret{}
	Expect(l.Get(ctx, client.ObjectKeyFromObject(l.secret(unit)), secret)).To(Succeed())
	leaf, err := leafIn(secret)
	Expect(err).NotTo(HaveOccurred())
	Expect(identityIn(secret)).To(Equal(pki.Identity{TrustDomain: "archive.example", Registry: string(l.Registry.Spec.OID), Unit: string(unit.Spec.OID)}))
	roots := x509.NewCertPool()
	Expect(roots.AppendCertsFromPEM(secret.Data["ca.crt"])).To(BeTrue())
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: l.clock.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	Expect(err).NotTo(HaveOccurred())
	Eventually(seen(ctx, l, l.grant(unit))).Should(HaveField("Status.Credentials", ContainElement(SatisfyAll(
		HaveField("State", v1alpha1.CredentialActive), HaveField("Fingerprint", pki.FingerprintOf(leaf).String())))))
}

// expectRevoked expects the unit to have lost everything: the ledger's lines, the Secret, and the grant's readiness.
func (l *life) expectRevoked(ctx context.Context, unit *v1alpha1.ProducerUnit, reason string) {
	GinkgoHelper()
	Eventually(seen(ctx, l, l.grant(unit))).Should(SatisfyAll(
		notBeReady(reason),
		HaveField("Status.Credentials", BeEmpty()),
		haveCondition(v1alpha1.RevocationEnforcedCondition, "False", v1alpha1.AwaitingArchiveReason),
	))
	Eventually(func() error { return l.Get(ctx, client.ObjectKeyFromObject(l.secret(unit)), &corev1.Secret{}) }).
		Should(MatchError(ContainSubstring("not found")))
	// With no replica to wait for, the staleness bound and the clocks' difference have to pass.
	l.pass(16 * time.Second)
	Eventually(seen(ctx, l, l.grant(unit))).Should(
		haveCondition(v1alpha1.RevocationEnforcedCondition, "True", v1alpha1.NoLiveReplicaReason))
}
