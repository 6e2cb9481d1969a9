// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/controllers"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/manager"
	"github.com/valtuus/valtuus/internal/testenv"
	"github.com/valtuus/valtuus/internal/testworld"
	"github.com/valtuus/valtuus/internal/workload"
)

var env *testenv.Env

func TestControllers(t *testing.T) {
	testenv.Need(t)
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	RunSpecs(t, "Controllers")
}

var _ = BeforeSuite(func(ctx context.Context) {
	ctrl.SetLogger(logr.Discard())
	var err error
	env, err = testworld.Start(ctx, testenv.Options{})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(env.Stop)
})

// life is one world with a manager of its own, on a clock that the spec moves.
type life struct {
	*testworld.World
	clock   *clocktesting.FakePassiveClock
	log     logr.Logger          // of the managers
	metrics *prometheus.Registry // of the running manager
	noImage bool                 // the manager is not told which image archives and simulations run
	cache   client.Reader        // of the running manager
	looks   map[string]float64   // of the controllers before it started
	stop    func()
}

// begin makes a world and starts a manager on it, as the user that the manager's role is for.
func begin(ctx context.Context, change func(*testworld.World)) *life {
	l := &life{clock: clocktesting.NewFakePassiveClock(time.Now()), log: logr.Discard()}
	var err error
	l.World, err = testworld.New(env.Config, l.clock)
	Expect(err).NotTo(HaveOccurred())
	if change != nil {
		change(l.World)
	}
	Expect(l.Begin(ctx)).To(Succeed())
	l.start(nil)
	DeferCleanup(func(ctx context.Context) {
		l.start(nil) // where the spec stopped it
		l.checkConditions(ctx)
		l.stop()
		l.erase(ctx)
	})
	return l
}

// archiveImage is what archives run that run in the cluster.
const archiveImage = "registry.example/valtuus:1.0"

// archives are the settings of those.
var archives = workload.Settings{Image: archiveImage, NetworkPolicies: true, APIServerPorts: []int32{443, 6443}}

// start starts a manager; wrap may make its writes fail.
func (l *life) start(wrap func(client.Client) client.Client) {
	l.startOn(l.config(), wrap)
}

// config is the configuration of the user that the manager's role is for.
func (l *life) config() *rest.Config {
	cfg, err := testworld.ManagerConfig(env)
	Expect(err).NotTo(HaveOccurred())
	return cfg
}

func (l *life) startOn(cfg *rest.Config, wrap func(client.Client) client.Client) {
	if l.stop != nil {
		l.stop()
	}
	settings := archives
	if l.noImage {
		settings.Image = ""
	}
	options := controllers.Options{Clock: l.clock, Workload: settings}.WithLongestWait(GinkgoTB(), 200*time.Millisecond)
	if wrap != nil {
		options = options.WithClient(GinkgoTB(), wrap)
	}
	l.metrics, l.looks = prometheus.NewRegistry(), looks()
	l.cache, l.stop = runManager(cfg, manager.Options{Registry: l.metrics, Log: l.log, Controllers: options})
}

// runManager starts a manager and returns when its controllers have everything to look at.
func runManager(cfg *rest.Config, options manager.Options) (cached client.Reader, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	options.MetricsAddress, options.ProbeAddress, options.ShareNames = "0", "0", true
	mgr, err := manager.New(ctx, cfg, options)
	Expect(err).NotTo(HaveOccurred())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	Expect(mgr.GetCache().WaitForCacheSync(ctx)).To(BeTrue())
	select {
	case <-mgr.Elected():
	case err := <-done:
		Fail(fmt.Sprintf("the manager did not start: %v", err))
	}
	var stopped bool
	return mgr.GetCache(), func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		Eventually(done).Should(Receive(BeNil()))
	}
}

// checkConditions holds every object of the world against the rules of conditions.
func (l *life) checkConditions(ctx context.Context) {
	GinkgoHelper()
	Eventually(func() (found []string, err error) {
		objects, err := l.Objects(ctx)
		for _, o := range objects {
			if o.GetDeletionTimestamp() == nil {
				found = append(found, conditions.Check(o)...)
			}
		}
		return found, err
	}).Should(BeEmpty())
}

