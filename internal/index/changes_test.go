// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

// edit applies a change to one object of a world in order, at a higher revision.
type edit struct {
	name string
	make func(x *index.Index) (index.Change, error)
	took bool
}

func editRelationship(name string, took bool, change func(r *index.Relationship)) edit {
	return edit{"relationship: " + name, func(x *index.Index) (index.Change, error) {
		r := indextest.Relationship()
		r.Revision = 200
		change(&r)
		return x.UpsertRelationship(r)
	}, took}
}

func editGrant(name string, took bool, change func(g *index.Grant)) edit {
	return edit{"grant: " + name, func(x *index.Index) (index.Change, error) {
		g := indextest.Grant()
		g.Revision = 200
		change(&g)
		return x.UpsertGrant(g)
	}, took}
}

func editUnit(name string, took bool, change func(u *index.Unit)) edit {
	return edit{"unit: " + name, func(x *index.Index) (index.Change, error) {
		u := indextest.Unit()
		u.Revision = 200
		change(&u)
		return x.UpsertUnit(u)
	}, took}
}

func editRegistry(name string, took bool, change func(r *index.Registry)) edit {
	return edit{"registry: " + name, func(x *index.Index) (index.Change, error) {
		r := indextest.New().Registry
		r.Revision = 200
		change(&r)
		return x.UpsertRegistry(r)
	}, took}
}

func editProducer(name string, took bool, change func(o *index.Organization)) edit {
	return edit{"producer: " + name, func(x *index.Index) (index.Change, error) {
		o := indextest.New().Producer
		o.Revision = 200
		change(&o)
		return x.UpsertOrganization(o)
	}, took}
}

func editSystem(name string, took bool, change func(s *index.ClientSystem)) edit {
	return edit{"system: " + name, func(x *index.Index) (index.Change, error) {
		s := indextest.New().UnitSystem
		s.Revision = 200
		change(&s)
		return x.UpsertClientSystem(s)
	}, took}
}

