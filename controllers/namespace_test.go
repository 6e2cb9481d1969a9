// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/controllers"
	"github.com/valtuus/valtuus/internal/manager"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/testworld"
	"github.com/valtuus/valtuus/internal/workload"
)

// namespaceEnds is how long a namespace is waited for that is deleted: its controller looks again in its own time.
const namespaceEnds = 3 * time.Minute

// These specs have an API server of their own, with the real namespace and garbage collector controllers, and real time.
var _ = Describe("a namespace that is deleted", Ordered, func() {
	var own *testenv.Env
	var stop func()
	BeforeAll(func(ctx context.Context) {
		testenv.Need(GinkgoTB(), testenv.ControllerManager)
		var err error
		own, err = testworld.Start(ctx, testenv.Options{ControllerManager: true})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(own.Stop)
		cfg, err := testworld.ManagerConfig(own)
		Expect(err).NotTo(HaveOccurred())
		_, stop = runManager(cfg, manager.Options{Registry: prometheus.NewRegistry(), Log: logr.Discard(), Controllers: controllers.Options{Workload: archives}})
		DeferCleanup(func() { stop() })
	})

	// settled begins a world in which both units have access, one by its own key.
	settled := func(ctx context.Context, change ...func(*testworld.World)) *testworld.World {
		w, err := testworld.New(own.Config, clock.RealClock{})
		Expect(err).NotTo(HaveOccurred())
		for _, do := range change {
			do(w)
		}
		_, request := newRequest()
		w.South.Spec.Credential = v1alpha1.UnitCredential{Delivery: v1alpha1.DeliveryCertificateRequest, CertificateRequest: request}
		Expect(w.Begin(ctx)).To(Succeed())
		Expect(w.Create(ctx, w.Test())).To(Succeed())
		for _, unit := range []*v1alpha1.ProducerUnit{w.North, w.South} {
			o := w.Relationship(unit.Spec.OID)
			Expect(w.Create(ctx, o)).To(Succeed())
			Eventually(func() (v1alpha1.RelationshipAccess, error) {
				err := w.Get(ctx, keyOf(o), o)
				return o.Status.Access, err
			}).Should(Equal(v1alpha1.AccessGranted))
		}
		Eventually(func() (*v1alpha1.Registry, error) { return w.Registry, w.Get(ctx, keyOf(w.Registry), w.Registry) }).
			Should(beReady(v1alpha1.SucceededReason))
		return w
	}
	// listed collects the lines of every ledger of a world, and the Secrets of credentials in a namespace.
	listed := func(ctx context.Context, w *testworld.World) (lines []string) {
		objects, err := w.Objects(ctx)
		Expect(err).NotTo(HaveOccurred())
		for _, o := range objects {
			switch o := o.(type) {
			case *v1alpha1.RegistryAccessGrant:
				for _, c := range o.Status.Credentials {
					lines = append(lines, fmt.Sprintf("grant %s: %s", o.Name, c.State))
				}
			case *v1alpha1.Registry:
				for _, c := range o.Status.Credentials {
					lines = append(lines, fmt.Sprintf("registry %s: %s", o.Name, c.State))
				}
			}
		}
		return lines
	}
	secrets := func(ctx context.Context, w *testworld.World) (names []string) {
		for _, namespace := range []string{w.Platform, w.Organizer, w.Producer} {
			var list corev1.SecretList
			Expect(w.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabels{"app.kubernetes.io/managed-by": "valtuus"})).To(Succeed())
			for i := range list.Items {
				names = append(names, namespace[:len(namespace)-len(w.Platform)+len("platform")]+"/"+list.Items[i].Name)
			}
		}
		return names
	}
	remove := func(ctx context.Context, w *testworld.World, namespaces ...string) {
		for _, name := range namespaces {
			Expect(w.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
		}
		for _, name := range namespaces {
			space := &corev1.Namespace{}
			Eventually(func() error { return w.Get(ctx, client.ObjectKey{Name: name}, space) }, namespaceEnds).
				Should(MatchError(ContainSubstring("not found")), func() string { return fmt.Sprintf("namespace %s: %v", name, space.Status.Conditions) })
		}
	}
	delivered := func(w *testworld.World) string {
		return w.Producer + "/" + w.North.Name + "-" + string(w.Registry.Spec.OID)
	}

	It("with the organizer in it ends, and takes every access along (invariant 11)", func(ctx context.Context) {
		w := settled(ctx)
		Expect(secrets(ctx, w)).To(HaveLen(4), "authority, server, organizer and one unit")
		remove(ctx, w, w.Organizer)
		Expect(listed(ctx, w)).To(BeEmpty())
		Expect(secrets(ctx, w)).To(HaveLen(2), "the archive's own")
	})

	It("with the producer in it ends, and its grants are revoked (invariant 11)", func(ctx context.Context) {
		w := settled(ctx)
		remove(ctx, w, w.Producer)
		Eventually(func() []string { return listed(ctx, w) }).Should(ConsistOf("registry clients: Active"))
		Eventually(func() []string { return secrets(ctx, w) }).Should(And(HaveLen(3), Not(ContainElement(delivered(w)))))
		Consistently(func() []string { return listed(ctx, w) }, "2s").Should(HaveLen(1), "nothing is issued into a namespace that is gone")
	})

	It("with the organizer in it ends in the middle of a deployment test, with the archive down (invariant 11)", func(ctx context.Context) {
		w := settled(ctx)
		test := &v1alpha1.DeploymentTest{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.Organizer, Name: "pair"},
			Spec: v1alpha1.DeploymentTestSpec{
				Systems: w.Test().Spec.Systems, Mode: v1alpha1.ModeObserved,
				Run: &v1alpha1.TestRun{
					Registry: v1alpha1.RegistryReference{Name: "clients"}, ProducerUnit: w.North.Spec.OID, ServiceTask: testworld.Task, StartsAt: w.Ago(time.Minute),
				},
			},
		}
		Expect(w.Create(ctx, test)).To(Succeed())
		north := w.North.DeepCopy()
		w.North.Spec.AcceptTests = []v1alpha1.TestAcceptance{w.Acceptance(test)}
		Expect(w.Patch(ctx, w.North, client.MergeFrom(north))).To(Succeed())
		Eventually(func() []string { return secrets(ctx, w) }).Should(HaveLen(6), "both parties have a credential for the test")

		// Alone, it waits for the archive, which does not run.
		Expect(w.Delete(ctx, test)).To(Succeed())
		Eventually(func() []string { return secrets(ctx, w) }).Should(HaveLen(4), "the access ends at once")
		Consistently(func() error { return w.Get(ctx, keyOf(test), test) }, "2s").Should(Succeed())
		remove(ctx, w, w.Organizer)
		Expect(listed(ctx, w)).To(BeEmpty())
		Expect(secrets(ctx, w)).To(HaveLen(2), "the archive's own")
	})

	It("together with the other side's ends, in either order (invariant 11)", func(ctx context.Context) {
		w := settled(ctx)
		remove(ctx, w, w.Organizer, w.Producer)
		Expect(listed(ctx, w)).To(BeEmpty())
		Expect(secrets(ctx, w)).To(HaveLen(2))
		w = settled(ctx)
		remove(ctx, w, w.Producer, w.Organizer, w.Platform)
		Expect(listed(ctx, w)).To(BeEmpty())
		Expect(secrets(ctx, w)).To(BeEmpty())
	})

	It("with the archive in it ends, and every credential with it (invariant 11)", func(ctx context.Context) {
		w := settled(ctx)
		remove(ctx, w, w.Platform)
		Eventually(func() []string { return listed(ctx, w) }).Should(BeEmpty())
		Eventually(func() []string { return secrets(ctx, w) }).Should(BeEmpty())
	})

	It("with an archive in it that runs there ends, though registries use it, and every credential with it (invariant 11)", func(ctx context.Context) {
		w := settled(ctx, embedded)
		remove(ctx, w, w.Platform)
		Eventually(func() []string { return listed(ctx, w) }).Should(BeEmpty())
		Eventually(func() []string { return secrets(ctx, w) }).Should(BeEmpty())
		binding := workload.ClusterRoleBinding(w.Platform, w.Archive.Name)
		Expect(w.Get(ctx, keyOf(binding), binding)).To(MatchError(ContainSubstring("not found")))
	})

	It("is not needed for an archive's own to go: all but its documents and its keys goes with it, and the next of the name has those", func(ctx context.Context) {
		w := settled(ctx, embedded)
		l := &life{World: w}
		for _, o := range l.children() {
			Eventually(func() error { return w.Get(ctx, keyOf(o), o) }).Should(Succeed(), "%T", o)
		}
		keys := l.keys()
		Expect(w.Get(ctx, keyOf(keys), keys)).To(Succeed())
		Expect(w.Delete(ctx, w.Archive, client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
		Consistently(func() (err error) {
			for _, o := range l.children() {
				if err = w.Get(ctx, keyOf(o), o); err == nil && o.GetDeletionTimestamp() != nil {
					err = fmt.Errorf("%T is being deleted", o)
				}
				if err != nil {
					return err
				}
			}
			return nil
		}, "2s").Should(Succeed(), "what serves registries stays, in the foreground as well")
		remove(ctx, w, w.Organizer)
		for _, o := range l.children() {
			if o.GetName() == l.volume().Name || o.GetName() == keys.Name {
				Consistently(func() error { return w.Get(ctx, keyOf(o), o) }, "500ms").Should(Succeed(), "%T", o)
				Expect(o.GetDeletionTimestamp()).To(BeNil())
				continue
			}
			Eventually(missing(ctx, l, o)).Should(Succeed())
		}
		Eventually(missing(ctx, l, w.Archive), namespaceEnds).Should(Succeed(), "the garbage collector has a part in it")
		next := another(w.Archive, w.Platform, w.Archive.Name)
		next.Finalizers, next.Status = nil, v1alpha1.ArchiveStatus{}
		Expect(w.Create(ctx, next)).To(Succeed())
		Eventually(func() error { return w.Get(ctx, keyOf(l.statefulSet()), l.statefulSet()) }).Should(Succeed())
		again := l.keys()
		Expect(w.Get(ctx, keyOf(again), again)).To(Succeed())
		Expect(again.Data).To(Equal(keys.Data))
	})

	It("hangs only for the finalizer while no manager runs, and ends when one does (invariant 11)", func(ctx context.Context) {
		w := settled(ctx)
		stop()
		Expect(w.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.Organizer}})).To(Succeed())
		// Every object is going or gone: the archive refuses from that moment on.
		Eventually(func() (left []string) {
			objects, err := w.Objects(ctx)
			Expect(err).NotTo(HaveOccurred())
			for _, o := range objects {
				if o.GetNamespace() == w.Organizer && o.GetDeletionTimestamp() == nil {
					left = append(left, o.GetName())
				}
			}
			return left
		}, namespaceEnds).Should(BeEmpty())
		cfg, err := testworld.ManagerConfig(own)
		Expect(err).NotTo(HaveOccurred())
		_, stop = runManager(cfg, manager.Options{Registry: prometheus.NewRegistry(), Log: logr.Discard(), Controllers: controllers.Options{Workload: archives}})
		Eventually(func() error { return w.Get(ctx, client.ObjectKey{Name: w.Organizer}, &corev1.Namespace{}) }, namespaceEnds).
			Should(MatchError(ContainSubstring("not found")))
		Expect(listed(ctx, w)).To(BeEmpty())
		Expect(secrets(ctx, w)).To(HaveLen(2))
	})
})
