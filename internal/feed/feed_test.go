// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package feed_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/enforcement"
	"github.com/valtuus/valtuus/internal/feed"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/testworld"
)

// follow starts a control plane, a world and a feed as the archive's role allows.
func follow(t *testing.T, c clock.WithTicker) (*testenv.Env, *testworld.World, *index.Index) {
	t.Helper()
	testenv.Need(t)
	g := NewWithT(t)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	env, err := testworld.Start(ctx, testenv.Options{})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = env.Stop() })
	world, err := testworld.New(env.Config, clock.RealClock{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(world.Begin(ctx)).To(Succeed())
	return env, world, start(ctx, t, env, world, "replica-0", c)
}

func start(ctx context.Context, t *testing.T, env *testenv.Env, world *testworld.World, replica string, tells clock.WithTicker) *index.Index {
	t.Helper()
	g := NewWithT(t)
	cfg, err := testworld.ArchiveConfig(env, world.Platform)
	g.Expect(err).NotTo(HaveOccurred())
	c, err := client.NewWithWatch(cfg, client.Options{Scheme: world.Scheme()})
	g.Expect(err).NotTo(HaveOccurred())
	x := index.New()
	f := &feed.Feed{
		Client: c, Index: x, Clock: tells, Log: testr.New(t),
		Archive: client.ObjectKeyFromObject(world.Archive), Replica: replica, OnTrustAnchors: func(string) {},
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		g.Expect(<-done).To(Succeed())
	})
	return x
}

func age(x *index.Index) time.Duration {
	freshness := x.Freshness()
	if !freshness.Complete || freshness.ProvenAt.IsZero() {
		return time.Hour
	}
	return time.Since(freshness.ProvenAt)
}

// slowest measures, until ctx ends, the longest time in which this process came to run again and had an answer of the
// API server: what an answer takes here, and for how long the test itself stood still.
func slowest(ctx context.Context, world *testworld.World) (longest time.Duration) {
	for began := time.Now(); ctx.Err() == nil; began = time.Now() {
		time.Sleep(20 * time.Millisecond)
		_ = world.List(ctx, &v1alpha1.RegistryList{}, client.InNamespace("nowhere"))
		longest = max(longest, time.Since(began))
	}
	return longest
}

// oldest is the highest age of the view in eight seconds, beyond what the machine took of it: a proof takes three answers
// one after the other.
func oldest(t *testing.T, world *testworld.World, x *index.Index) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	lost := make(chan time.Duration, 1)
	go func() { lost <- slowest(ctx, world) }()
	highest := time.Duration(0)
	for ctx.Err() == nil {
		highest = max(highest, age(x))
		time.Sleep(20 * time.Millisecond)
	}
	slow := <-lost
	t.Logf("oldest view of an idle cluster: %s, where an answer took up to %s", highest, slow)
	return highest - 3*slow
}

// TestInvariant5_TheViewProvesItsAge: an idle cluster gives a fresh view; a server that is frozen, with every
// connection open, or gone does not; and the view comes back by itself.
func TestInvariant5_TheViewProvesItsAge(t *testing.T) {
	env, world, x := follow(t, clock.RealClock{})
	g := NewWithT(t)
	g.Eventually(func() time.Duration { return age(x) }, "2m", "10ms").Should(BeNumerically("<", time.Hour), "the first proof")
	g.Expect(oldest(t, world, x)).To(BeNumerically("<", 8*time.Second))

	for _, outage := range []struct {
		name        string
		begin, over func() error
	}{
		{"frozen", env.APIServer.Pause, env.APIServer.Resume},
		{"gone", func() error { env.APIServer.Kill(); return nil }, func() error { return env.APIServer.Start(context.Background()) }},
		{"without its store", env.Etcd.Pause, env.Etcd.Resume},
	} {
		g.Expect(outage.begin()).To(Succeed(), outage.name)
		gone := time.Now()
		time.Sleep(4 * time.Second)
		g.Expect(x.Freshness().ProvenAt).To(BeTemporally("<=", gone), "%s: a proof without a server", outage.name)
		g.Expect(outage.over()).To(Succeed(), outage.name)
		back := time.Now()
		g.Eventually(func() time.Time { return x.Freshness().ProvenAt }, "2m", "20ms").Should(BeTemporally(">", back), outage.name)
		t.Logf("%s: fresh again after %s", outage.name, time.Since(back))
	}
}

// noSignOfLife is a clock by which the time for the next sign of life never comes.
type noSignOfLife struct{ clock.RealClock }

func (c noSignOfLife) After(d time.Duration) <-chan time.Time {
	if d == enforcement.LeaseDuration/3 {
		return nil
	}
	return c.RealClock.After(d)
}

// TestAnEndIsAcknowledged: the replica's Lease reaches the revision of an end because of the end, not with the next sign
// of life.
func TestAnEndIsAcknowledged(t *testing.T) {
	_, world, x := follow(t, noSignOfLife{})
	g := NewWithT(t)
	ctx := context.Background()
	relationship := world.Relationship(world.North.Spec.OID)
	g.Expect(world.Create(ctx, relationship)).To(Succeed())
	revision, err := strconv.ParseUint(relationship.ResourceVersion, 10, 64)
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(func() uint64 { return x.Revision(index.Relationships) }, "1m").Should(BeNumerically(">=", revision))

	meta.SetStatusCondition(&relationship.Status.Conditions, metav1.Condition{
		Type: v1alpha1.AcceptedCondition, Status: metav1.ConditionTrue, Reason: v1alpha1.SucceededReason, ObservedGeneration: relationship.Generation,
	})
	g.Expect(world.Status().Update(ctx, relationship)).To(Succeed())
	g.Expect(world.Delete(ctx, relationship)).To(Succeed())
	began := time.Now()
	g.Eventually(func(g Gomega) uint64 {
		var lease coordinationv1.Lease
		key := client.ObjectKey{Namespace: world.Platform, Name: enforcement.LeaseName(world.Archive.Name, "replica-0")}
		g.Expect(world.Get(ctx, key, &lease)).To(Succeed())
		return enforcement.ParseRevisions(lease.Annotations[enforcement.AppliedAnnotation])["relationships"]
	}, "1m", "10ms").Should(BeNumerically(">", revision))
	t.Logf("acknowledged after %s", time.Since(began))
}

// TestTheViewSurvivesARestartOfTheServer: what was deleted while the server was away is gone from the view.
func TestTheViewSurvivesARestartOfTheServer(t *testing.T) {
	env, world, x := follow(t, clock.RealClock{})
	g := NewWithT(t)
	ctx := context.Background()
	const several = 1200 // more than two pages of a list
	for range several {
		g.Expect(world.Create(ctx, world.Relationship(world.North.Spec.OID))).To(Succeed())
	}
	g.Eventually(func() int { return x.Stats(index.Relationships).Entries }, "2m").Should(Equal(several))
	fresh := start(ctx, t, env, world, "replica-1", clock.RealClock{})
	g.Eventually(func() int { return fresh.Stats(index.Relationships).Entries }, "2m").Should(Equal(several))

	env.APIServer.Kill()
	g.Expect(env.APIServer.Start(ctx)).To(Succeed())
	g.Expect(world.DeleteAllOf(ctx, &v1alpha1.ServiceRelationship{}, client.InNamespace(world.Organizer))).To(Succeed())
	g.Eventually(func() int { return x.Stats(index.Relationships).Entries }, "2m").Should(BeZero())
}
