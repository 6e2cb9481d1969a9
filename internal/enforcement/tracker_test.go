// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package enforcement

import (
	"context"
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/valtuus/valtuus/internal/reach"
)

func lease(namespace, archive, replica, applied string, seen time.Time) *coordinationv1.Lease {
	renewed := metav1.NewMicroTime(seen)
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: LeaseName(archive, replica), Labels: map[string]string{ArchiveLabel: archive},
			Annotations: map[string]string{AppliedAnnotation: applied},
		},
		Spec: coordinationv1.LeaseSpec{RenewTime: &renewed},
	}
}

func TestTheTrackerAsksTheReplicasOfTheArchive(t *testing.T) {
	g := NewWithT(t)
	clock := clocktesting.NewFakePassiveClock(t0)
	reads := 0
	var failure error
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(
		lease("p", "one", "a", `{"grants":7}`, t0),
		lease("p", "two", "a", `{"grants":3}`, t0),
		lease("q", "one", "a", `{"grants":3}`, t0),
		&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "p", Name: "unrelated"}},
	).WithInterceptorFuncs(interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
		reads++
		if failure != nil {
			return failure
		}
		return c.List(ctx, list, options...)
	}}).Build()
	tracker := NewTracker(c, clock, reach.Namespaces{})
	check := func(key client.ObjectKey, seen time.Time) Outcome {
		outcome, err := tracker.Check(t.Context(), key, Ending{Kind: "grants", Revision: 7, SeenAt: seen}, bound)
		g.Expect(err).NotTo(HaveOccurred())
		return outcome
	}
	one := client.ObjectKey{Namespace: "p", Name: "one"}
	g.Expect(check(one, t0)).To(Equal(Applied))
	g.Expect(check(client.ObjectKey{Namespace: "p", Name: "two"}, t0)).To(Equal(Awaiting))
	g.Expect(check(client.ObjectKey{}, t0)).To(Equal(Awaiting), "of an unknown archive, every replica is asked")
	g.Expect(reads).To(Equal(3))

	// Endings that are looked at together share a reading; one that is younger than the reading does not.
	g.Expect(check(one, t0)).To(Equal(Applied))
	g.Expect(reads).To(Equal(3))
	clock.SetTime(t0.Add(50 * time.Millisecond))
	g.Expect(c.Create(t.Context(), lease("p", "one", "b", `{"grants":6}`, t0))).To(Succeed())
	g.Expect(check(one, t0)).To(Equal(Applied))
	g.Expect(check(one, t0.Add(10*time.Millisecond))).To(Equal(Awaiting), "a replica that registered in between is seen")
	g.Expect(reads).To(Equal(4))
	clock.SetTime(t0.Add(time.Second))
	g.Expect(check(one, t0)).To(Equal(Awaiting))
	g.Expect(reads).To(Equal(5))
	clock.SetTime(t0)
	g.Expect(check(one, t0)).To(Equal(Awaiting))
	g.Expect(reads).To(Equal(6), "a clock that steps back shares nothing")

	failure = errors.New("no answer")
	clock.SetTime(t0.Add(time.Hour))
	outcome, err := tracker.Check(t.Context(), one, Ending{Kind: "grants", Revision: 7, SeenAt: t0}, bound)
	g.Expect(err).To(MatchError(failure))
	g.Expect(outcome).To(Equal(Awaiting))
}

// TestWhatHappensDuringAReadingIsNotSilence: a manager that is suspended while it reads would else take each replica for
// gone, and tell of an end that a live one has not applied.
func TestWhatHappensDuringAReadingIsNotSilence(t *testing.T) {
	g := NewWithT(t)
	clock := clocktesting.NewFakePassiveClock(t0)
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(lease("p", "one", "a", `{"grants":3}`, t0)).
		WithInterceptorFuncs(interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			err := c.List(ctx, list, options...)
			clock.SetTime(clock.Now().Add(time.Hour))
			return err
		}}).Build()
	outcome, err := NewTracker(c, clock, reach.Namespaces{}).Check(t.Context(), client.ObjectKey{Namespace: "p", Name: "one"}, Ending{Kind: "grants", Revision: 7, SeenAt: t0}, bound)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(outcome).To(Equal(Awaiting))
}

func TestTheTrackerReadsNoLeaseOutOfReach(t *testing.T) {
	g := NewWithT(t)
	clock := clocktesting.NewFakePassiveClock(t0)
	within, err := reach.Of("p", "gone", "q")
	g.Expect(err).NotTo(HaveOccurred())
	var asked []string
	forbidden := map[string]bool{"": true, "gone": true, "r": true}
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "p"}}, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "q"}},
		lease("p", "one", "a", `{"grants":7}`, t0), lease("q", "two", "a", `{"grants":3}`, t0), lease("r", "three", "a", `{"grants":3}`, t0),
	).WithInterceptorFuncs(interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
		in := (&client.ListOptions{}).ApplyOptions(options).Namespace
		asked = append(asked, in)
		if forbidden[in] {
			return apierrors.NewForbidden(coordinationv1.Resource("leases"), "", errors.New("no role"))
		}
		return c.List(ctx, list, options...)
	}}).Build()
	check := func(key client.ObjectKey) (Outcome, error) {
		return NewTracker(c, clock, within).Check(t.Context(), key, Ending{Kind: "grants", Revision: 7, SeenAt: t0}, bound)
	}
	g.Expect(check(client.ObjectKey{Namespace: "p", Name: "one"})).To(Equal(Applied))
	g.Expect(check(client.ObjectKey{Namespace: "r", Name: "three"})).To(Equal(Awaiting), "nobody knows")
	g.Expect(check(client.ObjectKey{})).To(Equal(Awaiting), "one of two has not applied it")
	g.Expect(asked).To(Equal([]string{"p", "gone", "p", "q"}))
	forbidden["q"] = true
	_, err = check(client.ObjectKey{})
	g.Expect(apierrors.IsForbidden(err)).To(BeTrue(), "of a namespace that is there it is not known who lives in it: %v", err)
}
