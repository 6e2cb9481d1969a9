// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package relationship

import (
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// Situation is what a plan rests on.
type Situation struct {
	// Record is that of the document; nil without a document.
	Record *store.RelationshipRecord
	// Base is what the document said in the version that BaseVersion names; nil without a document.
	Base *store.Relationship
	// MadeFor tells that the archive made the document, for an object that is not known to the record yet.
	MadeFor bool
	// Object is the ServiceRelationship; nil if there is none, or none any more.
	Object *Object
	// Now is the present.
	Now time.Time
}

// Step is the next thing to do.
type Step uint8

// The steps.
const (
	// Rest: nothing is to be done but to tell how it stands.
	Rest Step = iota
	// CreateObject: the object is to be made from the document.
	CreateObject
	// ApplyDocument: the object is to say what the document says.
	ApplyDocument
	// DeleteObject: the object is to go, because the document has been annulled.
	DeleteObject
	// StoreDocument: the document is to be made from the object.
	StoreDocument
	// StoreVersion: the document is to get a version that says what the object says.
	StoreVersion
)

// Action is a step with what it is about.
type Action struct {
	Step Step
	// Says is what the side that is to change will say; not for Rest and DeleteObject.
	Says store.Relationship
	// Standing is how it stands; for Rest.
	Standing Standing
}

// Standing is how a document and its object stand.
type Standing struct {
	Agreement store.Agreement
	// Detail is for people, on both sides: plain English that tells nothing of what the document or the object says.
	Detail        string
	AgreedVersion int
	ObjectUID     string
}

// The details of the standings.
const (
	detailAnotherEnd = "Both the document and the relationship were changed since they agreed, each in another way; make them say the same. Until then the earlier end holds."
	detailAnnulled   = "The document has been annulled and the relationship was changed since they agreed; delete the relationship if it is not to be. Until then it opens nothing."
	detailOther      = "The document is not one of this relationship."
	detailTaken      = "Another ServiceRelationship has the name of the one that is to be made."
)

// BaseVersion is the version of the document that the changes of both sides are measured from: the one on which both
// agreed last; while they never have, the one that the object was made from or the one that was made from the object.
func BaseVersion(r *store.RelationshipRecord, o *Object) int {
	switch {
	case r.AgreedVersion > 0:
		return r.AgreedVersion
	case o != nil && o.Version > 0 && o.Version <= r.Version:
		return o.Version
	default:
		return 1
	}
}

// Plan tells what is to be done next. Done again and again, it ends in Rest.
func Plan(s Situation) Action {
	switch {
	case s.Record == nil && s.Object == nil:
		return Action{}
	case s.Record == nil && s.Object.Foreign:
		return rest(Standing{Agreement: store.AgreementConflict, Detail: detailOther})
	case s.Record == nil:
		return Action{Step: StoreDocument, Says: s.Object.says()}
	case s.Object == nil:
		return planWithoutObject(s)
	case s.Object.Foreign:
		action := planWithoutObject(s)
		if action.Step == CreateObject {
			return rest(s.unresolved(store.AgreementConflict, detailTaken))
		}
		return action
	default:
		return planBoth(s)
	}
}

func planWithoutObject(s Situation) Action {
	r := s.Record
	gone := Standing{Agreement: store.AgreementReached, AgreedVersion: r.Version}
	if !r.AnnulledAt.IsZero() {
		return rest(gone)
	}
	end := earliestEnd(s.Now, r.Start)
	ended := !r.End.IsZero() && !r.End.After(end)
	switch {
	case r.ObjectUID != "" || s.MadeFor: // it was there, and someone has deleted it
		if ended {
			return rest(gone)
		}
		says := r.Relationship
		says.End = end
		return Action{Step: StoreVersion, Says: says}
	case r.AgreedVersion == r.Version, r.AgreedVersion > 0 && ended: // it has gone before
		return rest(gone)
	default:
		return Action{Step: CreateObject, Says: r.Relationship}
	}
}

// earliestEnd is the earliest end that a relationship which is deleted now can have: now, or just after its start.
func earliestEnd(now, start time.Time) time.Time {
	end := wholeSecond(now)
	if first := wholeSecond(start).Add(time.Second); end.Before(first) {
		return first
	}
	return end
}

func planBoth(s Situation) Action {
	r, o := s.Record, s.Object
	if !o.isOf(r) {
		return rest(s.unresolved(store.AgreementConflict, detailOther))
	}
	document, object := termsOf(r.Relationship), termsOf(o.says())
	base := document
	if s.Base != nil {
		base = termsOf(*s.Base)
	}
	if !r.AnnulledAt.IsZero() {
		if object != base {
			return rest(s.unresolved(store.AgreementConflict, detailAnnulled))
		}
		return Action{Step: DeleteObject}
	}
	merged, ok := merge(base, document, object)
	says := r.Relationship
	switch {
	case !ok:
		return rest(s.unresolved(store.AgreementConflict, detailAnotherEnd))
	case merged != document:
		says.End, says.Procurement = merged.end, merged.procurement
		return Action{Step: StoreVersion, Says: says}
	case merged != object, o.Version != r.Version:
		return Action{Step: ApplyDocument, Says: says}
	default:
		return rest(Standing{Agreement: store.AgreementReached, AgreedVersion: r.Version, ObjectUID: o.UID})
	}
}

// unresolved is a standing that leaves what both agreed on as it is.
func (s *Situation) unresolved(agreement store.Agreement, detail string) Standing {
	if s.Record == nil {
		return Standing{Agreement: agreement, Detail: detail}
	}
	return Standing{agreement, detail, s.Record.AgreedVersion, s.Record.ObjectUID}
}

func rest(standing Standing) Action { return Action{Step: Rest, Standing: standing} }

// terms are what may change in a relationship.
type terms struct {
	end         time.Time
	procurement string
}

func termsOf(r store.Relationship) terms {
	return terms{end: wholeSecond(r.End), procurement: r.Procurement}
}

// merge takes each term from the side that has moved it. It fails if both have, each in another way.
func merge(base, a, b terms) (merged terms, ok bool) {
	end, ok := moved(base.end, a.end, b.end)
	procurement, ok2 := moved(base.procurement, a.procurement, b.procurement)
	return terms{end, procurement}, ok && ok2
}

func moved[T comparable](base, a, b T) (T, bool) {
	switch {
	case a == b, b == base:
		return a, true
	case a == base:
		return b, true
	default:
		return base, false
	}
}
