// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"strconv"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

func relationship(uid byte, revision uint64) index.Relationship {
	r := indextest.Relationship()
	r.UID, r.Revision = indextest.UID(uid), revision
	return r
}

func TestOldEventsAreIgnored(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	ended := relationship(3, 200)
	ended.End = now
	g.Expect(upserted(x.UpsertRelationship(ended)).Applied).To(BeTrue())
	for _, revision := range []uint64{103, 199, 200} {
		g.Expect(upserted(x.UpsertRelationship(relationship(3, revision)))).To(Equal(index.Change{}))
		g.Expect(x.Decide(&w.Request, now).Reason).To(Equal(access.ReasonRelationshipEnded))
	}
}

func TestDeletedNeverReturns(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	// The feed may know of a deletion only by the last revision it saw.
	x.Delete(index.Relationships, indextest.UID(3), 103)
	for _, revision := range []uint64{103, 104, 1000} {
		g.Expect(upserted(x.UpsertRelationship(relationship(3, revision)))).To(Equal(index.Change{}))
	}
	g.Expect(x.Decide(&w.Request, now).Reason).To(Equal(access.ReasonNoRelationship))

	// Nor does one whose deletion is told before its creation.
	x.Delete(index.Relationships, indextest.UID(30), 300)
	g.Expect(upserted(x.UpsertRelationship(relationship(30, 299)))).To(Equal(index.Change{}))
	g.Expect(x.Decide(&w.Request, now).Allowed).To(BeFalse())
}

func TestForgottenTombstonesStillBar(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	x.Delete(index.Relationships, indextest.UID(3), 200)
	for i := range 40000 {
		var uid access.UID
		uid[0], uid[1], uid[2] = 1, byte(i), byte(i>>8)
		x.Delete(index.Relationships, uid, 1000+uint64(i))
	}
	g.Expect(x.Stats(index.Relationships).Tombstones).To(BeNumerically("<=", 16384))
	g.Expect(upserted(x.UpsertRelationship(relationship(3, 150)))).To(Equal(index.Change{}))
	g.Expect(x.Decide(&w.Request, now).Allowed).To(BeFalse())
	g.Expect(upserted(x.UpsertRelationship(relationship(31, 50000))).Applied).To(BeTrue(), "a new one is newer than all that is forgotten")
	g.Expect(x.Decide(&w.Request, now).Allowed).To(BeTrue())
}

func TestRelistSweepsWhatIsGone(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	g.Expect(upserted(x.UpsertRelationship(relationship(30, 190))).Applied).To(BeTrue())

	relist := x.BeginRelist(index.Relationships)
	g.Expect(upserted(x.UpsertRelationship(relationship(30, 190)))).To(Equal(index.Change{}), "unchanged")
	g.Expect(x.EndRelist(relist, 200)).To(Equal(index.Change{Applied: true, TookAway: true, Removed: 1}))
	g.Expect(x.Stats(index.Relationships).Entries).To(Equal(1))

	g.Expect(upserted(x.UpsertRelationship(relationship(3, 200)))).To(Equal(index.Change{}), "the list at 200 did not have it")
	g.Expect(upserted(x.UpsertRelationship(relationship(3, 201))).Applied).To(BeTrue(), "it is there after all")
	g.Expect(x.EndRelist(relist, 300)).To(Equal(index.Change{}), "ended twice")
}

func TestRelistFromAnOldListCloses(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	relist := x.BeginRelist(index.Relationships)
	g.Expect(x.EndRelist(relist, 50).TookAway).To(BeTrue())
	g.Expect(x.Decide(&w.Request, now).Allowed).To(BeFalse())
	g.Expect(upserted(x.UpsertRelationship(relationship(3, 103))).Applied).To(BeTrue(), "the watch from 50 tells it again")
	g.Expect(x.Decide(&w.Request, now).Allowed).To(BeTrue())
}

func TestRelistWithoutARevision(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	x.EndRelist(x.BeginRelist(index.Relationships), 0)
	g.Expect(upserted(x.UpsertRelationship(relationship(3, 103)))).To(Equal(index.Change{}))
	g.Expect(upserted(x.UpsertRelationship(relationship(3, 104))).Applied).To(BeTrue())
}

func TestRelistKeepsWhatAnEventNamed(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	relist := x.BeginRelist(index.Relationships)
	g.Expect(upserted(x.UpsertRelationship(relationship(3, 50)))).To(Equal(index.Change{}), "listed at an older revision")
	g.Expect(upserted(x.UpsertRelationship(relationship(30, 210))).Applied).To(BeTrue())
	g.Expect(x.EndRelist(relist, 200)).To(Equal(index.Change{}))
	g.Expect(x.Stats(index.Relationships).Entries).To(Equal(2))
}

