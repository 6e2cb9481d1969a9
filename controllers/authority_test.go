// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/authority"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/enforcement"
	"github.com/valtuus/valtuus/internal/pki"
	"github.com/valtuus/valtuus/internal/testworld"
)

// rotate asks for another authority.
func (l *life) rotate(ctx context.Context, number int32) {
	GinkgoHelper()
	change(ctx, l, l.Archive, func(a *v1alpha1.Archive) { a.Spec.Authority = &v1alpha1.AuthorityPolicy{Rotation: number} })
}

func (l *life) platformSecret(suffix string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: l.Platform, Name: l.Archive.Name + suffix}}
}

// authority is the archive's status of its authority, and stage the stage in it.
func (l *life) authority(ctx context.Context) v1alpha1.AuthorityStatus {
	archive, err := seen(ctx, l, l.Archive)()
	if err != nil || archive.Status.Authority == nil {
		return v1alpha1.AuthorityStatus{}
	}
	return *archive.Status.Authority
}

func (l *life) stage(ctx context.Context) func() v1alpha1.AuthorityStage {
	return func() v1alpha1.AuthorityStage { return l.authority(ctx).Stage }
}

// handshakes tells what is wrong between the Secrets of the server, the organizer and the northern unit: each has to
// verify the other's certificate by what is in its own.
func (l *life) handshakes(ctx context.Context) error {
	server, err := seen(ctx, l, l.platformSecret("-server"))()
	if err != nil {
		return err
	}
	organizer := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: l.Organizer, Name: l.Registry.Name + "-organizer"}}
	for _, holder := range []*corev1.Secret{l.secret(l.North), organizer} {
		held, err := seen(ctx, l, holder)()
		if err != nil {
			return err
		}
		for verifier, verified := range map[*corev1.Secret]*corev1.Secret{server: held, held: server} {
			leaf, err := leafIn(verified)
			if err != nil {
				return err
			}
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(verifier.Data["ca.crt"])
			if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: l.clock.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
				return fmt.Errorf("%s refuses %s: %w", verifier.Name, verified.Name, err)
			}
		}
	}
	return nil
}

// certificatesOf are the fingerprints of the certificates in the Secrets of the server, the organizer and the unit.
func (l *life) certificatesOf(ctx context.Context) (out []string) {
	GinkgoHelper()
	for _, key := range []*corev1.Secret{l.platformSecret("-server"), l.secret(l.North), {ObjectMeta: metav1.ObjectMeta{Namespace: l.Organizer, Name: l.Registry.Name + "-organizer"}}} {
		leaf, err := leafIn(must(seen(ctx, l, key)()))
		Expect(err).NotTo(HaveOccurred())
		out = append(out, pki.FingerprintOf(leaf).String())
	}
	return out
}

// carriedBy are the numbers of authorities in the Secrets of the server, the organizer and the unit.
func (l *life) carriedBy(ctx context.Context) (out []int) {
	for _, key := range []*corev1.Secret{l.platformSecret("-server"), l.secret(l.North), {ObjectMeta: metav1.ObjectMeta{Namespace: l.Organizer, Name: l.Registry.Name + "-organizer"}}} {
		secret, err := seen(ctx, l, key)()
		if err != nil {
			return nil
		}
		out = append(out, strings.Count(string(secret.Data["ca.crt"]), "BEGIN"))
	}
	return out
}

// renewAll moves the clock to where every credential has been renewed, and the overlap of the former ones is over.
func (l *life) renewAll(ctx context.Context, units ...*v1alpha1.ProducerUnit) {
	GinkgoHelper()
	l.renew(ctx, units...)
	l.pass(3 * time.Minute)
}