func TestChangeTellsWhetherAccessWasTakenAway(t *testing.T) {
	day := indextest.Day
	edits := []edit{
		editRelationship("nothing", false, func(r *index.Relationship) {}),
		editRelationship("longer", false, func(r *index.Relationship) { r.Start, r.End = now.Add(-2*day), time.Time{} }),
		editRelationship("another task", false, func(r *index.Relationship) { r.Tasks = append(r.Tasks, "more") }),
		editRelationship("shorter", true, func(r *index.Relationship) { r.End = now.Add(time.Hour) }),
		editRelationship("starts later", true, func(r *index.Relationship) { r.Start = now }),
		editRelationship("a task less", true, func(r *index.Relationship) { r.Tasks = []string{indextest.Task} }),
		editRelationship("not accepted", true, func(r *index.Relationship) { r.Accepted = false }),
		editRelationship("deleting", true, func(r *index.Relationship) { r.Deleting = true }),
		editRelationship("another client", true, func(r *index.Relationship) { r.Client = indextest.Client(2) }),
		editRelationship("another unit", true, func(r *index.Relationship) { r.Unit = "1.2.3" }),

		editGrant("nothing", false, func(g *index.Grant) {}),
		editGrant("more", false, func(g *index.Grant) {
			g.Extent, g.Tasks, g.ValidFrom, g.ValidUntil = access.Extended, nil, time.Time{}, time.Time{}
			g.Credentials = append(g.Credentials, indextest.Credential(9))
		}),
		editGrant("suspended", true, func(g *index.Grant) { g.Suspended = true }),
		editGrant("not ready", true, func(g *index.Grant) { g.Ready = false }),
		editGrant("deleting", true, func(g *index.Grant) { g.Deleting = true }),
		editGrant("another unit", true, func(g *index.Grant) { g.Unit = "1.2.3" }),
		editGrant("social care, said", false, func(g *index.Grant) { g.Buys = access.BuysSocial }),
		editGrant("health care bought besides", true, func(g *index.Grant) { g.Buys = access.BuysSocial | access.BuysHealth }),
		editGrant("health care bought instead", true, func(g *index.Grant) { g.Buys = access.BuysHealth }),
		editGrant("narrower extent", true, func(g *index.Grant) { g.Extent = 0 }),
		editGrant("ends sooner", true, func(g *index.Grant) { g.ValidUntil = now }),
		editGrant("starts later", true, func(g *index.Grant) { g.ValidFrom = now }),
		editGrant("a task less", true, func(g *index.Grant) { g.Tasks = []string{indextest.Task} }),
		editGrant("credential gone", true, func(g *index.Grant) { g.Credentials = nil }),
		editGrant("credential superseded", true, func(g *index.Grant) { g.Credentials[0].AcceptUntil = now.Add(day) }),
		editGrant("credential ends sooner", true, func(g *index.Grant) { g.Credentials[0].NotAfter = now }),
		editGrant("credential starts later", true, func(g *index.Grant) { g.Credentials[0].NotBefore = now }),

		editUnit("nothing", false, func(u *index.Unit) {}),
		editUnit("accepts more", false, func(u *index.Unit) { u.AcceptFrom = append(u.AcceptFrom, "1.2.3") }),
		editUnit("accepts less", true, func(u *index.Unit) { u.AcceptFrom = []string{"1.2.3"} }),
		editUnit("accepts a test", false, func(u *index.Unit) { u.AcceptTests = []index.AcceptedTest{{Registry: "1.2.3", StartsAt: now}} }),
		editUnit("not accepted", true, func(u *index.Unit) { u.Accepted = false }),
		editUnit("deleting", true, func(u *index.Unit) { u.Deleting = true }),
		editUnit("another company's", true, func(u *index.Unit) { u.Organization = indextest.OrganizerOID }),
		editUnit("another system", true, func(u *index.Unit) { u.ClientSystem = "county-system" }),
		editUnit("another OID", true, func(u *index.Unit) { u.OID = "1.2.3" }),

		editRegistry("nothing", false, func(r *index.Registry) {}),
		editRegistry("longer bounds", false, func(r *index.Registry) { r.ProducerBound, r.OrganizerBound = time.Minute, 2*time.Hour }),
		editRegistry("shorter bound for producers", true, func(r *index.Registry) { r.ProducerBound = time.Second }),
		editRegistry("shorter bound for the organizer", true, func(r *index.Registry) { r.OrganizerBound = time.Second }),
		editRegistry("shows non-disclosure", false, func(r *index.Registry) { r.ShowNonDisclosure = true }),
		editRegistry("not accepted", true, func(r *index.Registry) { r.Accepted = false }),
		editRegistry("deleting", true, func(r *index.Registry) { r.Deleting = true }),
		editRegistry("another OID", true, func(r *index.Registry) { r.OID = "1.2.3" }),
		editRegistry("another organizer", true, func(r *index.Registry) { r.Organization = indextest.ProducerOID }),
		editRegistry("another system", true, func(r *index.Registry) { r.ClientSystem = "unit-system" }),
		editRegistry("made for a test", true, func(r *index.Registry) { r.Test.Unit = indextest.UnitOID }),
		editRegistry("credential gone", true, func(r *index.Registry) { r.Credentials = nil }),
		editRegistry("a rival", true, func(r *index.Registry) { r.UID, r.Key.Name = indextest.UID(40), "rival" }),
		editRegistry("a rival not accepted", false, func(r *index.Registry) {
			r.UID, r.Key.Name, r.Accepted = indextest.UID(40), "rival", false
		}),

		editProducer("nothing", false, func(o *index.Organization) {}),
		editProducer("open-ended", false, func(o *index.Organization) { o.JoinedFrom, o.EndedAt = time.Time{}, time.Time{} }),
		editProducer("ends", true, func(o *index.Organization) { o.EndedAt = now }),
		editProducer("joins later", true, func(o *index.Organization) { o.JoinedFrom = now }),
		editProducer("joint now", true, func(o *index.Organization) { o.MainJoiner = indextest.OrganizerOID }),
		editProducer("not accepted", true, func(o *index.Organization) { o.Accepted = false }),
		editProducer("deleting", true, func(o *index.Organization) { o.Deleting = true }),
		editProducer("another OID", true, func(o *index.Organization) { o.OID = "1.2.3" }),
		editProducer("a rival", true, func(o *index.Organization) { o.UID, o.Name = indextest.UID(40), "rival" }),

		editSystem("nothing", false, func(s *index.ClientSystem) {}),
		editSystem("open-ended", false, func(s *index.ClientSystem) { s.ValidFrom, s.ValidUntil = time.Time{}, time.Time{} }),
		editSystem("ends", true, func(s *index.ClientSystem) { s.ValidUntil = now }),
		editSystem("starts later", true, func(s *index.ClientSystem) { s.ValidFrom = now }),
		editSystem("deleting", true, func(s *index.ClientSystem) { s.Deleting = true }),
	}
	for _, e := range edits {
		t.Run(e.name, func(t *testing.T) {
			g := NewWithT(t)
			change, err := e.make(indextest.New().Index())
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(change).To(Equal(index.Change{Applied: true, TookAway: e.took}))
		})
	}
}

