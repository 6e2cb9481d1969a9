// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/identitycode"
	"github.com/valtuus/valtuus/internal/pki"
	"github.com/valtuus/valtuus/internal/testworld"
)

// text is a log that can be read while it is written.
type text struct {
	mutex   sync.Mutex
	builder strings.Builder
}

func (t *text) add(line string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.builder.WriteString(line + "\n")
}

func (t *text) String() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.builder.String()
}

// hoard keeps every private key that was ever in a Secret.
type hoard struct {
	mutex sync.Mutex
	keys  map[string]string // where it was seen, by PEM
	last  string            // the Secret that was seen last
}

// hoardKeys watches all Secrets until the spec ends.
func hoardKeys(ctx context.Context, l *life) *hoard {
	h := &hoard{keys: map[string]string{}}
	watcher, err := l.Watch(ctx, &corev1.SecretList{})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(watcher.Stop)
	go func() {
		for event := range watcher.ResultChan() {
			secret, ok := event.Object.(*corev1.Secret)
			if !ok || event.Type == watch.Deleted {
				continue
			}
			h.mutex.Lock()
			h.last = secret.Name
			if key := secret.Data[corev1.TLSPrivateKeyKey]; len(key) > 0 {
				h.keys[string(key)] = secret.Namespace + "/" + secret.Name
			}
			h.mutex.Unlock()
		}
	}()
	return h
}

// all returns the keys that were in a Secret until now. The last of all Secrets tells that the watch has come so far.
func (h *hoard) all(ctx context.Context, l *life) map[string]string {
	GinkgoHelper()
	last := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: l.Organizer, GenerateName: "last-"}}
	Expect(l.Create(ctx, last)).To(Succeed())
	Eventually(func() bool {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		return h.last == last.Name
	}).Should(BeTrue())
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return maps.Clone(h.keys)
}

