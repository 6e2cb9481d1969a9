// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// History is what has been recorded of some relationships, in any order.
type History struct {
	States []store.RelationshipState
	// Words are what the relationships' documents said.
	Words []store.RelationshipWord
}

// Documents are the documents that the states name.
func Documents(states []store.RelationshipState) (ids []uuid.UUID) {
	for i := range states {
		if id := states[i].DocumentID; id != uuid.Nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// objects gives the states of each object in their order; the objects in that of their first states.
func (h *History) objects() [][]store.RelationshipState {
	at := map[string]int{}
	var objects [][]store.RelationshipState
	for _, s := range h.States {
		i, known := at[s.ObjectUID]
		if !known {
			i = len(objects)
			at[s.ObjectUID], objects = i, append(objects, nil)
		}
		objects[i] = append(objects[i], s)
	}
	for _, states := range objects {
		slices.SortFunc(states, func(a, b store.RelationshipState) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
	}
	slices.SortStableFunc(objects, func(a, b []store.RelationshipState) int {
		return cmp.Or(a[0].Recorded.Compare(b[0].Recorded), cmp.Compare(a[0].ObjectUID, b[0].ObjectUID))
	})
	return objects
}

// Ground tells whose word an end is.
type Ground string

// The grounds of an end.
const (
	// GroundOpen: there is no end.
	GroundOpen Ground = ""
	// GroundRelationship: the relationship itself says it.
	GroundRelationship Ground = "relationship"
	// GroundDocument: a version of its document said it, or the document was annulled, and the relationship did not say
	// it yet.
	GroundDocument Ground = "document"
	// GroundDeletion: the relationship was deleted.
	GroundDeletion Ground = "deletion"
)

// Known is a relationship as it was known at some instant.
type Known struct {
	// RelationshipState is the state that was in force. Its End is the object's own.
	store.RelationshipState
	// EndsAt is when it ends by all that was known; zero while open.
	EndsAt time.Time
	Ground Ground
	// Version is the version of the document that says so, where one does.
	Version int
}

// live tells whether the relationship held at an instant.
func (k *Known) live(at time.Time) bool {
	return k.Accepted && !at.Before(k.Start) && (k.EndsAt.IsZero() || at.Before(k.EndsAt))
}

// knownThen gives what was known of one object at an instant; false if nothing. The words are those of all documents.
func knownThen(states []store.RelationshipState, words []store.RelationshipWord, at time.Time) (Known, bool) {
	in := inForce(states, at)
	if in < 0 {
		return Known{}, false
	}
	k := Known{RelationshipState: states[in], EndsAt: states[in].End}
	if !k.EndsAt.IsZero() {
		k.Ground = GroundRelationship
	}
	if said, ok := saidBy(words, k.DocumentID, at); ok && !objectSays(states[:in+1], said) && sooner(said.end, k.EndsAt) {
		k.EndsAt, k.Ground, k.Version = said.end, GroundDocument, said.version
	}
	if k.Deleted && sooner(k.Recorded, k.EndsAt) {
		k.EndsAt, k.Ground, k.Version = k.Recorded, GroundDeletion, 0
	}
	return k, true
}

// inForce gives the index of the last state recorded by the instant, or -1.
func inForce(states []store.RelationshipState, at time.Time) int {
	in := -1
	for i := range states {
		if !states[i].Recorded.After(at) {
			in = i
		}
	}
	return in
}

// said is an end that a document says, and since when.
type said struct {
	end, since time.Time
	version    int
}

// saidBy gives the end that a document said at an instant; false if it said none.
func saidBy(words []store.RelationshipWord, document uuid.UUID, at time.Time) (s said, ok bool) {
	for _, w := range words {
		if w.DocumentID != document || w.Stored.After(at) || w.Version < s.version {
			continue
		}
		s = said{end: w.End, since: w.Stored, version: w.Version}
		if !w.Annulled.IsZero() && !w.Annulled.After(at) && sooner(w.Annulled, s.end) {
			s.end, s.since = w.Annulled, w.Annulled
		}
	}
	return s, !s.end.IsZero()
}

// objectSays tells whether the object itself has said the end, or an earlier one, at some time since the document did.
func objectSays(states []store.RelationshipState, s said) bool {
	for i := range states {
		past := i+1 < len(states) && !states[i+1].Recorded.After(s.since)
		if !past && !states[i].End.IsZero() && !states[i].End.After(s.end) {
			return true
		}
	}
	return false
}

// sooner tells whether an end is before another one, of which zero is none.
func sooner(end, than time.Time) bool { return than.IsZero() || end.Before(than) }
