// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/deploymenttest"
)

// TestFinalizer keeps a test that is run until nobody has access to its registry any more and the archive has destroyed
// what was in it. The end of its namespace does not wait for the archive.
const TestFinalizer = "valtuus.io/deployment-test"

// DeploymentTestReconciler tells which result of a test counts, and runs the tests that are run here.
type DeploymentTestReconciler struct {
	base
	seen *firstSeen
	// reader reads past the cache what is looked at seldom.
	reader client.Reader
	// issuers certify the keys of reports.
	issuers *issuers
	// image is what simulations run; empty when the manager was not told.
	image string
	// networkPolicies gives the pods of simulations a NetworkPolicy.
	networkPolicies bool
}

// +kubebuilder:rbac:groups=valtuus.io,resources=deploymenttests,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=valtuus.io,resources=deploymenttests/status,verbs=patch
// +kubebuilder:rbac:groups=valtuus.io,resources=deploymenttests/finalizers,verbs=update
// +kubebuilder:rbac:groups=valtuus.io,resources=registries,verbs=create;delete
// +kubebuilder:rbac:groups=valtuus.io,resources=registryaccessgrants,verbs=delete
// +kubebuilder:rbac:groups=valtuus.io,resources=servicerelationships,verbs=delete
// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=get;create;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=create
// +kubebuilder:rbac:groups="",resources=pods,verbs=list
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get

func (r *DeploymentTestReconciler) setup(mgr ctrl.Manager) error {
	r.reader = mgr.GetAPIReader()
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.DeploymentTest{}, builder.WithPredicates(predicate.Or(ownSpec, observed))).
		WithOptions(r.options(4)).
		Watches(&v1alpha1.ClientSystem{}, enqueue(func(ctx context.Context, _ *v1alpha1.ClientSystem) []types.NamespacedName {
			return r.namesIn(ctx, &v1alpha1.DeploymentTestList{})
		}), builder.WithPredicates(created)).
		// Tests of the same pair keep each other from their time.
		Watches(&v1alpha1.DeploymentTest{}, enqueue(func(ctx context.Context, o *v1alpha1.DeploymentTest) []types.NamespacedName {
			if o.Spec.Run == nil {
				return nil
			}
			return r.namesIn(ctx, &v1alpha1.DeploymentTestList{}, in(o.Namespace, byPair, pairKey(o.Spec.Run.Registry.Name, o.Spec.Run.ProducerUnit))...)
		}), builder.WithPredicates(meaningful)).
		Watches(&v1alpha1.Registry{}, enqueue(r.ofRegistry)).
		Watches(&v1alpha1.RegistryAccessGrant{}, enqueue(func(_ context.Context, o *v1alpha1.RegistryAccessGrant) []types.NamespacedName {
			if _, made := deploymenttest.TestOf(o); made {
				return []types.NamespacedName{client.ObjectKeyFromObject(o)}
			}
			return nil
		})).
		Watches(&v1alpha1.ProducerUnit{}, enqueue(func(ctx context.Context, o *v1alpha1.ProducerUnit) []types.NamespacedName {
			return r.namesIn(ctx, &v1alpha1.DeploymentTestList{}, in("", byUnit, string(o.Spec.OID))...)
		}), builder.WithPredicates(meaningful)).
		Complete(r.within(r))
}

// observed passes what the archive says in the status of a test.
var observed = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*v1alpha1.DeploymentTest)
		after, ok2 := e.ObjectNew.(*v1alpha1.DeploymentTest)
		return ok && ok2 && !equality.Semantic.DeepEqual(before.Status.Observation, after.Status.Observation)
	},
}

// ofRegistry names the tests that are for a registry, and the one that it was made for.
func (r *DeploymentTestReconciler) ofRegistry(ctx context.Context, o *v1alpha1.Registry) []types.NamespacedName {
	if deploymenttest.IsTestRegistry(o.Spec.OID) {
		return []types.NamespacedName{client.ObjectKeyFromObject(o)}
	}
	return r.namesIn(ctx, &v1alpha1.DeploymentTestList{}, in(o.Namespace, byRegistry, o.Name)...)
}

// Reconcile judges what was recorded, and takes a test that is run one step further. What the status says comes before
// what rests on it: a window is open, and is closed, from the moment that the status says so.
func (r *DeploymentTestReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	test := &v1alpha1.DeploymentTest{}
	if err := r.Get(ctx, req.NamespacedName, test); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	deleting := test.DeletionTimestamp != nil
	if deleting && !controllerutil.ContainsFinalizer(test, TestFinalizer) {
		return ctrl.Result{}, nil
	}
	s := &testScope{test: test, now: r.clock.Now()}
	if deploymenttest.Runs(test) && !deploymenttest.Ended(test) && !deleting {
		if before := test.DeepCopy(); controllerutil.AddFinalizer(test, TestFinalizer) {
			if err := r.Patch(ctx, test, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
				return settle(ctrl.Result{}, err)
			}
		}
	}
	s.before = test.DeepCopy()
	err := r.advance(ctx, s)
	if err != nil {
		return settle(ctrl.Result{}, err)
	}
	// A report rests on a status that has been written.
	var unreported error
	if deploymenttest.Ended(s.before) {
		unreported = r.report(ctx, s)
	}
	r.updateStatus(s)
	if err = r.remind(ctx, s); err == nil {
		err = r.patchStatus(ctx, s.before, test)
	}
	if err == nil {
		r.tell(s)
		err = r.follow(ctx, s)
	}
	if err == nil && deploymenttest.Ended(test) && !deploymenttest.Ended(s.before) {
		err = r.reportNow(ctx, s)
	}
	return settle(r.wakeAt(s.now, s.wake...), errors.Join(err, unreported))
}
