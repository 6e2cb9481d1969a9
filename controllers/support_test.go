// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/enforcement"
)

// journal keeps what is asked of the API server beside reading, whichever client asks: events too.
type journal struct {
	mutex   sync.Mutex
	entries []string
}

// keep makes every client of a configuration write into the journal.
func (j *journal) keep(cfg *rest.Config) *rest.Config {
	cfg = rest.CopyConfig(cfg)
	cfg.Wrap(func(inner http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet {
				j.mutex.Lock()
				j.entries = append(j.entries, r.Method+" "+r.URL.Path)
				j.mutex.Unlock()
			}
			return inner.RoundTrip(r)
		})
	})
	return cfg
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// of returns the writes on paths that end so.
func (j *journal) of(suffix string) (out []string) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	for _, entry := range j.entries {
		if strings.HasSuffix(entry, suffix) {
			out = append(out, entry)
		}
	}
	return out
}

// all returns every write so far.
func (j *journal) all() []string { return j.of("") }

// quiet waits until nothing has been written for a while.
func (j *journal) quiet() {
	GinkgoHelper()
	before := -1
	Eventually(func() bool {
		n := len(j.all())
		same := n == before
		before = n
		return same
	}).WithPolling(700 * time.Millisecond).Should(BeTrue())
}

// replica is an archive replica as far as the controllers see it: a Lease.
type replica struct {
	life  *life
	lease *coordinationv1.Lease
}

// replica registers a replica of the world's archive that has applied nothing.
func (l *life) replica(ctx context.Context, name string) *replica {
	GinkgoHelper()
	r := &replica{life: l, lease: &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: l.Platform, Name: enforcement.LeaseName(l.Archive.Name, name),
			Labels: map[string]string{enforcement.ArchiveLabel: l.Archive.Name},
		},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: &name, LeaseDurationSeconds: ptr.To(int32(enforcement.LeaseDuration / time.Second)),
			RenewTime: ptr.To(metav1.NewMicroTime(l.clock.Now())),
		},
	}}
	Expect(l.Create(ctx, r.lease)).To(Succeed())
	return r
}

// renew shows a sign of life, with what has been applied.
func (r *replica) renew(ctx context.Context, applied enforcement.Revisions) {
	GinkgoHelper()
	r.lease.Annotations = map[string]string{enforcement.AppliedAnnotation: applied.String()}
	r.lease.Spec.RenewTime = ptr.To(metav1.NewMicroTime(r.life.clock.Now()))
	Expect(r.life.Update(ctx, r.lease)).To(Succeed())
	r.life.look()
}

// look moves the clock past the time for which endings share a reading of the leases.
func (l *life) look() { l.pass(110 * time.Millisecond) }

// endIt records that a relationship has ended now, and returns the revision that says so.
func (l *life) endIt(ctx context.Context, relationship *v1alpha1.ServiceRelationship) uint64 {
	GinkgoHelper()
	change(ctx, l, relationship, func(o *v1alpha1.ServiceRelationship) { o.Spec.End = ptr.To(l.Ago(0)) })
	return l.revision(ctx, relationship)
}

func (l *life) revision(ctx context.Context, o client.Object) uint64 {
	GinkgoHelper()
	fresh, err := seen(ctx, l, o)()
	Expect(err).NotTo(HaveOccurred())
	revision, err := revisionIn(fresh)
	Expect(err).NotTo(HaveOccurred())
	return revision
}

// awaited waits until the manager has seen an end that nobody has confirmed: only from then on does the bound count.
func (l *life) awaited() {
	GinkgoHelper()
	Eventually(func() float64 {
		l.pass(time.Millisecond)
		return l.gauge("valtuus_oldest_unenforced_end_seconds")
	}).Should(BeNumerically(">", 0))
}

// gauge reads a metric of the running manager.
func (l *life) gauge(name string) float64 {
	GinkgoHelper()
	families, err := l.metrics.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	return -1
}

// touch makes the controllers look at an object again.
func (l *life) touch(ctx context.Context, o client.Object, value string) {
	GinkgoHelper()
	change(ctx, l, o, func(o client.Object) { o.SetAnnotations(map[string]string{"look": value}) })
}

func keyOf(o client.Object) client.ObjectKey { return client.ObjectKeyFromObject(o) }
