// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index

import "time"

// documentEnds are the ends that client relationship documents say while the API server may not say them yet. A
// relationship of such a document ends at the earlier of its own end and this one. There are few at a time.
type documentEnds struct {
	byDocument map[DocumentID]documentEnd
	stamps     uint64
}

type documentEnd struct {
	at    instant
	stamp uint64
}

// HeldEnd is an end by document that the index holds.
type HeldEnd struct {
	// At is the end.
	At time.Time
	// Stamp is that of the last SetDocumentEnd.
	Stamp uint64
}

// SetDocumentEnd makes the relationships of a document end at the instant at the latest, whatever the API server
// says, until it is moved or dropped. Of several ends the earliest holds.
func (x *Index) SetDocumentEnd(document DocumentID, end time.Time) {
	x.lock.Lock()
	defer x.lock.Unlock()
	ends := &x.state.documentEnds
	held, ok := ends.byDocument[document]
	if at := newInstant(end); !ok || at < held.at {
		held.at = at
	}
	ends.stamps++
	held.stamp = ends.stamps
	if ends.byDocument == nil {
		ends.byDocument = map[DocumentID]documentEnd{}
	}
	ends.byDocument[document] = held
}

// DocumentEnd returns the end that is held for a document.
func (x *Index) DocumentEnd(document DocumentID) (HeldEnd, bool) {
	defer x.reading()()
	held, ok := x.state.documentEnds.byDocument[document]
	return HeldEnd{held.at.time(), held.stamp}, ok
}

// DocumentEnds counts the ends that are held, for metrics.
func (x *Index) DocumentEnds() int {
	defer x.reading()()
	return len(x.state.documentEnds.byDocument)
}

// MoveDocumentEnd moves an end to what the document says now; zero lets go of it, because the document is open
// again. It does nothing if the end was set anew since it was read: then what the caller knows is old.
func (x *Index) MoveDocumentEnd(document DocumentID, read HeldEnd, end time.Time) {
	x.lock.Lock()
	defer x.lock.Unlock()
	ends := &x.state.documentEnds
	held, ok := ends.byDocument[document]
	switch {
	case !ok || held.stamp != read.Stamp:
	case end.IsZero():
		delete(ends.byDocument, document)
	default:
		ends.byDocument[document] = documentEnd{newInstant(end), held.stamp}
	}
}

// DropDocumentEnd lets go of an end that the API server says by itself: the view reaches the revision at which it
// did, and each relationship of the document in the view ends by then. It returns false, and the end stays, if that
// is not so or if the end was set anew since it was read.
func (x *Index) DropDocumentEnd(document DocumentID, read HeldEnd, revision uint64) bool {
	x.lock.Lock()
	defer x.lock.Unlock()
	s := x.state
	held, ok := s.documentEnds.byDocument[document]
	if !ok {
		return true
	}
	if held.stamp != read.Stamp || s.relationships.revision < revision || !s.relationships.complete {
		return false
	}
	for _, slot := range s.ofDocument(document) {
		if r := &s.relationships.slots.at(slot).body; !r.deleting && (r.end == noInstant || r.end > held.at) {
			return false
		}
	}
	delete(s.documentEnds.byDocument, document)
	return true
}

// endOf is when a relationship ends: by itself or by its document, whichever is earlier.
func (s *state) endOf(r *relationship) instant {
	if len(s.documentEnds.byDocument) == 0 {
		return r.end
	}
	held, ok := s.documentEnds.byDocument[r.document]
	if !ok || (r.end != noInstant && r.end < held.at) {
		return r.end
	}
	return held.at
}
