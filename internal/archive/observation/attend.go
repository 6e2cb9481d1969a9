// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package observation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// attend brings a test as far as it comes now.
func (o *Observer) attend(ctx context.Context, t *test, now time.Time) error {
	status := &t.object.Status
	if t.foreign || status.Window == nil || status.Observation != nil && status.Observation.Destruction != nil {
		return nil
	}
	row, known, err := o.registryOf(ctx, t, now)
	if err != nil || !known {
		return err
	}
	closed := status.Window.ClosedAt
	if closed == nil {
		if ended(t.object) { // noted for good: no restart opens it again
			if row, err = o.close(ctx, row, now); err != nil {
				return err
			}
		}
		if status.Window.OpenedAt == nil || now.Before(t.saidAt.Add(tellEvery)) {
			return nil
		}
		seen, _, err := o.observe(ctx, t, row, now)
		if err != nil {
			return err
		}
		return o.say(ctx, t, seen, now)
	}
	if row, err = o.close(ctx, row, closed.Time); err != nil {
		return err
	}
	if row.Observed.IsZero() {
		return o.sayAll(ctx, t, row, now)
	}
	if row, err = o.destroy(ctx, row, now); err != nil || row.Destroyed.IsZero() {
		return err
	}
	return o.sayDestroyed(ctx, t, row, now)
}

// attendGone brings an end to the registry of a test that is gone.
func (o *Observer) attendGone(ctx context.Context, t *test, now time.Time) error {
	gone, err := o.isGone(ctx, t)
	if err != nil || !gone {
		t.notBefore = now.Add(rowsEvery)
		return err
	}
	row, err := o.close(ctx, o.rows[OIDOf(t.object.UID)], now)
	if err != nil {
		return err
	}
	if row.Observed.IsZero() { // there is nobody to tell
		if err := o.Store.NoteObserved(ctx, row.OID, now); err != nil {
			return err
		}
		row.Observed = now
		o.take(row)
	}
	_, err = o.destroy(ctx, row, now)
	return err
}

// isGone asks the API server for a consistent answer.
func (o *Observer) isGone(ctx context.Context, t *test) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	var there v1alpha1.DeploymentTest
	err := o.Client.Get(ctx, client.ObjectKeyFromObject(t.object), &there)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	return err == nil && there.UID != t.object.UID, err
}

// registryOf gives what the store has of the test's registry, which is made a test registry if it is one of this archive.
func (o *Observer) registryOf(ctx context.Context, t *test, now time.Time) (store.TestRegistry, bool, error) {
	registry := OIDOf(t.object.UID)
	if row, known := o.rows[registry]; known {
		return row, true, nil
	}
	if t.object.Spec.Run == nil || registry == "" || string(t.object.Status.RegistryOID) != registry {
		t.foreign = true
		return store.TestRegistry{}, false, nil
	}
	own, err := o.owns(ctx, t, registry)
	if err != nil || !own {
		return store.TestRegistry{}, false, err
	}
	row := store.TestRegistry{
		OID: registry, TestUID: string(t.object.UID), Namespace: t.object.Namespace, Name: t.object.Name, Opened: now,
	}
	if _, err := rand.Read(row.Salt[:]); err != nil {
		return row, false, err
	}
	if row, err = o.Store.OpenTestRegistry(ctx, row, t.object.CreationTimestamp.Time); err != nil {
		return row, false, fmt.Errorf("open the test registry: %w", err)
	}
	o.take(row)
	return row, true, nil
}

// owns tells whether the test's registry is one of this archive. It is one only with the purpose of a test and made for the
// test; where it is not there any more, the test's status tells in which archive it was.
func (o *Observer) owns(ctx context.Context, t *test, registry string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	var made v1alpha1.Registry
	err := o.Client.Get(ctx, client.ObjectKeyFromObject(t.object), &made)
	switch {
	case err == nil:
		t.foreign = string(made.Spec.ArchiveName) != o.Archive.Name
		if string(made.Spec.OID) != registry || made.Spec.Purpose != v1alpha1.PurposeTest || !metav1.IsControlledBy(&made, t.object) {
			return false, errors.New("the Registry of the test's name was not made for the test")
		}
		return !t.foreign, nil
	case !apierrors.IsNotFound(err), t.object.Status.Window.ClosedAt == nil:
		return false, client.IgnoreNotFound(err)
	}
	t.foreign = string(t.object.Status.ArchiveName) != o.Archive.Name
	return !t.foreign, nil
}

