// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

// The tests here carry the numbers of the invariants of the design (section 4).

var now = indextest.Now

func TestInvariant1_AbsenceDenies(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	g.Expect(w.Decide().Allowed).To(BeTrue())
	for name, remove := range map[string]func(w *indextest.World){
		"relationship": func(w *indextest.World) { w.Relationships = nil },
		"grant":        func(w *indextest.World) { w.Grants = nil },
		"credential":   func(w *indextest.World) { w.Grants[0].Credentials = nil },
		"unit":         func(w *indextest.World) { w.Units = nil },
		"registry":     func(w *indextest.World) { w.Registry.OID = "1.2.3" },
		"organizer":    func(w *indextest.World) { w.Organizer.OID = "1.2.3" },
		"producer":     func(w *indextest.World) { w.Producer.OID = "1.2.3" },
		"system":       func(w *indextest.World) { w.UnitSystem.Name = "another" },
		"fresh view":   func(w *indextest.World) { w.ProvenAt = time.Time{} },
		"professional": func(w *indextest.World) { w.Request.Professional = false },
	} {
		w := indextest.New()
		remove(w)
		g.Expect(w.Decide().Allowed).To(BeFalse(), "without %s", name)
	}
	g.Expect(index.New().Decide(&w.Request, now).Allowed).To(BeFalse(), "empty index")
	g.Expect((access.Decision{}).Allowed).To(BeFalse(), "zero decision")
}

// Deleting any object takes access away and never gives any.
func TestInvariant1_DeletionOnlyTakesAway(t *testing.T) {
	g := NewWithT(t)
	for kind, uid := range map[index.Kind]byte{
		index.Registries: 1, index.Grants: 2, index.Relationships: 3, index.Units: 4,
		index.Organizations: 6, index.ClientSystems: 8,
	} {
		w := indextest.New()
		x := w.Index()
		g.Expect(x.Delete(kind, indextest.UID(uid), 200)).To(Equal(index.Change{Applied: true, TookAway: true, Removed: 1}))
		g.Expect(x.Decide(&w.Request, now).Allowed).To(BeFalse(), "after deleting one of the %s", kind)
	}
}

func TestInvariant2_GrantingTakesAcceptance_EndingDoesNot(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	w.Relationships[0].Accepted = false
	g.Expect(w.Decide().Reason).To(Equal(access.ReasonRelationshipNotAccepted))

	ends := map[string]func(x *index.Index) index.Change{
		"end date": func(x *index.Index) index.Change {
			r := indextest.Relationship()
			r.Revision, r.Accepted, r.End = 200, false, now
			return upserted(x.UpsertRelationship(r))
		},
		"deletion begun": func(x *index.Index) index.Change {
			r := indextest.Relationship()
			r.Revision, r.Deleting = 200, true
			return upserted(x.UpsertRelationship(r))
		},
		"suspension": func(x *index.Index) index.Change {
			grant := indextest.Grant()
			grant.Revision, grant.Suspended = 200, true
			return upserted(x.UpsertGrant(grant))
		},
	}
	for name, end := range ends {
		w := indextest.New()
		x := w.Index()
		change := end(x)
		g.Expect(change.Applied).To(BeTrue(), name)
		g.Expect(change.TookAway).To(BeTrue(), name)
		g.Expect(x.Decide(&w.Request, now).Allowed).To(BeFalse(), "%s, with every controller down", name)
	}
}

func TestInvariant3_AfterTheEndNothing(t *testing.T) {
	g := NewWithT(t)
	for operation := access.FindClient; operation <= access.Supervise; operation++ {
		w := indextest.New()
		w.Grants[0].Extent = access.Extended
		w.Relationships[0].End = now
		w.Request.Operation = operation
		w.Request.Document.AuthorUnit = indextest.UnitOID
		g.Expect(w.Decide().Allowed).To(BeFalse(), "%s of the unit's own document", operation)
		w.AsOrganizer()
		g.Expect(w.Decide().Allowed).To(BeTrue(), "%s by the organizer", operation)
	}
}

func TestInvariant5_StaleViewCloses(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	x.SetFreshness(now)
	at := func(d time.Duration) access.Reason { return x.Decide(&w.Request, now.Add(d)).Reason }
	g.Expect(at(10 * time.Second)).To(Equal(access.ReasonAllowed))
	g.Expect(at(10*time.Second + 1)).To(Equal(access.ReasonViewStale))
	g.Expect(at(-10 * time.Second)).To(Equal(access.ReasonViewStale))
	x.SetFreshness(now.Add(time.Minute))
	g.Expect(at(time.Minute)).To(Equal(access.ReasonAllowed))

	w.AsOrganizer()
	g.Expect(at(30 * time.Minute)).To(Equal(access.ReasonAllowed))
	g.Expect(x.Decide(&w.Request, now.Add(30*time.Minute)).ViewAge).To(Equal(29 * time.Minute))
	g.Expect(at(2 * time.Hour)).To(Equal(access.ReasonViewStale))
}

// Start and end are judged at decision time: no event is needed for them to count.
func TestInvariant5_TimesAreJudgedAtDecisionTime(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	w.Relationships[0].Start, w.Relationships[0].End = now.Add(time.Second), now.Add(2*time.Second)
	x := w.Index()
	at := func(d time.Duration) access.Reason { return x.Decide(&w.Request, now.Add(d)).Reason }
	g.Expect(at(0)).To(Equal(access.ReasonRelationshipNotStarted))
	g.Expect(at(time.Second)).To(Equal(access.ReasonAllowed))
	g.Expect(at(2 * time.Second)).To(Equal(access.ReasonRelationshipEnded))
}

func TestInvariant6_EitherSideEndsItAlone(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	unit := indextest.Unit()
	unit.Revision, unit.AcceptFrom = 200, nil
	g.Expect(upserted(x.UpsertUnit(unit)).TookAway).To(BeTrue())
	g.Expect(x.Decide(&w.Request, now).Reason).To(Equal(access.ReasonUnitWithdrawn))

	x = w.Index()
	grant := indextest.Grant()
	grant.Revision, grant.Credentials = 200, nil
	g.Expect(upserted(x.UpsertGrant(grant)).TookAway).To(BeTrue())
	g.Expect(x.Decide(&w.Request, now).Reason).To(Equal(access.ReasonCredentialNotListed))
}

// What a decision rests on is named with its revision, so that the log outlives the objects.
func TestInvariant10_DecisionNamesWhatItRestsOn(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	rests := w.Decide().RestsOn
	for _, ref := range []access.Ref{rests.Registry, rests.Unit, rests.Grant, rests.Relationship} {
		g.Expect(ref.UID).NotTo(BeZero())
		g.Expect(ref.Revision).NotTo(BeZero())
	}
	w.Relationships[0].End = now
	g.Expect(w.Decide().RestsOn.Relationship.UID).To(Equal(indextest.UID(3)), "a refusal names what ended")
}

func upserted(change index.Change, err error) index.Change {
	if err != nil {
		panic(err)
	}
	return change
}
