// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/enforcement"
	"github.com/valtuus/valtuus/internal/manager"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/testworld"
)

// counted counts the writes of a client. One that met another's write was none: it is made anew.
type counted struct {
	client.Client
	writes int
}

func (c *counted) Patch(ctx context.Context, o client.Object, p client.Patch, options ...client.PatchOption) error {
	err := c.Client.Patch(ctx, o, p, options...)
	if !apierrors.IsConflict(err) {
		c.writes++
	}
	return err
}

// looks is a clock that goes on only while it is waited for: what is looked at within a time is the same on any machine.
type looks struct {
	clock.RealClock
	now time.Time
}

func (l *looks) Now() time.Time { return l.now }

func (l *looks) After(d time.Duration) <-chan time.Time {
	l.now = l.now.Add(d)
	return l.RealClock.After(min(d, 10*time.Millisecond))
}

func TestRevokeEndsEveryCredentialByTheControllersAndWaitsForTheArchive(t *testing.T) {
	testenv.Need(t)
	g := NewWithT(t)
	ctx := t.Context()
	ctrl.SetLogger(logr.Discard())
	env, err := testworld.Start(ctx, testenv.Options{})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(env.Stop()).To(Succeed()) })
	world, err := testworld.New(env.Config, clock.RealClock{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(world.Begin(ctx)).To(Succeed())
	cfg, err := testworld.ManagerConfig(env)
	g.Expect(err).NotTo(HaveOccurred())
	start := func() func() error {
		stop, err := testworld.StartManager(ctx, cfg, manager.Options{Log: logr.Discard()})
		g.Expect(err).NotTo(HaveOccurred())
		return stop
	}
	stop := start()
	g.Expect(world.Create(ctx, world.Test())).To(Succeed())
	for _, unit := range []*v1alpha1.ProducerUnit{world.North, world.South} {
		g.Expect(world.Create(ctx, world.Relationship(unit.Spec.OID))).To(Succeed())
	}
	grants := func() (list []v1alpha1.RegistryAccessGrant) {
		var all v1alpha1.RegistryAccessGrantList
		g.Expect(world.List(ctx, &all)).To(Succeed())
		return all.Items
	}
	g.Eventually(func() (ready int) {
		for _, o := range grants() {
			if o.Status.CredentialExpiresAt != nil {
				ready++
			}
		}
		return ready
	}, "2m", "50ms").Should(Equal(2))
	registry := &v1alpha1.Registry{}
	g.Eventually(func() []v1alpha1.Credential {
		g.Expect(world.Get(ctx, client.ObjectKeyFromObject(world.Registry), registry)).To(Succeed())
		return registry.Status.Credentials
	}, "2m", "50ms").ShouldNot(BeEmpty())
	// A replica that has applied nothing that ends anything, and may serve for an hour after its last sign of life.
	replica := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: world.Platform, Name: enforcement.LeaseName(world.Archive.Name, "a"),
			Labels: map[string]string{enforcement.ArchiveLabel: world.Archive.Name},
		},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: ptr.To("a"), LeaseDurationSeconds: ptr.To(int32(15)), RenewTime: ptr.To(metav1.NowMicro())},
	}
	g.Expect(world.Create(ctx, replica)).To(Succeed())
	renew := func(applied enforcement.Revisions) {
		replica.Annotations = map[string]string{
			enforcement.AppliedAnnotation: applied.String(), enforcement.BoundAnnotation: time.Hour.String(),
		}
		replica.Spec.RenewTime = ptr.To(metav1.NowMicro())
		g.Expect(world.Update(ctx, replica)).To(Succeed())
	}

	writer := &counted{Client: world}
	runBy := func(c clock.WithTicker, timeout time.Duration, dry bool) (string, error) {
		var out strings.Builder
		err := Run(ctx, Options{Client: writer, Clock: c, Out: &out, Timeout: timeout, DryRun: dry})
		return out.String(), err
	}
	run := func(timeout time.Duration) (string, error) { return runBy(clock.RealClock{}, timeout, false) }
	runLooks := func(n int) (string, error) {
		return runBy(&looks{now: time.Now()}, time.Duration(n-1)*lookEvery, false)
	}

	// A dry run tells and changes nothing.
	out, err := runBy(clock.RealClock{}, time.Minute, true)
	g.Expect(err).NotTo(HaveOccurred())
	for _, o := range grants() {
		g.Expect(out).To(ContainSubstring("would suspend grant " + nameOf(&o)))
		g.Expect(o.Spec.Suspend).To(BeNil())
	}
	g.Expect(out).To(ContainSubstring("would unbind organization"))
	g.Expect(writer.writes).To(BeZero())

	// Without controllers nothing is taken back, and it says what stays.
	g.Expect(stop()).To(Succeed())
	_, err = runLooks(3)
	var left *LiveError
	g.Expect(errors.As(err, &left)).To(BeTrue(), "%v", err)
	for _, o := range grants() {
		g.Expect(err).To(MatchError(ContainSubstring("grant " + nameOf(&o) + ": 1 credentials are in its ledger")))
		g.Expect(o.Spec.Suspend).To(HaveValue(BeTrue()), "its end counts already")
		g.Expect(o.Finalizers).NotTo(BeEmpty(), "no finalizer is taken away")
		g.Expect(o.Labels).To(HaveKeyWithValue(RevokedLabel, "true"))
	}
	g.Expect(err).To(MatchError(ContainSubstring("registry " + nameOf(registry) + ": 1 credentials of the organizer")))
	writes := writer.writes
	g.Expect(writes).To(Equal(2+2), "two grants and two organizations")

	// With them the ledgers are emptied, but the replica's word is missing.
	renew(nil)
	stop = start()
	t.Cleanup(func() { g.Expect(stop()).To(Succeed()) })
	g.Eventually(func() error {
		_, err := runLooks(1)
		return err
	}, "2m", "100ms").Should(And(
		MatchError(ContainSubstring("a replica of the archive has not yet applied its end")),
		MatchError(ContainSubstring("registry "+nameOf(registry)+": replica "+nameOf(replica))),
		Not(MatchError(ContainSubstring("ledger"))),
	))

	// With the replica's word nothing is left, whoever is bound again meanwhile.
	area := &v1alpha1.Organization{}
	g.Expect(world.Get(ctx, client.ObjectKeyFromObject(world.Area), area)).To(Succeed())
	g.Expect(area.Annotations).To(HaveKeyWithValue(UnboundAnnotation, strings.Join(world.Area.Spec.Namespaces, ",")))
	unbound := area.DeepCopy()
	area.Spec.Namespaces = world.Area.Spec.Namespaces
	g.Expect(world.Patch(ctx, area, client.MergeFrom(unbound))).To(Succeed())
	done := make(chan struct{})
	go func() {
		defer close(done)
		out, err = run(2 * time.Minute)
	}()
	g.Eventually(func() bool {
		renew(enforcement.Revisions{"grants": 1 << 60, "registries": 1 << 60})
		select {
		case <-done:
			return true
		default:
			return false
		}
	}, "3m", "200ms").Should(BeTrue())
	g.Expect(err).NotTo(HaveOccurred(), out)
	g.Expect(out).To(ContainSubstring("nothing is live"))
	g.Expect(writer.writes).To(Equal(writes+1), "the one that was bound again")
	for _, o := range grants() {
		g.Expect(o.Status.Credentials).To(BeEmpty())
		g.Expect(o.Finalizers).NotTo(BeEmpty())
	}
	g.Expect(world.Get(ctx, client.ObjectKeyFromObject(world.Registry), registry)).To(Succeed())
	g.Expect(registry.Status.Credentials).To(BeEmpty())
	for _, name := range []string{world.North.Name, world.South.Name} {
		key := client.ObjectKey{Namespace: world.Producer, Name: name + "-" + string(world.Registry.Spec.OID)}
		g.Expect(apierrors.IsNotFound(world.Get(ctx, key, &corev1.Secret{}))).To(BeTrue())
	}

	// Once more: nothing to do.
	writes = writer.writes
	out, err = run(time.Minute)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(out).To(Equal("nothing is live: no credential opens the archive\n"))
	g.Expect(writer.writes).To(Equal(writes))
}