// leaks tells which keys a text holds a part of: forty characters of the body in a row, wherever they begin.
func leaks(where, content string, keys map[string]string) (found []string) {
	content = strings.NewReplacer("\n", "", "\\n", "", " ", "").Replace(content)
	if strings.Contains(content, "PRIVATEKEY") {
		found = append(found, where+" holds a private key's header")
	}
	for key, from := range keys {
		var body strings.Builder
		for line := range strings.Lines(key) {
			if !strings.HasPrefix(line, "-----") {
				body.WriteString(strings.TrimSpace(line))
			}
		}
		// In a PKCS #8 key of P-256, what comes before is the same for all, and what comes after is public.
		const secret, public, chunk = 48, 92, 40
		for i := secret; i+chunk <= public; i++ {
			if strings.Contains(content, body.String()[i:i+chunk]) {
				found = append(found, where+" holds a part of the key of "+from)
				break
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found) // a key may have been in its Secret in several forms
}

// published is all that the API server has of kinds that are no place for a secret, as YAML by where it is.
func published(ctx context.Context, l *life) (map[string]string, error) {
	out := map[string]string{}
	group := v1alpha1.GroupVersion
	for _, kind := range []schema.GroupVersionKind{
		group.WithKind("Archive"), group.WithKind("Organization"), group.WithKind("ClientSystem"), group.WithKind("Registry"),
		group.WithKind("ProducerUnit"), group.WithKind("ServiceRelationship"), group.WithKind("RegistryAccessGrant"), group.WithKind("DeploymentTest"),
		{Version: "v1", Kind: "ConfigMap"}, {Version: "v1", Kind: "Event"}, {Group: "events.k8s.io", Version: "v1", Kind: "Event"},
		{Group: "coordination.k8s.io", Version: "v1", Kind: "Lease"},
	} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		if err := l.List(ctx, list); err != nil {
			return nil, err
		}
		for i := range list.Items {
			o := &list.Items[i]
			content, err := yaml.Marshal(o.Object)
			if err != nil {
				return nil, err
			}
			out[fmt.Sprintf("%s %s/%s", kind.Kind, o.GetNamespace(), o.GetName())] = string(content)
		}
	}
	return out, nil
}

var _ = Describe("what the manager makes secret", func() {
	It("is in its Secret and nowhere else: no status, event, ConfigMap, Lease or log (invariants 7 and 8)", func(ctx context.Context) {
		log := &text{}
		logger := funcr.New(func(prefix, args string) { log.add(prefix + " " + args) }, funcr.Options{Verbosity: 10, LogCaller: funcr.All})
		ownKey, request := newRequest()
		l := begin(ctx, func(w *testworld.World) {
			w.South.Spec.Credential = v1alpha1.UnitCredential{Delivery: v1alpha1.DeliveryCertificateRequest, CertificateRequest: request}
		})
		keys := hoardKeys(ctx, l)
		l.log = logger
		l.start(nil)

		// Issue, renew, revoke, issue again; once to a key of the unit's own.
		l.open(ctx)
		Expect(l.Create(ctx, l.Relationship(l.South.Spec.OID))).To(Succeed())
		Eventually(seen(ctx, l, l.grant(l.South))).Should(beReady(v1alpha1.GrantReadyReason))
		for range 2 {
			grant := must(seen(ctx, l, l.grant(l.North))())
			l.clock.SetTime(grant.Status.Credentials[len(grant.Status.Credentials)-1].RenewAt.Time)
			Eventually(seen(ctx, l, l.grant(l.North))).Should(HaveField("Status.CredentialExpiresAt.Time", BeTemporally(">", grant.Status.CredentialExpiresAt.Time)))
		}
		change(ctx, l, l.grant(l.North), func(g *v1alpha1.RegistryAccessGrant) { g.Spec.Suspend = ptr.To(true) })
		l.expectRevoked(ctx, l.North, v1alpha1.SuspendedReason)
		change(ctx, l, l.grant(l.North), func(g *v1alpha1.RegistryAccessGrant) { g.Spec.Suspend = nil })
		Eventually(seen(ctx, l, l.grant(l.North))).Should(beReady(v1alpha1.GrantReadyReason))
		change(ctx, l, l.Archive, func(a *v1alpha1.Archive) { a.Spec.External.DNSNames = []string{"archive.example"} })

		// Writes that fail, a Secret of another's in the way, a request that cannot be read, an authority that is damaged.
		failing := &crash{after: 0, look: func() []string { return nil }}
		l.stop()
		change(ctx, l, l.grant(l.North), func(g *v1alpha1.RegistryAccessGrant) { g.Spec.Suspend = ptr.To(true) })
		l.start(failing.wrap)
		Eventually(failing.crashed).Should(BeTrue())
		l.start(nil)
		l.expectRevoked(ctx, l.North, v1alpha1.SuspendedReason)
		foreign := l.secret(l.North)
		foreignKey, err := pki.NewKey()
		Expect(err).NotTo(HaveOccurred())
		foreign.Data = map[string][]byte{corev1.TLSPrivateKeyKey: foreignKey.PEM()}
		Expect(l.Create(ctx, foreign)).To(Succeed())
		change(ctx, l, l.grant(l.North), func(g *v1alpha1.RegistryAccessGrant) { g.Spec.Suspend = nil })
		Eventually(seen(ctx, l, l.grant(l.North))).Should(notBeReady(v1alpha1.SecretConflictReason))
		change(ctx, l, l.South, func(u *v1alpha1.ProducerUnit) { u.Spec.Credential.CertificateRequest = string(ownKey.PEM()[:40]) })
		Eventually(seen(ctx, l, l.grant(l.South))).Should(notBeReady(v1alpha1.CertificateRequestInvalidReason))
		change(ctx, l, l.South, func(u *v1alpha1.ProducerUnit) { u.Spec.Credential.CertificateRequest = request })
		ca := must(seen(ctx, l, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: l.Platform, Name: l.Archive.Name + "-ca"}})())
		change(ctx, l, ca, func(s *corev1.Secret) {
			s.Data[corev1.TLSPrivateKeyKey] = append(slices.Clone(ca.Data[corev1.TLSPrivateKeyKey][:200]), '!')
		})
		l.start(nil)
		Eventually(seen(ctx, l, l.Archive)).Should(notBeReady(v1alpha1.AuthorityLostReason))
		l.pass(8 * time.Hour) // every renewal fails now
		Eventually(seen(ctx, l, l.grant(l.South))).Should(notBeReady(v1alpha1.IssuerUnavailableReason))
		Eventually(func() string { return log.String() }).Should(ContainSubstring("certificate authority cannot be read"))

		all := keys.all(ctx, l)
		all[string(ownKey.PEM())] = "the unit's own"
		Expect(len(all)).To(BeNumerically(">=", 10), "%v", slices.Collect(maps.Values(all)))
		look := func() (found []string) {
			places, err := published(ctx, l)
			Expect(err).NotTo(HaveOccurred())
			places["the log"] = log.String()
			for where, content := range places {
				// A producer may write what it likes into its own spec; that one did.
				if strings.HasPrefix(where, "ProducerUnit ") {
					content = content[strings.Index(content, "\nstatus:")+1:]
				}
				found = append(found, leaks(where, content, all)...)
				for word := range strings.FieldsFuncSeq(content, func(r rune) bool { return strings.ContainsRune(" \n\t\"',:;/()[]{}", r) }) {
					if identitycode.LooksLike(word) {
						found = append(found, where+" holds what looks like an identity code: "+word)
					}
				}
			}
			return found
		}
		Expect(look()).To(BeEmpty())
		Expect(strings.Count(log.String(), "\n")).To(BeNumerically(">", 50))

		By("finding what is planted")
		var some string
		for key := range all {
			some = key
		}
		body := strings.Split(some, "\n")
		planted := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: l.Organizer, Name: "planted"},
			Data:       map[string]string{"note": "x" + body[1][20:] + body[2][:30] + "x", "client": "020516C903K"},
		}
		Expect(l.Create(ctx, planted)).To(Succeed())
		Expect(look()).To(ConsistOf(ContainSubstring("ConfigMap "+l.Organizer+"/planted holds a part of the key"), ContainSubstring("020516C903K")))
		Expect(l.Delete(ctx, planted)).To(Succeed())
		Expect(leaks("an error", errors.New("write "+some).Error(), all)).To(HaveLen(2))
		change(ctx, l, ca, func(s *corev1.Secret) { s.Data = ca.Data })
	})
})
