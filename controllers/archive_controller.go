// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/workload"
)

// ArchiveFinalizer keeps an Archive that runs here for as long as registries use it.
const ArchiveFinalizer = "valtuus.io/archive-in-use"

// ArchiveReconciler gives an archive its certificate authority and its server certificate, and runs it where it is a workload.
type ArchiveReconciler struct {
	base
	settings workload.Settings
}

// +kubebuilder:rbac:groups=valtuus.io,resources=archives,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=valtuus.io,resources=archives/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=events,verbs=list
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=serviceaccounts;services,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;create;update;delete
// +kubebuilder:rbac:groups=apps,resources=deployments;statefulsets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=batch,resources=cronjobs,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=list;watch
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;list;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=clusterrolebindings;rolebindings,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=clusterroles,resourceNames=valtuus-archive;valtuus-archive-lease,verbs=bind
// +kubebuilder:rbac:groups=storage.k8s.io,resources=storageclasses,verbs=get

func (r *ArchiveReconciler) setup(mgr ctrl.Manager) error {
	building := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Archive{}, builder.WithPredicates(ownSpec)).
		WithOptions(r.options(4)).
		Watches(&v1alpha1.Archive{}, enqueue(func(ctx context.Context, o *v1alpha1.Archive) []types.NamespacedName {
			return r.namesIn(ctx, &v1alpha1.ArchiveList{}, in("", byName, o.Name)...)
		}), builder.WithPredicates(created)).
		Watches(&v1alpha1.Registry{}, enqueue(func(ctx context.Context, o *v1alpha1.Registry) []types.NamespacedName {
			return r.namesIn(ctx, &v1alpha1.ArchiveList{}, in("", byName, string(o.Spec.ArchiveName))...)
		}), builder.WithPredicates(meaningful))
	for _, kind := range workload.Kinds() {
		building = building.Watches(kind, enqueue(archiveOf), builder.WithPredicates(predicate.ResourceVersionChangedPredicate{}))
	}
	return building.Complete(r.within(r))
}

// archiveOf names the Archive that an object was made for.
func archiveOf(_ context.Context, o client.Object) []types.NamespacedName {
	namespace := o.GetNamespace()
	if namespace == "" {
		namespace = o.GetAnnotations()[workload.NamespaceAnnotation]
	}
	return []types.NamespacedName{{Namespace: namespace, Name: o.GetLabels()[workload.ArchiveLabel]}}
}

// goOn is when to go on with what another pass has begun: the cache has to learn of it first.
const goOn = 20 * time.Millisecond

// Reconcile makes what is missing, renews what is due and, for a workload, keeps what runs it.
func (r *ArchiveReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	archive := &v1alpha1.Archive{}
	if err := r.Get(ctx, req.NamespacedName, archive); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	scope := &archiveScope{archive: archive, now: r.clock.Now()}
	if archive.DeletionTimestamp != nil {
		if waits, err := r.finalize(ctx, scope); !waits || err != nil {
			return settle(ctrl.Result{}, err)
		}
	} else if err := r.hold(ctx, archive); err != nil {
		return settle(ctrl.Result{}, err)
	}
	scope.before = archive.DeepCopy()
	var err error
	if scope.ending == 0 {
		err = r.ensure(ctx, scope)
	}
	if persistErr := r.persist(ctx, scope); err == nil {
		err = persistErr
	}
	if err == nil && scope.again {
		return ctrl.Result{RequeueAfter: goOn}, nil
	}
	return settle(r.wakeAt(scope.now, scope.wakeAt, scope.lookAt, scope.authorityAt), err)
}

// persist writes the status as it stands.
func (r *ArchiveReconciler) persist(ctx context.Context, s *archiveScope) error {
	r.updateStatus(s)
	if err := r.patchStatus(ctx, s.before, s.archive); err != nil {
		return err
	}
	r.tellOfAuthority(s.before, s.archive)
	r.tellOfBackup(s.before, s.archive)
	s.before = s.archive.DeepCopy()
	return nil
}
