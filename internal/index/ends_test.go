// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
)

// word is an end that a document said.
type word struct {
	end time.Time
	// carried are the revisions of the document's relationships when the API server had come to say the end by
	// itself and the index let go of it; nil before.
	carried map[access.UID]uint64
}

// checkWord checks that a relationship that serves has not been ended by its document. Once the API server has come to
// say the end itself, only what was written to it later counts.
func (h *history) checkWord(t *rapid.T, r index.Relationship) {
	w := h.words[r.Document]
	if w == nil || h.now.Before(w.end) {
		return
	}
	if revision, known := w.carried[r.UID]; w.carried == nil || (known && r.Revision <= revision) {
		t.Fatalf("the end %s of document %v is lost: allowed on %+v", w.end, r.Document, r)
	}
}

// stepOfDocument is one thing that happens to a document.
func (h *history) stepOfDocument(t *rapid.T) {
	document := pick(t, documents, "document")
	held, isHeld := h.index.DocumentEnd(document)
	end := h.now.Add(time.Duration(sixteenth(t, "end")-8) * time.Second)
	switch n := sixteenth(t, "what of the document"); {
	case n < 8:
		h.index.SetDocumentEnd(document, end)
		if last, ok := h.model.ends[document]; !ok || end.Before(last) {
			h.model.ends[document] = end
		}
		h.words[document] = &word{end: h.model.ends[document]}
	case n < 9 && isHeld:
		h.index.MoveDocumentEnd(document, held, end)
		h.model.ends[document], h.words[document] = end, &word{end: end}
	case n < 10 && isHeld: // opened again
		h.index.MoveDocumentEnd(document, held, time.Time{})
		delete(h.model.ends, document)
		delete(h.words, document)
	case n < 11 && isHeld: // the caller knows something old
		h.index.SetDocumentEnd(document, held.At)
		h.index.MoveDocumentEnd(document, held, time.Time{})
		if h.index.DropDocumentEnd(document, held, 0) {
			t.Fatal("let go of an end that was set anew")
		}
	case isHeld:
		h.carry(t, document, held)
	}
}

// carry lets go of an end if the API server says it by itself.
func (h *history) carry(t *rapid.T, document index.DocumentID, held index.HeldEnd) {
	if sixteenth(t, "ahead") < 3 {
		if h.index.DropDocumentEnd(document, held, h.index.Revision(index.Relationships)+1) {
			t.Fatal("let go of an end before the view reached the revision")
		}
		return
	}
	h.relist(t, index.Relationships, h.revision())
	said, revisions := true, map[access.UID]uint64{}
	for _, o := range h.model.objects {
		r, ok := o.body.(index.Relationship)
		if !ok || r.Document != document {
			continue
		}
		revisions[o.uid] = o.revision
		said = said && (r.Deleting || (!r.End.IsZero() && !r.End.After(held.At)))
	}
	if let := h.index.DropDocumentEnd(document, held, h.revision()); let != said {
		t.Fatalf("let go of the end: %t, said by the API server: %t\nheld %+v%s", let, said, held, h.dump())
	}
	if said {
		delete(h.model.ends, document)
		if w := h.words[document]; w != nil {
			w.carried = revisions
		}
	}
}

