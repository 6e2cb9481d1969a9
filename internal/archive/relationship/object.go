// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package relationship

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// Object is what a plan sees of a ServiceRelationship.
type Object struct {
	UID string
	// Registry is the OID of its accepted registry.
	Registry string
	// ClientID, ServiceTasks, Unit and Start never change.
	ClientID     uuid.UUID
	ServiceTasks []string
	Unit         string
	Start        time.Time
	// End and Procurement may.
	End         time.Time
	Procurement string
	// Version is the version of the document that it was last brought to; 0 while it names no document.
	Version int
	// Foreign tells that it names a document which is not its own, or bears the name of another document's object.
	Foreign bool
}

// objectOf takes from a ServiceRelationship what a plan sees. The registry is its accepted registry's OID.
func objectOf(o *v1alpha1.ServiceRelationship, registry string) *Object {
	out := &Object{
		UID: string(o.UID), Registry: registry, Unit: string(o.Spec.ProducerUnit), Start: wholeSecond(o.Spec.Start.Time),
		Procurement: string(o.Spec.Procurement),
	}
	out.ClientID, _ = uuid.Parse(o.Spec.ClientID)
	for _, task := range o.Spec.ServiceTasks {
		out.ServiceTasks = append(out.ServiceTasks, string(task))
	}
	if o.Spec.End != nil {
		out.End = wholeSecond(o.Spec.End.Time)
	}
	if o.Spec.Document != nil {
		out.Version = int(o.Spec.Document.Version)
	}
	return out
}

// says is what the object says in the form of a document.
func (o *Object) says() store.Relationship {
	return store.Relationship{Unit: o.Unit, Start: o.Start, End: o.End, Procurement: o.Procurement}
}

// isOf tells whether the object and the document are about the same relationship.
func (o *Object) isOf(r *store.RelationshipRecord) bool {
	return o.Registry == r.Registry && o.ClientID == r.ClientID && o.Unit == r.Unit &&
		o.Start.Equal(startOf(r.Relationship)) && sameSet(o.ServiceTasks, r.ServiceTasks)
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// wholeSecond is the instant as Kubernetes keeps it: a whole second, and never a later one. Zero stays zero.
func wholeSecond(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

// startOf is the start as Kubernetes keeps it: a whole second, and never an earlier one.
func startOf(r store.Relationship) time.Time {
	start := wholeSecond(r.Start)
	if start.Before(r.Start) {
		start = start.Add(time.Second)
	}
	return start
}