func TestRelistCannotBringBackTheDeleted(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	relist := x.BeginRelist(index.Relationships)
	x.Delete(index.Relationships, indextest.UID(3), 200)
	g.Expect(upserted(x.UpsertRelationship(relationship(3, 103)))).To(Equal(index.Change{}))
	x.EndRelist(relist, 199)
	g.Expect(x.Decide(&w.Request, now).Allowed).To(BeFalse())
}

func TestRelistIsVoidAfterAnotherOneOrAReset(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	first := x.BeginRelist(index.Relationships)
	second := x.BeginRelist(index.Relationships)
	g.Expect(x.EndRelist(first, 200)).To(Equal(index.Change{}))
	x.Reset()
	x.BeginRelist(index.Units)
	w.Load(x)
	g.Expect(x.EndRelist(second, 200)).To(Equal(index.Change{}))
	g.Expect(x.Stats(index.Relationships).Entries).To(Equal(1))
}

func TestRelistSweepsInSteps(t *testing.T) {
	g := NewWithT(t)
	x := index.New()
	for i := range 10000 {
		r := indextest.Relationship()
		r.UID[0], r.UID[1] = byte(i), byte(i>>8)
		r.Revision = uint64(i) + 1
		upserted(x.UpsertRelationship(r))
	}
	g.Expect(x.EndRelist(x.BeginRelist(index.Relationships), 10000).Removed).To(Equal(10000))
	g.Expect(x.Stats(index.Relationships).Entries).To(BeZero())
}

func TestResetDeniesAndForgets(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	x.Delete(index.Relationships, indextest.UID(3), 200)
	x.Reset()
	g.Expect(x.Decide(&w.Request, now).Reason).To(Equal(access.ReasonViewIncomplete))
	w.Load(x)
	for _, kind := range index.Kinds() {
		x.SetComplete(kind)
	}
	g.Expect(x.Decide(&w.Request, now).Reason).To(Equal(access.ReasonViewStale), "the old proof is not for the new view")
	x.SetFreshness(now)
	g.Expect(x.Decide(&w.Request, now).Allowed).To(BeTrue())
}

// A name belongs to one object at a time, so a newer UID under it proves the older one's deletion.
func TestSecondObjectOfOneNameEndsTheFirst(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	second := indextest.Grant()
	second.UID, second.Revision, second.Ready = indextest.UID(9), 300, false
	change := upserted(x.UpsertGrant(second))
	g.Expect(change).To(Equal(index.Change{Applied: true, TookAway: true, Removed: 1}))
	g.Expect(x.Decide(&w.Request, now).Reason).To(Equal(access.ReasonGrantNotReady))

	late := indextest.Grant()
	late.Revision = 400
	g.Expect(upserted(x.UpsertGrant(late))).To(Equal(index.Change{}), "the first was deleted")

	older := indextest.Grant()
	older.UID, older.Revision = indextest.UID(10), 250
	g.Expect(upserted(x.UpsertGrant(older))).To(Equal(index.Change{}), "older than the holder of the name")
	x.Delete(index.Grants, indextest.UID(9), 500)
	g.Expect(upserted(x.UpsertGrant(older))).To(Equal(index.Change{}), "nor when the holder is gone")
	g.Expect(x.Decide(&w.Request, now).Reason).To(Equal(access.ReasonGrantMissing))
}

func TestTooManyTasksKeepsTheObjectOut(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	var many []string
	for i := range 255 {
		many = append(many, strconv.Itoa(i))
	}
	r := relationship(3, 200)
	r.Tasks = append(many, indextest.Task)
	change, err := x.UpsertRelationship(r)
	g.Expect(err).To(MatchError(access.ErrTooManyTasks))
	g.Expect(change).To(Equal(index.Change{Applied: true, TookAway: true, Removed: 1}))
	g.Expect(x.Decide(&w.Request, now).Reason).To(Equal(access.ReasonNoRelationship))

	g.Expect(upserted(x.UpsertRelationship(relationship(3, 103)))).To(Equal(index.Change{}), "its old state does not come back")
	g.Expect(upserted(x.UpsertRelationship(relationship(3, 201))).Applied).To(BeTrue(), "a mended one does")

	grant := indextest.Grant()
	grant.Revision, grant.Tasks = 200, r.Tasks
	_, err = x.UpsertGrant(grant)
	g.Expect(err).To(MatchError(access.ErrTooManyTasks))
	g.Expect(x.Decide(&w.Request, now).Reason).To(Equal(access.ReasonGrantMissing))

	// Another registry has numbers of its own.
	elsewhere := relationship(40, 300)
	elsewhere.Key.Namespace, elsewhere.Tasks = "elsewhere", r.Tasks
	_, err = x.UpsertRelationship(elsewhere)
	g.Expect(err).NotTo(HaveOccurred())
}

