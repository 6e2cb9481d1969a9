// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// relationshipSink also tells of each relationship, once the index has it.
type relationshipSink struct {
	sink
	feed *Feed
}

func (s *relationshipSink) endList(revision uint64) {
	s.sink.endList(revision)
	if s.feed.OnRelationshipsListed != nil {
		s.feed.OnRelationshipsListed()
	}
}

func (s *relationshipSink) upsert(object client.Object, revision uint64) {
	s.sink.upsert(object, revision)
	o := object.(*v1alpha1.ServiceRelationship)
	if s.endUnconfirmed(o) {
		// Whatever is written to it meanwhile, the controllers wait for the newest revision.
		s.feed.acks.hurry()
	}
	s.tell(o, false)
}

func (s *relationshipSink) remove(object client.Object, revision uint64) {
	s.sink.remove(object, revision)
	s.tell(object.(*v1alpha1.ServiceRelationship), true)
}

func (s *relationshipSink) tell(o *v1alpha1.ServiceRelationship, deleted bool) {
	if s.feed.OnRelationship != nil {
		s.feed.OnRelationship(o, deleted)
	}
}

// endUnconfirmed tells whether the relationship has ended and the controllers have not yet confirmed it.
func (s *relationshipSink) endUnconfirmed(o *v1alpha1.ServiceRelationship) bool {
	return o.Spec.End != nil && !o.Spec.End.After(s.feed.Clock.Now()) &&
		(o.Status.Access != v1alpha1.AccessEnded || o.Status.ObservedGeneration != o.Generation)
}
