// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"
	"reflect"
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
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/enforcement"
)

// journal keeps what is asked of the API server beside reading, whichever client asks: events too. A patch of what has
// changed meanwhile changes nothing, and is no write: how often a controller is late depends on the machine.
type journal struct {
	mutex   sync.Mutex
	entries []string
}

// keep makes every client of a configuration write into the journal.
func (j *journal) keep(cfg *rest.Config) *rest.Config {
	cfg = rest.CopyConfig(cfg)
	cfg.Wrap(func(inner http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			answer, err := inner.RoundTrip(r)
			late := err == nil && r.Method == http.MethodPatch && answer.StatusCode == http.StatusConflict
			if r.Method != http.MethodGet && !late {
				j.mutex.Lock()
				defer j.mutex.Unlock()
				j.entries = append(j.entries, r.Method+" "+r.URL.Path)
			}
			return answer, err
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

// quiet waits until the manager has nothing left to do: it has seen all that there is, works on nothing, and has written
// nothing for longer than it puts anything off here.
func (l *life) quiet(ctx context.Context, written *journal) {
	GinkgoHelper()
	before := -1
	Eventually(func() bool {
		n := len(written.all())
		still := n == before && l.upToDate(ctx) && idle()
		before = n
		return still
	}).WithPolling(700 * time.Millisecond).Should(BeTrue())
}

// expectNothing expects that a manager that has just started, or been told of something, writes nothing at all.
func (l *life) expectNothing(ctx context.Context, written *journal) {
	GinkgoHelper()
	l.quiet(ctx, written)
	Expect(written.all()).To(BeEmpty())
}

// upToDate tells whether the running manager has seen the world's objects as the API server has them, and its controllers
// have begun to work: each looks at all that is its own when it starts.
func (l *life) upToDate(ctx context.Context) bool {
	GinkgoHelper()
	objects, err := l.Objects(ctx)
	Expect(err).NotTo(HaveOccurred())
	looked := looks()
	for controller, before := range l.looks {
		looked[controller] -= before
	}
	for _, o := range objects {
		held := o.(client.Object).DeepCopyObject().(client.Object)
		if l.cache.Get(ctx, keyOf(held), held) != nil || held.GetResourceVersion() != o.GetResourceVersion() {
			return false
		}
		controller := strings.ToLower(reflect.TypeOf(o).Elem().Name())
		if looked[controller]--; looked[controller] < 0 {
			return false
		}
	}
	return true
}

// idle tells whether there is a moment in which no controller of this process works. A settled world is looked at again
// and again, but shortly.
func idle() bool {
	GinkgoHelper()
	for range 100 {
		working := 0.0
		for _, workers := range byController("controller_runtime_active_workers") {
			working += workers
		}
		if working == 0 {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

// byController sums a metric of controller-runtime up, over all managers that this process has had.
func byController(name string) map[string]float64 {
	GinkgoHelper()
	sums := map[string]float64{}
	families, err := metrics.Registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if family.GetName() == name && label.GetName() == "controller" {
					sums[label.GetValue()] += metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
				}
			}
		}
	}
	return sums
}

// looks tells how often each controller has looked at an object.
func looks() map[string]float64 { return byController("controller_runtime_reconcile_total") }

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