func TestRelationshipMovesBetweenChains(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	w.Relationships = nil
	for uid := byte(30); uid < 34; uid++ {
		w.Relationships = append(w.Relationships, relationship(uid, 150))
	}
	x := w.Index()
	for i, uid := range []byte{31, 33, 30} {
		moved := relationship(uid, 200+uint64(i))
		moved.Client = indextest.Client(2)
		g.Expect(upserted(x.UpsertRelationship(moved)).TookAway).To(BeTrue())
		g.Expect(x.Decide(&w.Request, now).Allowed).To(BeTrue())
	}
	x.Delete(index.Relationships, indextest.UID(32), 300)
	g.Expect(x.Decide(&w.Request, now).Allowed).To(BeFalse())
	w.Request.Client, w.Request.Document.Client = indextest.Client(2), indextest.Client(2)
	g.Expect(x.Decide(&w.Request, now).Allowed).To(BeTrue())
}

func TestRevisions(t *testing.T) {
	g := NewWithT(t)
	x := index.New()
	g.Expect(x.RevisionString()).To(Equal("0.0.0.0.0.0"))
	indextest.New().Load(x)
	g.Expect(x.RevisionString()).To(Equal("101.102.103.104.106.108"))
	x.Advance(index.Units, 150)
	x.Advance(index.Units, 120)
	g.Expect(x.Revision(index.Units)).To(Equal(uint64(150)))
	x.Delete(index.Grants, indextest.UID(99), 160)
	g.Expect(x.Revision(index.Grants)).To(Equal(uint64(160)))

	// The objects of a list come in no order: having one says nothing about those before it.
	relist := x.BeginRelist(index.Relationships)
	upserted(x.UpsertRelationship(relationship(50, 900)))
	x.Advance(index.Relationships, 950)
	g.Expect(x.Revision(index.Relationships)).To(Equal(uint64(103)))
	x.EndRelist(relist, 1000)
	g.Expect(x.Revision(index.Relationships)).To(Equal(uint64(1000)))
	upserted(x.UpsertRelationship(relationship(51, 1001)))
	g.Expect(x.Stats(index.Relationships)).To(Equal(index.Stats{Entries: 2, Tombstones: 1, Revision: 1001}))
}

// A line of a ledger that has no certificate yet, or no more, is one that nothing matches.
func TestLedgerKeepsNoLineWithoutACertificate(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	w.Registry.Credentials = append(w.Registry.Credentials, indextest.Credential(0))
	w.Index().Read(func(v access.View) {
		registry, _ := v.Registry(indextest.RegistryOID)
		_, found := v.RegistryCredential(registry.Handle, indextest.Fingerprint(1))
		g.Expect(found).To(BeTrue())
		_, found = v.RegistryCredential(registry.Handle, access.Fingerprint{})
		g.Expect(found).To(BeFalse())
	})
	w.Registry.Credentials = nil
	w.Index().Read(func(v access.View) {
		registry, _ := v.Registry(indextest.RegistryOID)
		_, found := v.RegistryCredential(registry.Handle, access.Fingerprint{})
		g.Expect(found).To(BeFalse(), "an empty ledger lists nothing")
	})
}

func TestLedgerOfSeveralLines(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	w.Grants[0].Credentials = []index.Credential{indextest.Credential(7), indextest.Credential(2), indextest.Credential(8)}
	x := w.Index()
	for _, n := range []byte{7, 2, 8} {
		w.Request.Caller.Fingerprint = indextest.Fingerprint(n)
		g.Expect(x.Decide(&w.Request, now).Allowed).To(BeTrue())
	}
	fewer := w.Grants[0]
	fewer.Revision, fewer.Credentials = 200, fewer.Credentials[:2]
	g.Expect(upserted(x.UpsertGrant(fewer)).TookAway).To(BeTrue())
	g.Expect(x.Decide(&w.Request, now).Reason).To(Equal(access.ReasonCredentialNotListed))
	more := w.Grants[0]
	more.Revision = 201
	g.Expect(upserted(x.UpsertGrant(more)).TookAway).To(BeFalse())
}

func TestResetKeepsTheBounds(t *testing.T) {
	g := NewWithT(t)
	x := index.New()
	x.SetBounds(time.Second, time.Minute)
	x.Reset()
	g.Expect(x.Freshness()).To(Equal(access.Freshness{ProducerBound: time.Second, OrganizerBound: time.Minute}))
}

func TestReadShowsTheView(t *testing.T) {
	g := NewWithT(t)
	x := indextest.New().Index()
	var registry access.Registry
	x.Read(func(v access.View) {
		if found, ok := v.Registry(indextest.RegistryOID); ok {
			registry = *found
		}
	})
	g.Expect(registry.Purpose).To(Equal(access.PurposeTest))
	g.Expect(x.Freshness()).To(Equal(access.Freshness{Complete: true, ProvenAt: now.Add(-time.Second)}))
	g.Expect(index.Relationships.String()).To(Equal("relationships"))
	g.Expect(index.Kind(99).String()).To(Equal("unknown"))
}
