// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"time"

	"github.com/valtuus/valtuus/internal/access"
)

// Documented is a relationship that names a document.
type Documented struct {
	UID access.UID
	// End is the end that the object itself says; zero means open.
	End time.Time
	// Deleting tells that the object has a deletion timestamp.
	Deleting bool
}

// OfDocument returns the relationships in the view that name the document. Anyone who may write a relationship can
// write any document into it, so there may be several.
func (x *Index) OfDocument(document DocumentID) []Documented {
	defer x.reading()()
	var found []Documented
	for _, slot := range x.state.ofDocument(document) {
		e := x.state.relationships.slots.at(slot)
		found = append(found, Documented{UID: e.uid, End: e.body.end.time(), Deleting: e.body.deleting})
	}
	return found
}

// HasRelationship tells whether the relationship with the UID is in the view.
func (x *Index) HasRelationship(uid access.UID) bool {
	defer x.reading()()
	return x.state.relationships.slotOf(uid) != 0
}

func (s *state) ofDocument(document DocumentID) []uint32 {
	var found []uint32
	s.documents.find(s.documents.hash(document[:]), func(slot uint32) bool {
		if s.relationships.slots.at(slot).body.document == document {
			found = append(found, slot)
		}
		return false
	})
	return found
}

func (s *state) linkDocument(slot uint32, r *relationship) {
	if r.document != (DocumentID{}) {
		s.documents.swap(s.documents.hash(r.document[:]), 0, slot)
	}
}

func (s *state) unlinkDocument(slot uint32, r *relationship) {
	if r.document != (DocumentID{}) {
		s.documents.swap(s.documents.hash(r.document[:]), slot, 0)
	}
}