// close sees to it that nothing more is taken into the registry.
func (o *Observer) close(ctx context.Context, row store.TestRegistry, at time.Time) (store.TestRegistry, error) {
	o.end(row.OID)
	if !row.Closed.IsZero() {
		return row, nil
	}
	if err := o.Store.CloseTestRegistry(ctx, row.OID, at); err != nil {
		return row, fmt.Errorf("close the test registry: %w", err)
	}
	row.Closed = at
	o.take(row)
	return row, nil
}

// sayAll tells all that was seen once it is proven, and notes that it has been told.
func (o *Observer) sayAll(ctx context.Context, t *test, row store.TestRegistry, now time.Time) error {
	closed := row.Closed
	if at := t.object.Status.Window.ClosedAt; at.After(closed) { // it was called off before the controller saw it
		closed = at.Time
	}
	if now.Before(closed.Add(settleFor)) || now.Before(t.saidAt.Add(tellEvery)) {
		return nil
	}
	seen, complete, err := o.observe(ctx, t, row, now)
	if err != nil {
		return err
	}
	if err := o.say(ctx, t, seen, now); err != nil || t.said != seen {
		return err
	}
	if !complete && now.Before(closed.Add(provePatience)) {
		return nil
	}
	if err := o.Store.NoteObserved(ctx, row.OID, now); err != nil {
		return err
	}
	row.Observed = now
	o.take(row)
	return nil
}

// sayDestroyed adds to what was told that nothing is left.
func (o *Observer) sayDestroyed(ctx context.Context, t *test, row store.TestRegistry, now time.Time) error {
	if now.Before(t.saidAt.Add(tellEvery)) {
		return nil
	}
	seen := &v1alpha1.TestObservation{RegistryOID: v1alpha1.OID(row.OID), Through: ptr.To(metav1.NewMicroTime(row.Closed.UTC()))}
	if told := t.lastSaid(); told != nil {
		seen = told.DeepCopy()
	}
	seen.Destruction = &v1alpha1.TestDestruction{
		DestroyedAt: metav1.NewTime(row.Destroyed.Truncate(time.Second)),
		Documents:   ptr.To(int32(row.Documents)), Clients: ptr.To(int32(row.Clients)),
	}
	return o.say(ctx, t, seen, now)
}

// Operation and Caller are what a destruction is called in the access log, and who does it.
const (
	Operation = "Destroy"
	Caller    = "urn:valtuus:archive:deployment-test"
)

// destroy destroys what comes next of an observed test registry.
func (o *Observer) destroy(ctx context.Context, row store.TestRegistry, now time.Time) (store.TestRegistry, error) {
	if !row.Destroyed.IsZero() {
		return row, nil
	}
	// The objects go first: once there is nothing left nobody looks here again.
	if err := o.deleteRelationships(ctx, row); err != nil {
		return row, fmt.Errorf("delete the relationships of a deployment test: %w", err)
	}
	run := uuid.NewString()
	for range partsAtOnce {
		var err error
		row, err = o.Store.DestroyTestRegistry(ctx, row.OID, part, now, store.LogRow{
			Time: now, RequestID: run, Operation: Operation, Outcome: store.OutcomeAllowed, Caller: Caller,
		})
		if err != nil {
			return row, fmt.Errorf("destroy what is in a test registry: %w", err)
		}
		o.take(row)
		if !row.Destroyed.IsZero() {
			o.Log.Info("Destroyed what was in the registry of a deployment test",
				"namespace", row.Namespace, "name", row.Name, "documents", row.Documents, "clients", row.Clients)
			break
		}
	}
	return row, nil
}

// deleteRelationships deletes the ServiceRelationships of the registry, which were made of its documents or applied.
func (o *Observer) deleteRelationships(ctx context.Context, row store.TestRegistry) error {
	ctx, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	var made v1alpha1.Registry
	err := o.Client.Get(ctx, client.ObjectKey{Namespace: row.Namespace, Name: row.Name}, &made)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	if err == nil && string(made.Spec.OID) != row.OID {
		return nil // another registry has the name now, and the relationships are its own
	}
	var all v1alpha1.ServiceRelationshipList
	if err := o.Client.List(ctx, &all, client.InNamespace(row.Namespace)); err != nil {
		return err
	}
	for i := range all.Items {
		one := &all.Items[i]
		if string(one.Spec.RegistryRef.Name) != row.Name || one.DeletionTimestamp != nil {
			continue
		}
		if err := o.Client.Delete(ctx, one, client.Preconditions{UID: &one.UID}); client.IgnoreNotFound(err) != nil && !apierrors.IsConflict(err) {
			return err
		}
	}
	return nil
}