// A registry that masks again takes away what it had shown.
// TestAcceptingLessOfATestTakesAway, and so does a test that takes longer than was accepted.
func TestAcceptingLessOfATestTakesAway(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *indextest.World)
		took   bool
	}{
		"nothing":        {func(*indextest.World) {}, false},
		"a longer time":  {func(w *indextest.World) { w.Units[0].AcceptTests[0].ClosesAt = now.Add(2 * time.Hour) }, false},
		"a shorter time": {func(w *indextest.World) { w.Units[0].AcceptTests[0].ClosesAt = now }, true},
		"another time":   {func(w *indextest.World) { w.Units[0].AcceptTests[0].StartsAt = now.Add(time.Second) }, true},
		"another test":   {func(w *indextest.World) { w.Units[0].AcceptTests[0].Own = "2.25.2" }, true},
		"no test":        {func(w *indextest.World) { w.Units[0].AcceptTests = nil }, true},
		"a longer test":  {func(w *indextest.World) { w.Registry.Test.ClosesAt = now.Add(2 * time.Hour) }, true},
		"a shorter test": {func(w *indextest.World) { w.Registry.Test.ClosesAt = now }, true},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			w := indextest.New()
			w.Registry.Test = index.Test{Registry: "1.2.246.1", Unit: indextest.UnitOID, StartsAt: now, ClosesAt: now.Add(time.Hour)}
			w.Units[0].AcceptTests = []index.AcceptedTest{{Registry: "1.2.246.1", Own: w.Registry.OID, StartsAt: now, ClosesAt: now.Add(time.Hour)}}
			x := w.Index()
			w.Units[0].AcceptTests = slices.Clone(w.Units[0].AcceptTests)
			c.change(w)
			w.Units[0].Revision, w.Registry.Revision = 200, 200
			unit, err := x.UpsertUnit(w.Units[0])
			g.Expect(err).NotTo(HaveOccurred())
			registry, err := x.UpsertRegistry(w.Registry)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(unit.TookAway || registry.TookAway).To(Equal(c.took))
		})
	}
}

func TestMaskingAgainTakesAway(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	w.Registry.ShowNonDisclosure = true
	x := w.Index()
	masked := w.Registry
	masked.ShowNonDisclosure, masked.Revision = false, 200
	g.Expect(upserted(x.UpsertRegistry(masked))).To(Equal(index.Change{Applied: true, TookAway: true}))
}

// What gave nothing has nothing to take away.
func TestChangeOfWhatGaveNothing(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	w.Relationships[0].Accepted = false
	x := w.Index()
	accepted := relationship(3, 200)
	g.Expect(upserted(x.UpsertRelationship(accepted))).To(Equal(index.Change{Applied: true}))

	bare := indextest.New()
	bare.Grants[0].Credentials = nil
	x = bare.Index()
	bare.Grants[0].Revision = 200
	g.Expect(upserted(x.UpsertGrant(bare.Grants[0]))).To(Equal(index.Change{Applied: true}))

	w.Grants[0].Suspended = true
	x = w.Index()
	g.Expect(x.Delete(index.Grants, indextest.UID(2), 200)).To(Equal(index.Change{Applied: true, Removed: 1}))
}
