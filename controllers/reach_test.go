// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/controllers"
	"github.com/valtuus/valtuus/internal/eligibility"
	"github.com/valtuus/valtuus/internal/manager"
	"github.com/valtuus/valtuus/internal/reach"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/testworld"
	"github.com/valtuus/valtuus/internal/workload"
)

// refusals keeps the requests that the API server did not allow.
type refusals struct {
	mutex sync.Mutex
	found []string
}

func (r *refusals) keep(cfg *rest.Config) {
	cfg.WrapTransport = transport.Wrappers(cfg.WrapTransport, func(inner http.RoundTripper) http.RoundTripper {
		return tripper(func(request *http.Request) (*http.Response, error) {
			answer, err := inner.RoundTrip(request)
			if err == nil && answer.StatusCode == http.StatusForbidden {
				r.mutex.Lock()
				defer r.mutex.Unlock()
				r.found = append(r.found, request.Method+" "+request.URL.Path)
			}
			return answer, err
		})
	})
}

func (r *refusals) all() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return slices.Clone(r.found)
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// These specs have an API server of their own, with the real namespace controller, and real time.
var _ = Describe("a manager that works in some namespaces", Ordered, func() {
	var own *testenv.Env
	BeforeAll(func(ctx context.Context) {
		testenv.Need(GinkgoTB(), testenv.ControllerManager)
		var err error
		own, err = testworld.Start(ctx, testenv.Options{ControllerManager: true})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(own.Stop)
	})
	world := func(ctx context.Context, changes ...func(*testworld.World)) *life {
		w, err := testworld.New(own.Config, clock.RealClock{})
		Expect(err).NotTo(HaveOccurred())
		for _, change := range changes {
			change(w)
		}
		Expect(w.Begin(ctx)).To(Succeed())
		return &life{World: w}
	}
	// start starts a manager with rights in the first namespaces, and the task to work in those and the others.
	start := func(namespaces []string, others ...string) (stop func(), refused *refusals, cfg *rest.Config) {
		cfg, err := testworld.ManagerConfig(own, namespaces...)
		Expect(err).NotTo(HaveOccurred())
		within, err := reach.Of(append(namespaces, others...)...)
		Expect(err).NotTo(HaveOccurred())
		refused = &refusals{}
		watched := rest.CopyConfig(cfg)
		refused.keep(watched)
		_, stop = runManager(watched, manager.Options{
			Registry: prometheus.NewRegistry(), Log: logr.Discard(),
			Controllers: controllers.Options{Workload: archives, Namespaces: within},
		})
		DeferCleanup(stop)
		return stop, refused, cfg
	}
	// work starts a manager that works in the namespaces; everywhere, where there are none.
	work := func(namespaces ...string) (stop func(), refused *refusals, cfg *rest.Config) {
		return start(namespaces)
	}
	space := func(ctx context.Context, w *life, name string) {
		Expect(w.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	}
	delivered := func(ctx context.Context, w *life, namespaces ...string) (names []string) {
		for _, namespace := range namespaces {
			var list corev1.SecretList
			Expect(w.List(ctx, &list, client.InNamespace(namespace))).To(Succeed())
			for i := range list.Items {
				names = append(names, namespace+"/"+list.Items[i].Name)
			}
		}
		return names
	}

	It("does all its work there, and elsewhere reads no Secret and writes nothing", func(ctx context.Context) {
		here, elsewhere := world(ctx, embedded), world(ctx, embedded)
		// What is elsewhere is asked for by what is here too: a unit of the same company.
		stop, refused, cfg := work(here.Platform, here.Organizer, here.Producer)
		defer stop()
		here.open(ctx)
		Expect(here.Get(ctx, keyOf(here.secret(here.North)), &corev1.Secret{})).To(Succeed())
		for _, o := range here.children() {
			Eventually(func() error { return here.Get(ctx, keyOf(o), o) }).Should(Succeed(), "%T", o)
		}
		Expect(elsewhere.Create(ctx, elsewhere.Test())).To(Succeed())
		Expect(elsewhere.Create(ctx, elsewhere.Relationship(elsewhere.North.Spec.OID))).To(Succeed())
		change(ctx, elsewhere, elsewhere.AreaSystem, func(o *v1alpha1.ClientSystem) { o.Spec.Version = "1.1" })
		Eventually(seen(ctx, elsewhere, elsewhere.Area)).Should(beReady("Standing"), "what is in no namespace is its work")
		Consistently(func(g Gomega) {
			objects, err := elsewhere.Objects(ctx)
			g.Expect(err).NotTo(HaveOccurred())
			for _, o := range objects {
				if o.GetNamespace() != "" {
					g.Expect(o.GetConditions()).To(BeEmpty(), "%T %s", o, o.GetName())
					g.Expect(o.GetFinalizers()).To(BeEmpty(), "%T %s", o, o.GetName())
				}
			}
			g.Expect(delivered(ctx, elsewhere, elsewhere.Platform, elsewhere.Organizer, elsewhere.Producer)).To(BeEmpty())
		}, "1s").Should(Succeed())
		Expect(refused.all()).To(BeEmpty(), "what it may not do it does not try")

		By("for want of the right to")
		as, err := client.New(cfg, client.Options{Scheme: manager.Scheme()})
		Expect(err).NotTo(HaveOccurred())
		Expect(as.Get(ctx, keyOf(here.secret(here.North)), &corev1.Secret{})).To(Succeed())
		for _, o := range []client.Object{
			&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: elsewhere.Producer, Name: "any"}},
			&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "any"}},
			&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: elsewhere.Producer, Name: "default"}},
			&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: elsewhere.Producer, Name: "any"}},
		} {
			Expect(apierrors.IsForbidden(as.Get(ctx, keyOf(o), o))).To(BeTrue(), "%T %s", o, o.GetNamespace())
		}
		Expect(apierrors.IsForbidden(as.List(ctx, &corev1.PodList{}))).To(BeTrue())
		unit := elsewhere.North.DeepCopy()
		Expect(apierrors.IsForbidden(as.Status().Patch(ctx, unit, client.RawPatch("application/merge-patch+json", []byte(`{"status":{"observedGeneration":1}}`))))).To(BeTrue())
	})

	It("says of a unit and of an archive elsewhere that they are, and counts their claims", func(ctx context.Context) {
		here := world(ctx)
		far := here.Producer + "-far"
		space(ctx, here, far)
		change(ctx, here, here.Company, func(o *v1alpha1.Organization) {
			o.Spec.Namespaces = append(o.Spec.Namespaces, far)
			o.Spec.UnitOIDs = append(o.Spec.UnitOIDs, here.OID("20.3"))
		})
		unit := here.Unit("far", "20.3")
		unit.Namespace = far
		Expect(here.Create(ctx, unit)).To(Succeed())
		archive := another(here.Archive, far, "far-"+here.Archive.Name)
		Expect(here.Create(ctx, archive)).To(Succeed())
		stop, refused, _ := work(here.Platform, here.Organizer, here.Producer)
		defer stop()
		here.open(ctx)

		relationship := here.Relationship(unit.Spec.OID)
		Expect(here.Create(ctx, relationship)).To(Succeed())
		grant := &v1alpha1.RegistryAccessGrant{
			ObjectMeta: metav1.ObjectMeta{Namespace: here.Organizer, Name: "far"},
			Spec: v1alpha1.RegistryAccessGrantSpec{
				RegistryRef: v1alpha1.RegistryReference{Name: v1alpha1.ObjectName(here.Registry.Name)}, ProducerUnit: unit.Spec.OID, Extent: v1alpha1.ExtentBasic,
			},
		}
		Expect(here.Create(ctx, grant)).To(Succeed())
		Eventually(seen(ctx, here, grant)).Should(SatisfyAll(notBeReady(eligibility.ReasonUnitNotManaged), HaveField("Status.Credentials", BeEmpty())))
		Eventually(seen(ctx, here, relationship)).Should(notBeReady(eligibility.ReasonUnitNotManaged))

		test := here.run("with-far", v1alpha1.ModeObserved)
		test.Spec.Run.ProducerUnit = unit.Spec.OID
		Expect(here.Create(ctx, test)).To(Succeed())
		Eventually(seen(ctx, here, test)).Should(SatisfyAll(notBeReady(v1alpha1.TestUnitUnfitReason), say("does not manage")))

		registry := another(here.Registry, here.Organizer, "far")
		registry.Spec.OID, registry.Spec.ControllerOID, registry.Spec.ArchiveName = here.OID("19.9"), here.OID("19.9"), v1alpha1.ObjectName(archive.Name)
		Expect(here.Create(ctx, registry)).To(Succeed())
		Eventually(seen(ctx, here, registry)).Should(haveCondition(v1alpha1.AcceptedCondition, metav1.ConditionFalse, v1alpha1.ArchiveNotManagedReason))

		second := here.Unit("second", "20.3")
		Expect(here.Create(ctx, second)).To(Succeed())
		Eventually(seen(ctx, here, second)).Should(haveCondition(v1alpha1.AcceptedCondition, metav1.ConditionFalse, v1alpha1.OIDClaimedReason), "the older claim counts wherever it is made")
		Expect(delivered(ctx, here, far)).To(BeEmpty())
		Expect(refused.all()).To(BeEmpty(), "what it may not do it does not try")
	})

	It("takes the access of those whom it has left, and hangs for nothing that is theirs", func(ctx context.Context) {
		here := world(ctx)
		stop, _, _ := work()
		here.open(ctx)
		stop()
		stop, refused, _ := work(here.Platform, here.Organizer)
		defer stop()
		Eventually(seen(ctx, here, here.grant(here.North))).Should(SatisfyAll(
			notBeReady(eligibility.ReasonUnitNotManaged), HaveField("Status.Credentials", BeEmpty())))
		Expect(here.Delete(ctx, here.grant(here.North))).To(Succeed())
		Eventually(missing(ctx, here, here.grant(here.North))).Should(Succeed())
		Expect(here.Get(ctx, keyOf(here.secret(here.North)), &corev1.Secret{})).To(Succeed(), "it is out of reach, and opens nothing")
		Expect(refused.all()).To(BeEmpty(), "what it may not do it does not try")

		stop()
		stop, refused, _ = work(here.Organizer, here.Producer)
		defer stop()
		Eventually(seen(ctx, here, here.Registry)).Should(SatisfyAll(
			haveCondition(v1alpha1.AcceptedCondition, metav1.ConditionFalse, v1alpha1.ArchiveNotManagedReason),
			HaveField("Status.Credentials", BeEmpty())))
		Eventually(missing(ctx, here, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: here.Organizer, Name: here.Registry.Name + "-organizer"}})).Should(Succeed())
		Expect(refused.all()).To(BeEmpty(), "what it may not do it does not try")
	})

	It("lets each of its namespaces end, which takes its rights there first (invariant 11)", func(ctx context.Context) {
		here := world(ctx, embedded)
		work(here.Platform, here.Organizer, here.Producer)
		here.open(ctx)
		gone := func(names ...string) {
			for _, name := range names {
				// Whichever is quicker: what the namespace controller does to the bindings is done before.
				Expect(here.DeleteAllOf(ctx, &rbacv1.RoleBinding{}, client.InNamespace(name), client.MatchingFields{"metadata.name": "testenv:" + testworld.ManagerUser})).To(Succeed())
			}
			for _, name := range names {
				Expect(here.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
			}
			for _, name := range names {
				Eventually(func() error { return here.Get(ctx, client.ObjectKey{Name: name}, &corev1.Namespace{}) }, namespaceEnds).
					Should(MatchError(apierrors.IsNotFound, "IsNotFound"), name)
			}
		}
		run := here.run("pair", v1alpha1.ModeObserved)
		run.Spec.Run.StartsAt = here.Ago(time.Minute)
		Expect(here.Create(ctx, run)).To(Succeed())
		here.accept(ctx, run)
		Eventually(seen(ctx, here, testGrant(run))).Should(beReady(v1alpha1.GrantReadyReason))

		gone(here.Producer)
		Eventually(seen(ctx, here, here.grant(here.North))).Should(SatisfyAll(
			HaveField("Status.Credentials", BeEmpty()), HaveField("Status.SecretRef", BeNil())))
		gone(here.Organizer, here.Platform)
		Expect(here.Get(ctx, keyOf(workload.ClusterRoleBinding(here.Platform, here.Archive.Name)), &rbacv1.ClusterRoleBinding{})).
			To(MatchError(apierrors.IsNotFound, "IsNotFound"), "nothing in the cluster stays of its archive")

		By("starting again without them")
		next := world(ctx)
		stop, _, _ := start([]string{next.Platform, next.Organizer, next.Producer}, here.Platform, here.Organizer)
		defer stop()
		next.open(ctx)
	})
})
