// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
	"github.com/valtuus/valtuus/internal/deploymenttest"
)

// findChildren finds the test's registry and grant. What has their name and is not the test's own is never adopted,
// changed or deleted.
func (r *DeploymentTestReconciler) findChildren(ctx context.Context, s *testScope) error {
	key := client.ObjectKeyFromObject(s.test)
	registry, grant := &v1alpha1.Registry{}, &v1alpha1.RegistryAccessGrant{}
	switch err := r.Get(ctx, key, registry); {
	case client.IgnoreNotFound(err) != nil:
		return err
	case err == nil && (!metav1.IsControlledBy(registry, s.test) || registry.Spec.OID != deploymenttest.RegistryOID(s.test.UID)):
		s.conflict = fmt.Sprintf("Registry %s is not this test's: delete or rename it, or give the test another name.", registry.Name)
	case err == nil:
		s.registry = registry
	}
	switch err := r.Get(ctx, key, grant); {
	case client.IgnoreNotFound(err) != nil:
		return err
	case err == nil && !metav1.IsControlledBy(grant, s.test):
		s.conflict = fmt.Sprintf("RegistryAccessGrant %s is not this test's: delete or rename it, or give the test another name.", grant.Name)
	case err == nil:
		s.grant = grant
	}
	return nil
}

// findLeftovers finds what else lives on of a test that closes: the Job that plays both parties, and the relationships of
// the test's registry. The archive deletes those as well, but may be gone, or have been quicker than who applied one.
func (r *DeploymentTestReconciler) findLeftovers(ctx context.Context, s *testScope) error {
	if s.test.Spec.Simulation != nil {
		job := &batchv1.Job{}
		err := r.reader.Get(ctx, client.ObjectKey{Namespace: s.test.Namespace, Name: deploymenttest.JobName(s.test.Name)}, job)
		if client.IgnoreNotFound(err) != nil {
			return err
		}
		if err == nil && metav1.IsControlledBy(job, s.test) && job.DeletionTimestamp == nil {
			s.leftovers = append(s.leftovers, job)
		}
	}
	if s.registry == nil && s.conflict != "" {
		return nil // another registry has the name, and the relationships are its own
	}
	var relationships v1alpha1.ServiceRelationshipList
	if err := r.List(ctx, &relationships, in(s.test.Namespace, byRegistry, s.test.Name)...); err != nil {
		return err
	}
	for i := range relationships.Items {
		if one := &relationships.Items[i]; one.DeletionTimestamp == nil {
			s.leftovers = append(s.leftovers, one)
		}
	}
	return nil
}

// follow does what the status, which has been written, says: it makes or deletes what the test needs, and lets the test
// itself go when nothing of it is left.
func (r *DeploymentTestReconciler) follow(ctx context.Context, s *testScope) error {
	if !deploymenttest.Runs(s.test) {
		return nil
	}
	if s.wanted && s.test.Status.State == v1alpha1.TestOpen {
		return r.make(ctx, s)
	}
	for _, leftover := range s.leftovers {
		if err := r.unmakeOne(ctx, leftover, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
			return err
		}
	}
	if !s.wanted {
		if err := r.unmake(ctx, s); err != nil {
			return err
		}
	}
	if !s.done || s.registry != nil || s.grant != nil {
		return nil
	}
	before := s.test.DeepCopy()
	if !controllerutil.RemoveFinalizer(s.test, TestFinalizer) {
		return nil
	}
	return r.Patch(ctx, s.test, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

// make makes what the test needs and has not: the registry, the grant and, when both parties have their credentials, the
// Job that plays them. One that was there once and is not any more is not made again.
func (r *DeploymentTestReconciler) make(ctx context.Context, s *testScope) error {
	opened := s.test.Status.Window.OpenedAt != nil
	if !opened && s.registry == nil {
		if err := r.makeOne(ctx, deploymenttest.Registry(s.test, s.plan.Registry)); err != nil {
			return err
		}
	}
	if !opened && s.grant == nil {
		if err := r.makeOne(ctx, deploymenttest.Grant(s.test, GrantFinalizer)); err != nil {
			return err
		}
	}
	if !opened || s.test.Spec.Simulation == nil || s.archive == nil || !s.equipped() {
		return nil
	}
	return r.simulate(ctx, s)
}

// equipped tells whether both parties have their credentials.
func (s *testScope) equipped() bool {
	return s.registry != nil && s.grant != nil &&
		conditions.IsTrue(s.registry, v1alpha1.ReadyCondition) && conditions.IsTrue(s.grant, v1alpha1.ReadyCondition)
}

// makeOne makes an object. One that is there already is seen when the cache has it, and judged then.
func (r *DeploymentTestReconciler) makeOne(ctx context.Context, o client.Object) error {
	if err := r.Create(ctx, o); !apierrors.IsAlreadyExists(err) {
		return err
	}
	return nil
}

// unmake deletes what was made for the test, the grant first. Deleting can only take access away.
func (r *DeploymentTestReconciler) unmake(ctx context.Context, s *testScope) error {
	if s.grant != nil {
		return r.unmakeOne(ctx, s.grant)
	}
	if s.registry != nil {
		return r.unmakeOne(ctx, s.registry)
	}
	return nil
}

func (r *DeploymentTestReconciler) unmakeOne(ctx context.Context, o client.Object, options ...client.DeleteOption) error {
	if o.GetDeletionTimestamp() != nil {
		return nil
	}
	uid := o.GetUID()
	err := r.Delete(ctx, o, append(options, client.Preconditions{UID: &uid})...)
	if apierrors.IsConflict(err) { // another has its name by now
		return nil
	}
	return client.IgnoreNotFound(err)
}

// remind tells both parties of a window that will open. The reminder's name follows from the instant at which it was due,
// so that it is told once, whatever becomes of the status that remembers it.
func (r *DeploymentTestReconciler) remind(ctx context.Context, s *testScope) error {
	status := &s.test.Status
	if status.State != v1alpha1.TestScheduled {
		return nil
	}
	due, ok := deploymenttest.Reminder(status.Window, s.now)
	if !ok {
		return nil
	}
	text := fmt.Sprintf("The deployment test %s opens at %s and closes at %s.", s.test.Name, rfc3339(status.Window.OpensAt), rfc3339(status.Window.ClosesAt))
	regarding := []corev1.ObjectReference{referenceTo(s.test, "DeploymentTest")}
	if s.test.Spec.Mode == v1alpha1.ModeObserved {
		regarding = append(regarding, referenceTo(s.plan.Unit, "ProducerUnit"))
	}
	for _, object := range regarding {
		err := r.Create(ctx, &eventsv1.Event{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: object.Namespace, Name: fmt.Sprintf("%s.%s.%x", strings.ToLower(object.Kind), s.test.UID, due.Unix()),
			},
			EventTime: metav1.NewMicroTime(s.now), ReportingController: FieldOwner, ReportingInstance: FieldOwner,
			Action: "Remind", Reason: "TestReminder", Regarding: object, Note: text, Type: corev1.EventTypeNormal,
		})
		if err != nil && !apierrors.IsAlreadyExists(err) && !undeliverable(err) {
			return err
		}
	}
	status.Window.RemindedFor = moment(due)
	return nil
}

func referenceTo(o client.Object, kind string) corev1.ObjectReference {
	return corev1.ObjectReference{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: kind,
		Namespace: o.GetNamespace(), Name: o.GetName(), UID: o.GetUID(),
	}
}
