// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

// RelationshipState is what an archive knew of a ServiceRelationship from one moment on.
type RelationshipState struct {
	// ObjectUID is the object's UID; Ordinal numbers its states from 1.
	ObjectUID string
	Ordinal   int
	// Revision is the object's resource version.
	Revision uint64
	// Registry is the OID of the registry.
	Registry string
	ClientID uuid.UUID
	// Unit is the OID of the producer unit.
	Unit string
	// ServiceTasks are sorted.
	ServiceTasks []string
	// Start is when it starts, End when it ends, by the object's own word; zero while open.
	Start, End time.Time
	// Accepted tells that the controller had accepted it.
	Accepted bool
	// Deleted tells that the object had been deleted; the rest is what was known of it last.
	Deleted bool
	// Missed tells that the archive was not told of the change but found it so: it had happened at some time since
	// the state before.
	Missed bool
	// DocumentID is its client relationship document's, whether or not there is one.
	DocumentID uuid.UUID
	// Recorded is when the archive saw it. It grows with Ordinal.
	Recorded time.Time
}

// Same tells whether two states say the same of the relationship, whatever revision they say it at.
func (s *RelationshipState) Same(other *RelationshipState) bool {
	if s.Deleted || other.Deleted {
		return s.Deleted == other.Deleted
	}
	return s.Registry == other.Registry && s.ClientID == other.ClientID && s.Unit == other.Unit &&
		slices.Equal(s.ServiceTasks, other.ServiceTasks) && s.Start.Equal(other.Start) &&
		s.End.Equal(other.End) && s.Accepted == other.Accepted && s.DocumentID == other.DocumentID
}

// Sighting is a state that the archive saw, to be recorded if it is news.
type Sighting struct {
	RelationshipState
	// Compared is the ordinal of the last state recorded, where the sighting was compared with it in a view that
	// cannot be older: then a lower revision counts too, as after the API server's store was restored, and a deletion
	// needs no revision. It counts only if no other state has been recorded since. 0: an event, which counts if its
	// revision is the highest.
	Compared int
}

// After gives the state to record after the last one, nil for none. It is not news if ok is false.
func (s Sighting) After(last *RelationshipState) (state RelationshipState, ok bool) {
	s.Start, s.End, s.Recorded = Instant(s.Start), instantOrZero(s.End), Instant(s.Recorded)
	state = s.RelationshipState
	if last == nil {
		state.Ordinal = 1
		return state, !s.Deleted && s.Compared == 0
	}
	switch {
	case s.Compared != 0 && s.Compared != last.Ordinal,
		s.Compared == 0 && s.Revision <= last.Revision,
		s.Same(last) && (s.Compared == 0 || s.Revision == last.Revision):
		return RelationshipState{}, false
	}
	if s.Deleted {
		revision, missed, recorded := max(s.Revision, last.Revision), s.Missed, state.Recorded
		state = *last
		state.Deleted, state.Revision, state.Missed, state.Recorded = true, revision, missed, recorded
	}
	state.Ordinal = last.Ordinal + 1
	if !state.Recorded.After(last.Recorded) {
		state.Recorded = last.Recorded.Add(time.Microsecond)
	}
	return state, true
}

func instantOrZero(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return Instant(t)
}

// Validate gives *InvalidError for the first field outside its bounds.
func (s *Sighting) Validate() error {
	if err := firstError(checkCode("ObjectUID", s.ObjectUID, false), checkTime("Recorded", s.Recorded)); err != nil || s.Deleted {
		return err
	}
	if s.ClientID == uuid.Nil {
		return &InvalidError{"ClientID", "is missing"}
	}
	return firstError(
		checkCode("Registry", s.Registry, false),
		checkCode("Unit", s.Unit, false),
		checkTime("Start", s.Start),
		checkSet("ServiceTasks", s.ServiceTasks, MaxServiceTasks, func(task string) error {
			return checkCode("ServiceTasks", task, false)
		}),
	)
}

// RelationshipHistoryQuery selects recorded states. Zero fields do not narrow; Registry and one of ClientID, ObjectUID
// and Ended must be given.
type RelationshipHistoryQuery struct {
	Registry  string
	ClientID  uuid.UUID
	ObjectUID string
	// Ended selects the states that say an end, or that the object was deleted.
	Ended bool
	// From and Until are about the time of recording, inclusive and exclusive.
	From, Until time.Time
	// After is RelationshipHistoryPage.Next of the page before.
	After *RelationshipHistoryPosition
	// Limit is the page size, 1 to MaxPage.
	Limit int
}

// RelationshipHistoryPosition is a place in the history's order (time of recording, then object).
type RelationshipHistoryPosition struct {
	Recorded  time.Time
	ObjectUID string
}

// RelationshipHistoryPage is one page of states, oldest first.
type RelationshipHistoryPage struct {
	States []RelationshipState
	// Next continues after the last one; nil when there is nothing more.
	Next *RelationshipHistoryPosition
}

// Validate gives *InvalidError for the first field outside its bounds.
func (q *RelationshipHistoryQuery) Validate() error {
	if q.ClientID == uuid.Nil && q.ObjectUID == "" && !q.Ended {
		return &InvalidError{"ClientID", "is missing, and so are ObjectUID and Ended"}
	}
	return firstError(
		checkCode("Registry", q.Registry, false), checkCode("ObjectUID", q.ObjectUID, true), checkLimit(q.Limit),
	)
}

// RelationshipWord is what one version of a client relationship document said of the end, or that the document was
// annulled.
type RelationshipWord struct {
	DocumentID uuid.UUID
	Version    int
	// Stored is when it was stored, and counted from.
	Stored time.Time
	// End is zero while open.
	End time.Time
	// Annulled is when the document was annulled; zero while it is in force. It is told with the last version.
	Annulled time.Time
}

// RelationshipHistory keeps the states of ServiceRelationships for good. What is recorded is never changed or removed.
type RelationshipHistory interface {
	// AppendRelationshipStates records the sightings that are news, all or none, in the order given, and tells how
	// many were. Several archives on one database may see the same.
	AppendRelationshipStates(ctx context.Context, sightings []Sighting) (recorded int, err error)

	// LastRelationshipStates gives the last recorded state of each of up to MaxPage objects that has one.
	LastRelationshipStates(ctx context.Context, objects []string) ([]RelationshipState, error)

	// UndeletedRelationshipStates gives the last recorded states of up to limit objects that do not say that the
	// object was deleted, by UID after the one given.
	UndeletedRelationshipStates(ctx context.Context, after string, limit int) ([]RelationshipState, error)

	// RelationshipStates gives one page of states.
	RelationshipStates(ctx context.Context, query RelationshipHistoryQuery) (RelationshipHistoryPage, error)

	// RelationshipWords gives what all versions of the document said, oldest first; nothing if it is no client
	// relationship document.
	RelationshipWords(ctx context.Context, document uuid.UUID) ([]RelationshipWord, error)
}