// renew moves the clock to where every credential has been renewed. The former ones are accepted still.
func (l *life) renew(ctx context.Context, units ...*v1alpha1.ProducerUnit) {
	GinkgoHelper()
	latest := must(seen(ctx, l, l.Registry)()).Status.Credentials[0].RenewAt.Time
	for _, unit := range units {
		for _, c := range must(seen(ctx, l, l.grant(unit))()).Status.Credentials {
			if c.RenewAt.After(latest) {
				latest = c.RenewAt.Time
			}
		}
	}
	l.clock.SetTime(latest.Add(time.Second))
	renewed := HaveField("Status.Credentials", ContainElement(SatisfyAll(HaveField("State", v1alpha1.CredentialActive), HaveField("RenewAt.Time", BeTemporally(">", l.clock.Now())))))
	Eventually(seen(ctx, l, l.Registry)).Should(renewed)
	for _, unit := range units {
		Eventually(seen(ctx, l, l.grant(unit))).Should(renewed)
	}
}

// finish renews all credentials until the former authority is gone. A second round is due where the clock of the spec
// jumped to a renewal before the cache had learned who issues.
func (l *life) finish(ctx context.Context, units ...*v1alpha1.ProducerUnit) {
	GinkgoHelper()
	l.renewAll(ctx, units...)
	if !l.allOf(ctx, l.authority(ctx).Fingerprint, units...) {
		l.renewAll(ctx, units...)
	}
	Eventually(func() v1alpha1.AuthorityStatus { return l.authority(ctx) }).Should(HaveField("Stage", v1alpha1.AuthorityStable))
}

// allOf tells whether every active credential was issued by an authority.
func (l *life) allOf(ctx context.Context, authority string, units ...*v1alpha1.ProducerUnit) bool {
	GinkgoHelper()
	credentials := must(seen(ctx, l, l.Registry)()).Status.Credentials
	for _, unit := range units {
		credentials = append(credentials, must(seen(ctx, l, l.grant(unit))()).Status.Credentials...)
	}
	return !slices.ContainsFunc(credentials, func(c v1alpha1.Credential) bool {
		return c.State == v1alpha1.CredentialActive && c.Authority != authority
	})
}