// erase deletes the world, so that the managers of later specs have no work with it.
func (l *life) erase(ctx context.Context) {
	GinkgoHelper()
	objects, err := l.Objects(ctx)
	Expect(err).NotTo(HaveOccurred())
	for _, o := range objects {
		object := o.(client.Object)
		Expect(client.IgnoreNotFound(l.Delete(ctx, object))).To(Succeed())
		if len(o.GetFinalizers()) > 0 {
			// There is nobody left to take it away.
			err := l.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
			Expect(client.IgnoreNotFound(err)).To(Succeed())
		}
	}
	for _, namespace := range []string{l.Platform, l.Organizer, l.Producer} {
		for _, o := range []client.Object{&corev1.Secret{}, &coordinationv1.Lease{}} {
			Expect(l.DeleteAllOf(ctx, o, client.InNamespace(namespace))).To(Succeed())
		}
	}
}

// pass moves the clock.
func (l *life) pass(d time.Duration) { l.clock.SetTime(l.clock.Now().Add(d)) }

// seen returns the object as the API server has it.
func seen[O client.Object](ctx context.Context, l *life, o O) func() (O, error) {
	return func() (O, error) {
		fresh := o.DeepCopyObject().(O)
		err := l.Get(ctx, client.ObjectKeyFromObject(o), fresh)
		return fresh, err
	}
}

// haveCondition matches an object's condition by status and reason.
func haveCondition(conditionType string, status metav1.ConditionStatus, reason string) OmegaMatcher {
	return WithTransform(func(o conditions.Object) metav1.Condition {
		if c := meta.FindStatusCondition(o.GetConditions(), conditionType); c != nil {
			return *c
		}
		return metav1.Condition{}
	}, SatisfyAll(HaveField("Status", status), HaveField("Reason", reason)))
}

func beReady(reason string) OmegaMatcher {
	return haveCondition(v1alpha1.ReadyCondition, metav1.ConditionTrue, reason)
}

func notBeReady(reason string) OmegaMatcher {
	return haveCondition(v1alpha1.ReadyCondition, metav1.ConditionFalse, reason)
}

// grant names the grant that is made for a unit.
func (l *life) grant(unit *v1alpha1.ProducerUnit) *v1alpha1.RegistryAccessGrant {
	return &v1alpha1.RegistryAccessGrant{ObjectMeta: metav1.ObjectMeta{
		Namespace: l.Organizer, Name: l.Registry.Name + "-" + string(unit.Spec.OID),
	}}
}

// secret names the Secret that a unit's credential is delivered to.
func (l *life) secret(unit *v1alpha1.ProducerUnit) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: unit.Namespace, Name: unit.Name + "-" + string(l.Registry.Spec.OID),
	}}
}

// open records the deployment test and a relationship in the northern unit, and waits until access is granted, the
// organizer has its own credential, and the relationship is counted: nothing of that is still to be written.
func (l *life) open(ctx context.Context) *v1alpha1.ServiceRelationship {
	Expect(l.Create(ctx, l.Test())).To(Succeed())
	relationship := l.Relationship(l.North.Spec.OID)
	Expect(l.Create(ctx, relationship)).To(Succeed())
	Eventually(seen(ctx, l, relationship)).Should(HaveField("Status.Access", v1alpha1.AccessGranted))
	Eventually(seen(ctx, l, l.Registry)).Should(beReady(v1alpha1.SucceededReason))
	Eventually(seen(ctx, l, l.grant(l.North))).Should(HaveField("Status.LiveRelationships", HaveValue(BeEquivalentTo(1))))
	return relationship
}

// change edits an object with a merge patch.
func change[O client.Object](ctx context.Context, l *life, o O, edit func(O)) {
	GinkgoHelper()
	Expect(tryChange(ctx, l, o, edit)).To(Succeed())
}

// tryChange sends what is changed alone: an update would conflict with what a controller writes meanwhile.
func tryChange[O client.Object](ctx context.Context, l *life, o O, edit func(O)) error {
	GinkgoHelper()
	fresh, err := seen(ctx, l, o)()
	Expect(err).NotTo(HaveOccurred())
	before := fresh.DeepCopyObject().(O)
	edit(fresh)
	return l.Patch(ctx, fresh, client.MergeFrom(before))
}