func TestADocumentEndsItsRelationshipsAtOnce(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	document := index.DocumentID{7}
	w.Relationships[0].Document, w.Relationships[0].End = document, time.Time{}
	x := w.Index()
	reason := func() access.Reason { d := x.Decide(&w.Request, now); return d.Reason }

	x.SetDocumentEnd(index.DocumentID{8}, now)
	g.Expect(reason()).To(Equal(access.ReasonAllowed), "another document")
	x.SetDocumentEnd(document, now.Add(time.Second))
	g.Expect(reason()).To(Equal(access.ReasonAllowed), "an end to come")
	x.SetDocumentEnd(document, now)
	g.Expect(reason()).To(Equal(access.ReasonRelationshipEnded))
	x.SetDocumentEnd(document, now.Add(time.Hour))
	g.Expect(reason()).To(Equal(access.ReasonRelationshipEnded), "the earliest holds until the caller knows better")
	x.Reset()
	w.Load(x)
	for _, kind := range index.Kinds() {
		x.SetComplete(kind)
	}
	x.SetFreshness(now)
	g.Expect(reason()).To(Equal(access.ReasonRelationshipEnded), "after a reset")
	g.Expect(testing.AllocsPerRun(100, func() { x.Decide(&w.Request, now) })).To(BeZero())

	held, ok := x.DocumentEnd(document)
	g.Expect(ok).To(BeTrue())
	g.Expect(held.At).To(BeTemporally("==", now))
	g.Expect(x.DropDocumentEnd(document, held, 103)).To(BeFalse(), "the object is open")
	ended := w.Relationships[0]
	ended.Revision, ended.End = 200, now
	upserted(x.UpsertRelationship(ended))
	g.Expect(x.DropDocumentEnd(document, held, 201)).To(BeFalse(), "the view has not come that far")
	g.Expect(x.DropDocumentEnd(document, held, 200)).To(BeTrue())
	g.Expect(reason()).To(Equal(access.ReasonRelationshipEnded))
	g.Expect(x.DocumentEnds()).To(Equal(1), "the other document's")
}

// TestADocumentGivenToARelationshipTellsWhatItTakes: a relationship that gets a document that has ended loses access,
// and the index owns up to it.
func TestADocumentGivenToARelationshipTellsWhatItTakes(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	x := w.Index()
	x.SetDocumentEnd(index.DocumentID{7}, now)
	r := w.Relationships[0]
	r.Revision, r.Document = 200, index.DocumentID{7}
	change, err := x.UpsertRelationship(r)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(change.TookAway).To(BeTrue())
	r.Revision = 201
	upserted(x.UpsertRelationship(r))
	g.Expect(x.OfDocument(index.DocumentID{7})).To(ConsistOf(index.Documented{UID: r.UID, End: r.End.Local()}))
	g.Expect(x.HasRelationship(r.UID)).To(BeTrue())
	x.Delete(index.Relationships, r.UID, 202)
	g.Expect(x.OfDocument(index.DocumentID{7})).To(BeEmpty())
	g.Expect(x.HasRelationship(r.UID)).To(BeFalse())
}

func TestRegistriesAreFoundByTheirObjects(t *testing.T) {
	g := NewWithT(t)
	w := indextest.New()
	w.Registry.Controller = "1.2.3.4"
	x := w.Index()
	g.Expect(x.ControllerOf(indextest.RegistryOID)).To(Equal("1.2.3.4"))
	key, ok := x.RegistryKey(indextest.RegistryOID)
	g.Expect(ok).To(BeTrue())
	g.Expect(key).To(Equal(w.Registry.Key))
	g.Expect(x.RegistryAt(key)).To(Equal(indextest.RegistryOID))

	second := w.Registry
	second.UID, second.Key.Namespace, second.Revision = indextest.UID(40), "other", 300
	upserted(x.UpsertRegistry(second))
	_, ok = x.RegistryKey(indextest.RegistryOID)
	g.Expect(ok).To(BeFalse(), "two claim the OID")
	g.Expect(x.ControllerOf(indextest.RegistryOID)).To(BeEmpty())
	g.Expect(x.RegistryAt(key)).To(BeEmpty())
	g.Expect(x.RegistryAt(second.Key)).To(BeEmpty())

	second.Revision, second.Accepted = 301, false
	upserted(x.UpsertRegistry(second))
	g.Expect(x.RegistryAt(key)).To(Equal(indextest.RegistryOID))
	g.Expect(x.RegistryAt(second.Key)).To(BeEmpty(), "not accepted")
	g.Expect(x.ControllerOf("1.2.9")).To(BeEmpty())
}