var _ = Describe("an archive's authority", func() {
	It("is replaced in stages that no client notices, and nothing is issued anew before its time", func(ctx context.Context) {
		_, request := newRequest()
		l := begin(ctx, func(w *testworld.World) {
			w.South.Spec.Credential = v1alpha1.UnitCredential{Delivery: v1alpha1.DeliveryCertificateRequest, CertificateRequest: request}
		})
		l.open(ctx)
		Expect(l.Create(ctx, l.Relationship(l.South.Spec.OID))).To(Succeed())
		Eventually(seen(ctx, l, l.grant(l.South))).Should(beReady(v1alpha1.GrantReadyReason))
		keys := hoardKeys(ctx, l)
		first, bundle := l.authority(ctx), must(seen(ctx, l, l.Archive)()).Status.CABundle
		Expect(first).To(SatisfyAll(HaveField("Stage", v1alpha1.AuthorityStable), HaveField("Rotation", HaveValue(BeEquivalentTo(0)))))
		issued := l.certificatesOf(ctx)
		l.pass(10 * time.Second)

		l.rotate(ctx, 1)
		Eventually(l.stage(ctx)).Should(Equal(v1alpha1.AuthorityPublishing))
		Eventually(func() []int { return l.carriedBy(ctx) }).Should(Equal([]int{2, 2, 2}))
		Expect(l.certificatesOf(ctx)).To(Equal(issued), "nothing is issued anew")
		Expect(l.authority(ctx)).To(SatisfyAll(HaveField("Fingerprint", first.Fingerprint), HaveField("NextFingerprint", Not(BeElementOf("", first.Fingerprint)))))
		both := must(seen(ctx, l, l.Archive)()).Status.CABundle
		Expect(both).To(HavePrefix(bundle))
		Eventually(seen(ctx, l, l.South)).Should(HaveField("Status.Registries", ConsistOf(HaveField("CABundle", both))))
		Eventually(seen(ctx, l, l.Archive)).Should(WithTransform(readyMessageOf, ContainSubstring(authority.WaitOwnKeys)))
		l.pass(authority.Settle)
		Consistently(l.stage(ctx), "500ms").Should(Equal(v1alpha1.AuthorityPublishing), "a unit with its own key has had no occasion to look")
		l.renewAll(ctx, l.North, l.South)
		Eventually(func() v1alpha1.AuthorityStatus { return l.authority(ctx) }).Should(HaveField("PublishedAt", Not(BeNil())))
		Expect(l.stage(ctx)()).To(Equal(v1alpha1.AuthorityPublishing), "mounted files take their time")
		issued = l.certificatesOf(ctx)
		l.pass(authority.Settle)

		Eventually(l.stage(ctx)).Should(Equal(v1alpha1.AuthorityReplacing))
		second := l.authority(ctx)
		Expect(second.Fingerprint).NotTo(Equal(first.Fingerprint))
		Eventually(func() string { return l.certificatesOf(ctx)[0] }).ShouldNot(Equal(issued[0]), "the server's certificate is issued by the new authority")
		Expect(l.handshakes(ctx)).To(Succeed())
		Expect(l.certificatesOf(ctx)[1:]).To(Equal(issued[1:]), "credentials are renewed in their own time")
		l.pass(authority.Settle)
		Eventually(seen(ctx, l, l.Archive)).Should(WithTransform(readyMessageOf, ContainSubstring(authority.WaitLedgers)))
		l.finish(ctx, l.North, l.South)
		Eventually(func() []int { return l.carriedBy(ctx) }).Should(Equal([]int{1, 1, 1}))
		Expect(l.handshakes(ctx)).To(Succeed())
		Expect(l.authority(ctx)).To(SatisfyAll(
			HaveField("Fingerprint", second.Fingerprint), HaveField("Rotation", HaveValue(BeEquivalentTo(1))), HaveField("NextFingerprint", "")))
		ca := must(seen(ctx, l, l.platformSecret("-ca"))())
		Expect(string(ca.Data[corev1.TLSCertKey])).To(Equal(must(seen(ctx, l, l.Archive)()).Status.CABundle))
		Expect(l.Get(ctx, keyOf(l.platformSecret("-ca-next")), &corev1.Secret{})).To(MatchError(ContainSubstring("not found")))
		for _, grant := range []*v1alpha1.RegistryAccessGrant{l.grant(l.North), l.grant(l.South)} {
			Expect(must(seen(ctx, l, grant)()).Status.Credentials).To(HaveEach(HaveField("Authority", second.Fingerprint)))
		}
		Eventually(seen(ctx, l, l.South)).Should(HaveField("Status.Registries", ConsistOf(HaveField("CABundle", Not(ContainSubstring(bundle))))))
		places := must(published(ctx, l))
		for where, content := range places {
			Expect(leaks(where, content, keys.all(ctx, l))).To(BeEmpty())
		}

		By("leaving alone what is settled")
		settling := &journal{}
		l.startOn(settling.keep(l.config()), nil)
		l.quiet(ctx, settling)
		restarted := &journal{}
		l.startOn(restarted.keep(l.config()), nil)
		l.expectNothing(ctx, restarted)
	})

	It("is replaced although the manager dies again and again, after one to three writes", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		first := l.authority(ctx)
		l.rotate(ctx, 1)
		l.stop()
		var writes []string
		problems := func() (found []string) {
			if err := l.handshakes(ctx); err != nil {
				found = append(found, err.Error())
			}
			return found
		}
		// live lets a manager make some writes, or fewer if there is no more to be done. A single one would not do to issue:
		// the key dies with the manager.
		live := func(most int) (died bool) {
			c := &crash{after: most, look: problems}
			l.start(c.wrap)
			defer func() {
				l.stop()
				Expect(c.problem).To(BeEmpty(), "after %v and then %v", writes, c.writes)
				writes = append(writes, c.writes...)
			}()
			former := -1
			Eventually(func() bool {
				count := c.count()
				still := count == former && l.upToDate(ctx) && idle()
				died, former = c.crashed(), count
				return died || still
			}).WithPolling(300 * time.Millisecond).Should(BeTrue())
			return died
		}
		for n := 0; l.authority(ctx).Stage != v1alpha1.AuthorityStable || l.authority(ctx).Fingerprint == first.Fingerprint; n++ {
			Expect(n).To(BeNumerically("<", 120), "%s, writes: %v", l.stage(ctx)(), writes)
			if !live(1 + n%3) {
				l.pass(20 * time.Minute)
			}
		}
		l.start(nil)
		Eventually(func() []int { return l.carriedBy(ctx) }).Should(Equal([]int{1, 1, 1}))
		Expect(l.handshakes(ctx)).To(Succeed())
		Expect(l.Get(ctx, keyOf(l.platformSecret("-ca-next")), &corev1.Secret{})).To(MatchError(ContainSubstring("not found")))
		Expect(strings.Join(writes, ", ")).To(SatisfyAll(
			ContainSubstring("create Secret "+l.Archive.Name+"-ca-next"), ContainSubstring("update Secret "+l.Archive.Name+"-ca,"),
			ContainSubstring("delete Secret "+l.Archive.Name+"-ca-next")))
	})

	It("that is lost is told, and another takes its place when that is asked for", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		first := l.authority(ctx)
		l.stop()
		Expect(l.Delete(ctx, l.platformSecret("-ca"))).To(Succeed())
		l.start(nil)
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(notBeReady(v1alpha1.AuthorityLostReason), WithTransform(readyMessageOf, ContainSubstring("raise spec.authority.rotation"))))
		l.rotate(ctx, 1)
		Eventually(func() []int { return l.carriedBy(ctx) }).Should(Equal([]int{2, 2, 2}), "the new one is made known without the key of the former")
		Eventually(seen(ctx, l, l.Archive)).Should(notBeReady(v1alpha1.AuthorityLostReason))
		Eventually(func() v1alpha1.AuthorityStatus { return l.authority(ctx) }).Should(HaveField("PublishedAt", Not(BeNil())))

		By("losing the new one as well, before it issues")
		l.stop()
		Expect(l.Delete(ctx, l.platformSecret("-ca-next"))).To(Succeed())
		l.start(nil)
		Eventually(seen(ctx, l, l.Archive)).Should(WithTransform(readyMessageOf, ContainSubstring(l.Archive.Name+"-ca-next with the certificate authority is missing")))
		l.pass(authority.Settle)
		Consistently(l.stage(ctx), "500ms").Should(Equal(v1alpha1.AuthorityPublishing))
		l.rotate(ctx, 2)
		Eventually(func() v1alpha1.AuthorityStatus { return l.authority(ctx) }).Should(SatisfyAll(HaveField("Rotation", HaveValue(BeEquivalentTo(2))), HaveField("PublishedAt", Not(BeNil()))))
		Expect(l.carriedBy(ctx)).To(Equal([]int{2, 2, 2}), "the one that was lost is withdrawn")
		l.pass(authority.Settle)
		Eventually(seen(ctx, l, l.Archive)).Should(SatisfyAll(beReady(v1alpha1.ServerCertificateIssuedReason), HaveField("Status.Authority.Stage", v1alpha1.AuthorityReplacing)))
		l.pass(authority.Settle)
		l.finish(ctx, l.North)
		Expect(l.handshakes(ctx)).To(Succeed())
		Expect(l.authority(ctx).Fingerprint).NotTo(Equal(first.Fingerprint))
	})

	It("that is lost with the server's Secret is replaced when that is asked for, and what runs is kept meanwhile", func(ctx context.Context) {
		l := up(ctx, embedded)
		Eventually(seen(ctx, l, l.Registry)).Should(beReady(v1alpha1.SucceededReason))
		holder := must(seen(ctx, l, l.Registry)()).Status.SecretRef
		l.stop()
		for _, o := range []client.Object{l.platformSecret("-ca"), l.platformSecret("-server"),
			&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: holder.Namespace, Name: string(holder.Name)}}} {
			Expect(l.Delete(ctx, o)).To(Succeed())
		}
		l.start(nil)
		Eventually(seen(ctx, l, l.Archive)).Should(notBeReady(v1alpha1.AuthorityLostReason))
		service := come(ctx, l, &corev1.Service{ObjectMeta: l.meta("")})
		Expect(l.Delete(ctx, service)).To(Succeed())
		Eventually(seen(ctx, l, service)).Should(HaveField("UID", Not(Equal(service.UID))))
		Expect(must(seen(ctx, l, l.Archive)())).To(notBeReady(v1alpha1.AuthorityLostReason))

		l.rotate(ctx, 1)
		Eventually(func() v1alpha1.AuthorityStatus { return l.authority(ctx) }).Should(HaveField("PublishedAt", Not(BeNil())))
		l.pass(authority.Settle)
		Eventually(l.stage(ctx)).Should(Equal(v1alpha1.AuthorityReplacing))
		Eventually(seen(ctx, l, l.Archive)).Should(beReady(v1alpha1.ArchiveServingReason))
		come(ctx, l, l.platformSecret("-server"))
	})

	It("that has expired while the manager was away is replaced unasked, and access comes back", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) {
			w.AreaSystem.Spec.Certificate.ValidUntil = w.In(20 * 365 * 24 * time.Hour)
			w.CompanySystem.Spec.Certificate.ValidUntil = w.In(20 * 365 * 24 * time.Hour)
		})
		l.open(ctx)
		first := l.authority(ctx)
		former := l.credential(ctx, l.North)
		l.stop()
		l.pass(11 * 365 * 24 * time.Hour)
		l.start(nil)
		Eventually(func() v1alpha1.AuthorityStatus { return l.authority(ctx) }).Should(HaveField("Fingerprint", Not(BeElementOf("", first.Fingerprint))))
		Eventually(func() string { return l.credential(ctx, l.North) }).ShouldNot(BeElementOf("", former))
		Eventually(func() error { return l.handshakes(ctx) }).Should(Succeed())
		Expect(l.carriedBy(ctx)).To(Equal([]int{1, 1, 1}))
		Eventually(seen(ctx, l, l.grant(l.North))).Should(beReady(v1alpha1.GrantReadyReason))
		l.pass(authority.Settle)
		Eventually(l.stage(ctx)).Should(Equal(v1alpha1.AuthorityStable))
		Expect(l.handshakes(ctx)).To(Succeed())
	})

	It("waits for a replica that says that it does not trust or serve the new one yet", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		replica := l.replica(ctx, "a")
		tell := func(serves string, trusts ...string) {
			replica.lease.Annotations = map[string]string{enforcement.ServesAnnotation: serves, enforcement.TrustsAnnotation: strings.Join(trusts, ",")}
			replica.lease.Spec.RenewTime = &metav1.MicroTime{Time: l.clock.Now()}
			Expect(l.Update(ctx, replica.lease)).To(Succeed())
			l.look()
		}
		first, server := l.authority(ctx), l.certificatesOf(ctx)[0]
		tell(server, first.Fingerprint)
		l.rotate(ctx, 1)
		Eventually(seen(ctx, l, l.Archive)).Should(WithTransform(readyMessageOf, ContainSubstring(authority.WaitReplicas)))
		l.pass(authority.Settle)
		Consistently(l.stage(ctx), "500ms").Should(Equal(v1alpha1.AuthorityPublishing))
		tell(server, first.Fingerprint, l.authority(ctx).NextFingerprint)
		Eventually(func() v1alpha1.AuthorityStatus { return l.authority(ctx) }).Should(HaveField("PublishedAt", Not(BeNil())))
		l.pass(authority.Settle)
		Eventually(l.stage(ctx)).Should(Equal(v1alpha1.AuthorityReplacing))
		l.renew(ctx, l.North)
		second := l.authority(ctx)
		tell(server, first.Fingerprint, second.Fingerprint) // before the clock lets the former credentials go: it was silent meanwhile
		l.pass(4 * time.Minute)
		Consistently(l.stage(ctx), "500ms").Should(Equal(v1alpha1.AuthorityReplacing), "the former server certificate is still served")
		Expect(readyMessageOf(must(seen(ctx, l, l.Archive)()))).To(ContainSubstring(authority.WaitServer))
		tell(l.certificatesOf(ctx)[0], first.Fingerprint, second.Fingerprint)
		l.finish(ctx, l.North)
	})

	It("of a former version is taken up as it is", func(ctx context.Context) {
		l := begin(ctx, nil)
		l.open(ctx)
		issued := l.certificatesOf(ctx)
		bundle := must(seen(ctx, l, l.Archive)()).Status.CABundle
		Eventually(seen(ctx, l, l.North)).Should(HaveField("Status.Registries", ConsistOf(HaveField("Reason", v1alpha1.GrantReadyReason))))
		settling := &journal{}
		l.startOn(settling.keep(l.config()), nil)
		l.quiet(ctx, settling)
		l.stop()
		// What was not known then.
		for _, o := range []client.Object{l.Archive, l.Registry, l.grant(l.North)} {
			fresh, err := seen(ctx, l, o)()
			Expect(err).NotTo(HaveOccurred())
			before := fresh.DeepCopyObject().(client.Object)
			switch o := fresh.(type) {
			case *v1alpha1.Archive:
				o.Status.Authority = nil
			case *v1alpha1.Registry:
				o.Status.CABundleHash, o.Status.Credentials[0].Authority = "", ""
			case *v1alpha1.RegistryAccessGrant:
				o.Status.CABundleHash, o.Status.Credentials[0].Authority = "", ""
			}
			Expect(l.Status().Patch(ctx, fresh, client.MergeFrom(before))).To(Succeed())
		}
		written := &journal{}
		l.startOn(written.keep(l.config()), nil)
		l.quiet(ctx, written)
		Expect(written.all()).To(ConsistOf(HaveSuffix("/archives/"+l.Archive.Name+"/status")), "the archive tells of its authority, and nothing else is written")
		Expect(l.certificatesOf(ctx)).To(Equal(issued))
		Expect(must(seen(ctx, l, l.Archive)()).Status.CABundle).To(Equal(bundle))
		l.rotate(ctx, 1)
		Eventually(func() []int { return l.carriedBy(ctx) }).Should(Equal([]int{2, 2, 2}))
		Eventually(func() v1alpha1.AuthorityStatus { return l.authority(ctx) }).Should(HaveField("PublishedAt", Not(BeNil())))
		l.pass(authority.Settle)
		Eventually(l.stage(ctx)).Should(Equal(v1alpha1.AuthorityReplacing))
		l.pass(authority.Settle)
		Consistently(l.stage(ctx), "500ms").Should(Equal(v1alpha1.AuthorityReplacing), "what was issued by an unknown authority counts as of the former")
		l.finish(ctx, l.North)
	})

	It("begins with what is asked for, and an archive's Secrets of other makers are left alone", func(ctx context.Context) {
		l := begin(ctx, func(w *testworld.World) { w.Archive.Spec.Authority = &v1alpha1.AuthorityPolicy{Rotation: 7} })
		l.open(ctx)
		Expect(l.authority(ctx)).To(SatisfyAll(HaveField("Stage", v1alpha1.AuthorityStable), HaveField("Rotation", HaveValue(BeEquivalentTo(7)))))
		foreign := l.platformSecret("-ca-next")
		foreign.Data = map[string][]byte{"mine": []byte("yes")}
		Expect(l.Create(ctx, foreign)).To(Succeed())
		l.rotate(ctx, 8)
		Eventually(seen(ctx, l, l.Archive)).Should(notBeReady(v1alpha1.SecretConflictReason))
		Expect(must(seen(ctx, l, foreign)()).Data).To(HaveKey("mine"))
		Expect(l.Delete(ctx, foreign)).To(Succeed())
		l.touch(ctx, l.Archive, "again")
		Eventually(l.stage(ctx)).Should(Equal(v1alpha1.AuthorityPublishing))
	})
})

func readyMessageOf(o *v1alpha1.Archive) string {
	if c := conditions.Get(o, v1alpha1.ReadyCondition); c != nil {
		return c.Message
	}
	return ""
}
