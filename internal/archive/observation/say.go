// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package observation

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	apply "github.com/valtuus/valtuus/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/relationship"
)

// say writes what was seen into the test's status, unless it is there. t.said is what was seen once it is.
func (o *Observer) say(ctx context.Context, t *test, seen *v1alpha1.TestObservation, now time.Time) error {
	if equality.Semantic.DeepEqual(t.object.Status.Observation, seen) {
		t.said = seen
		return nil
	}
	if now.Before(t.saidAt.Add(tellEvery)) {
		return nil
	}
	if equality.Semantic.DeepEqual(t.said, seen) && now.Before(t.saidAt.Add(countEvery)) {
		t.said = seen
		return nil // it is on its way here
	}
	if onlyCounts(t.lastSaid(), seen) && now.Before(t.saidAt.Add(countEvery)) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	object := apply.DeploymentTest(t.object.Name, t.object.Namespace).WithUID(t.object.UID).
		WithStatus(apply.DeploymentTestStatus().WithObservation(configuration(seen)))
	err := o.Client.Status().Apply(ctx, object, client.FieldOwner(relationship.FieldOwner), client.ForceOwnership)
	t.saidAt = now
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // it is gone, and perhaps another has its name
		return nil
	}
	if err == nil {
		t.said = seen
	}
	return err
}

// onlyCounts tells whether nothing but the number of requests that are not listed is another, in a test that goes on.
func onlyCounts(told, seen *v1alpha1.TestObservation) bool {
	if told == nil || told.Unlisted == nil || seen.Unlisted == nil {
		return false
	}
	x, y := *told, *seen
	x.Unlisted, y.Unlisted = nil, nil
	return equality.Semantic.DeepEqual(&x, &y)
}

// configuration makes what is sent of an observation.
func configuration(seen *v1alpha1.TestObservation) *apply.TestObservationApplyConfiguration {
	out := apply.TestObservation().WithRegistryOID(seen.RegistryOID).WithThrough(*seen.Through)
	for i := range seen.Events {
		out.WithEvents(eventConfiguration(&seen.Events[i]))
	}
	if seen.Unlisted != nil {
		out.WithUnlisted(*seen.Unlisted)
	}
	if seen.Checkpoint != "" {
		out.WithCheckpoint(seen.Checkpoint)
	}
	if d := seen.Destruction; d != nil {
		out.WithDestruction(apply.TestDestruction().WithDestroyedAt(d.DestroyedAt).WithDocuments(*d.Documents).WithClients(*d.Clients))
	}
	return out
}

func eventConfiguration(e *v1alpha1.TestEvent) *apply.TestEventApplyConfiguration {
	out := apply.TestEvent().WithNumber(e.Number).WithAt(*e.At).WithOperation(e.Operation)
	out.Count = e.Count
	set(&out.Party, e.Party)
	set(&out.Certificate, e.Certificate)
	set(&out.Professional, e.Professional)
	set(&out.Reason, e.Reason)
	set(&out.Client, e.Client)
	set(&out.Unit, e.Unit)
	out.WithServiceTasks(e.ServiceTasks...)
	set(&out.Document, e.Document)
	set(&out.StoredBy, e.StoredBy)
	set(&out.Format, e.Format)
	if e.Evidence != nil {
		out.WithEvidence(apply.TestEvidence().WithLeafIndex(*e.Evidence.LeafIndex).WithLeafHash(e.Evidence.LeafHash).WithProof(e.Evidence.Proof...))
	}
	return out
}

// set leaves out what is empty.
func set[T ~string](field **T, value T) {
	if value != "" {
		*field = &value
	}
}
