// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package observation

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// event is a request with the certificate o, p or that of a stranger.
func event(certificate string, operation v1alpha1.TestOperation, reason string) v1alpha1.TestEvent {
	party := map[string]v1alpha1.TestParty{"o": v1alpha1.PartyOrganizer, "p": v1alpha1.PartyProducer}[certificate]
	return v1alpha1.TestEvent{Party: party, Certificate: certificate, Operation: operation, Reason: reason}
}

func added(events ...v1alpha1.TestEvent) (told []string, unlisted int32) {
	var l list
	for _, e := range events {
		l.add(listed{TestEvent: e})
	}
	for _, e := range l.events {
		told = append(told, fmt.Sprintf("%d %s %s %s", e.Number, e.Certificate, e.Operation, e.Reason))
	}
	return told, l.unlisted
}

// The store takes no other OID for that of a test registry.
func TestTheRegistryOfATestIsOneForTheStore(t *testing.T) {
	g := NewWithT(t)
	g.Expect(OIDOf("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")).To(Equal(store.TestRegistryArc + "329800735698586629295641978511506172918"))
	g.Expect(OIDOf("no UUID")).To(BeEmpty())
}

// TestWhatIsSaidAnewIsTold: a request that differs in anything but its time is none that was told.
func TestWhatIsSaidAnewIsTold(t *testing.T) {
	g := NewWithT(t)
	one := event("o", v1alpha1.OperationStoreRelationship, "")
	one.ServiceTasks = []v1alpha1.ServiceTaskCode{"families"}
	other := one
	other.ServiceTasks = []v1alpha1.ServiceTaskCode{"elderly"}
	told, unlisted := added(one, one, other)
	g.Expect(told).To(HaveLen(2))
	g.Expect(unlisted).To(Equal(int32(1)))
}

// TestARepeatedRequestIsCounted, and one that comes after something was stored or ended is told again: it may be the next
// step. So is a reading that comes after a search.
func TestARepeatedRequestIsCounted(t *testing.T) {
	g := NewWithT(t)
	search, read, other, store, end := v1alpha1.OperationSearch, v1alpha1.OperationRead, v1alpha1.OperationOther, v1alpha1.OperationStore, v1alpha1.OperationEndRelationship
	for _, c := range []struct {
		name     string
		events   []v1alpha1.TestEvent
		told     []string
		unlisted int32
	}{
		{"until an end", []v1alpha1.TestEvent{
			event("p", other, "no-relationship"), event("p", other, "no-relationship"), event("o", other, ""), event("p", other, "no-relationship"),
			event("p", search, ""), event("p", search, ""), event("o", other, ""), event("p", search, ""),
			event("o", end, ""), event("p", search, ""), event("p", search, "relationship-ended"),
		}, []string{"1 p Other no-relationship", "2 o Other ", "3 p Search ", "4 o EndRelationship ", "5 p Search ", "6 p Search relationship-ended"}, 5},
		{"that alternates with another party's", []v1alpha1.TestEvent{
			event("o", search, ""), event("p", search, "no-relationship"), event("o", search, ""), event("p", search, "no-relationship"), event("o", search, ""),
		}, []string{"1 o Search ", "2 p Search no-relationship"}, 3},
		{"a reading before and after the first search", []v1alpha1.TestEvent{
			event("p", read, ""), event("p", search, ""), event("p", read, ""), event("p", search, ""), event("p", read, ""),
		}, []string{"1 p Read ", "2 p Search ", "3 p Read "}, 2},
		{"another party's search is none of its own", []v1alpha1.TestEvent{
			event("p", read, ""), event("o", search, ""), event("p", read, ""),
		}, []string{"1 p Read ", "2 o Search "}, 1},
		{"a store after anything that was allowed", []v1alpha1.TestEvent{
			event("p", store, ""), event("p", store, ""), event("p", read, "document-unknown"), event("p", store, ""), event("p", other, ""), event("p", store, ""),
		}, []string{"1 p Store ", "2 p Read document-unknown", "3 p Other ", "4 p Store "}, 2},
		{"what was refused stores nothing", []v1alpha1.TestEvent{
			event("p", search, ""), event("o", store, "format-unknown"), event("p", search, ""),
		}, []string{"1 p Search ", "2 o Store format-unknown"}, 1},
		{"a store that is refused again", []v1alpha1.TestEvent{
			event("p", store, "format-unknown"), event("p", search, ""), event("p", store, "format-unknown"),
		}, []string{"1 p Store format-unknown", "2 p Search "}, 1},
		{"a stranger's, for good", []v1alpha1.TestEvent{
			event("x", store, ""), event("o", store, ""), event("x", store, ""), event("o", store, ""),
		}, []string{"1 x Store ", "2 o Store "}, 2},
	} {
		told, unlisted := added(c.events...)
		g.Expect(told).To(Equal(c.told), c.name)
		g.Expect(unlisted).To(Equal(c.unlisted), c.name)
	}
}

// TestAListThatIsReadInPartsIsTheSame: what has settled is added once, the rest again and again.
func TestAListThatIsReadInPartsIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := rapid.Custom(func(t *rapid.T) v1alpha1.TestEvent {
			return event(rapid.SampledFrom([]string{"o", "p", "x", "y"}).Draw(t, "who"),
				rapid.SampledFrom([]v1alpha1.TestOperation{v1alpha1.OperationOther, v1alpha1.OperationSearch, v1alpha1.OperationRead, v1alpha1.OperationStore, v1alpha1.OperationEndRelationship}).Draw(t, "what"),
				rapid.SampledFrom([]string{"", "", "refused", "missing"}).Draw(t, "reason"))
		})
		all := rapid.SliceOfN(draw, 0, 150).Draw(t, "events")
		var whole, settled list
		for _, e := range all {
			whole.add(listed{TestEvent: e})
		}
		from := 0
		for from < len(all) {
			to := rapid.IntRange(from, len(all)).Draw(t, "to")
			now := settled.clone()
			for _, e := range all[from:to] {
				now.add(listed{TestEvent: e})
			}
			upTo := rapid.IntRange(from, to).Draw(t, "settled")
			if upTo == from && to == len(all) {
				upTo = to
			}
			for _, e := range all[from:upTo] {
				settled.add(listed{TestEvent: e})
			}
			from = upTo
		}
		if fmt.Sprint(whole.events, whole.unlisted) != fmt.Sprint(settled.events, settled.unlisted) {
			t.Fatal("the parts make another list")
		}
	})
}

// none is a view without anything.
type none struct{}

func (none) Read(func(access.View)) {}

// TestACertificateIsOfAPartyOrOfNobody: it must name the test's registry and have been in a ledger.
func TestACertificateIsOfAPartyOrOfNobody(t *testing.T) {
	g := NewWithT(t)
	const registry, unit = "2.25.1", "1.2.246.10.2.10.1"
	row := func(thumbprint, caller string, outcome store.Outcome) *store.LogRow {
		return &store.LogRow{CertificateThumbprint: thumbprint, Caller: "spiffe://archive.example/registry/" + caller, Outcome: outcome}
	}
	p := &parties{view: none{}, registry: registry, unit: unit, known: map[string]v1alpha1.TestParty{}}
	g.Expect(p.of(row("a", registry+"/organizer", store.OutcomeRefused))).To(BeEmpty(), "in no ledger")
	g.Expect(p.of(row("a", registry+"/organizer", store.OutcomeAllowed))).To(Equal(v1alpha1.PartyOrganizer))
	g.Expect(p.of(row("a", registry+"/organizer", store.OutcomeRefused))).To(Equal(v1alpha1.PartyOrganizer), "it has been in one")
	g.Expect(p.of(row("b", registry+"/unit/"+unit, store.OutcomeAllowed))).To(Equal(v1alpha1.PartyProducer))
	g.Expect(p.of(row("c", "1.2.246.10.1.19.0/unit/"+unit, store.OutcomeAllowed))).To(BeEmpty(), "for production")
	g.Expect(p.of(row("d", registry+"/unit/1.2.3", store.OutcomeAllowed))).To(BeEmpty(), "another unit")
	g.Expect(p.of(row("e", "nonsense", store.OutcomeAllowed))).To(BeEmpty())
}

// papers are documents with versions.
type papers struct {
	facts []store.Facts
	said  map[int]store.Relationship
}

func (p papers) Versions(context.Context, string, uuid.UUID) ([]store.Facts, error) {
	if p.facts == nil {
		return nil, store.ErrNotFound
	}
	return p.facts, nil
}

func (p papers) RelationshipVersion(_ context.Context, _ uuid.UUID, version int) (store.Relationship, error) {
	if said, ok := p.said[version]; ok {
		return said, nil
	}
	return store.Relationship{}, store.ErrNotFound
}

// TestAnEventTellsFactsAndNothingOfAPerson.
func TestAnEventTellsFactsAndNothingOfAPerson(t *testing.T) {
	g := NewWithT(t)
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	document := uuid.New()
	facts := func(version int, stored time.Time, unit string, formats ...string) store.Facts {
		f := store.Facts{ID: document, Version: version, Stored: stored, Author: store.Author{Unit: unit, Professional: "1001"}}
		for _, format := range formats {
			f.Representations = append(f.Representations, store.RepresentationFacts{ContentType: format})
		}
		return f
	}
	tell := func(p papers, row store.LogRow) v1alpha1.TestEvent {
		row.Time, row.CertificateThumbprint, row.CardThumbprint, row.Professional = at, "thumbprint", "card", "1001"
		if row.Outcome == "" {
			row.Outcome = store.OutcomeAllowed
		}
		one := &teller{store: p, registry: "2.25.1", unit: "u", salt: [32]byte{1}, party: func(*store.LogRow) v1alpha1.TestParty { return "" }}
		e, ok, err := one.event(t.Context(), &row)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(ok).To(BeTrue())
		g.Expect(e.Professional).To(HaveLen(43))
		return e
	}
	read := store.LogRow{Operation: "Read", DocumentIDs: []uuid.UUID{document}}
	both := papers{facts: []store.Facts{facts(1, at, "u", store.ContentJSON, store.ContentXHTML)}}
	g.Expect(tell(both, read)).To(And(HaveField("Format", v1alpha1.FormatJSON), HaveField("StoredBy", v1alpha1.PartyProducer)))
	read.Criteria = []byte(`{"format":"application/xhtml+xml"}`)
	g.Expect(tell(both, read).Format).To(Equal(v1alpha1.FormatXHTML))
	g.Expect(tell(papers{}, read).Format).To(BeEmpty())
	read.Criteria = nil
	corrected := papers{facts: []store.Facts{
		facts(3, at.Add(time.Microsecond), "", store.ContentXHTML), facts(2, at, "u", store.ContentJSON), facts(1, at.Add(-time.Hour), "", store.ContentXHTML),
	}}
	g.Expect(tell(corrected, read)).To(And(HaveField("Format", v1alpha1.FormatJSON), HaveField("StoredBy", v1alpha1.PartyProducer)), "what was stored later was not read")
	read.Criteria = []byte(`{"version":1}`)
	g.Expect(tell(corrected, read)).To(And(HaveField("Format", v1alpha1.FormatXHTML), HaveField("StoredBy", v1alpha1.PartyOrganizer)))
	read.Criteria = []byte(`{"version":9}`)
	g.Expect(tell(corrected, read).StoredBy).To(BeEmpty(), "a version that there is not")
	read.Criteria = nil
	g.Expect(tell(papers{facts: corrected.facts[:1]}, read).StoredBy).To(BeEmpty(), "nothing was there to be read")

	paper := papers{
		facts: []store.Facts{facts(3, at.Add(time.Second), "", store.ContentJSON), facts(2, at, "", store.ContentJSON), facts(1, at.Add(-time.Hour), "", store.ContentJSON)},
		said:  map[int]store.Relationship{1: {Unit: "u"}, 2: {Unit: "u", End: at}, 3: {Unit: "u", End: at.Add(time.Hour)}},
	}
	version := store.LogRow{Operation: "NewVersion", DocumentIDs: []uuid.UUID{document}}
	g.Expect(tell(paper, version)).To(And(HaveField("Operation", v1alpha1.OperationEndRelationship), HaveField("Unit", v1alpha1.OID("u")), HaveField("StoredBy", v1alpha1.PartyOrganizer)))
	paper.said[2] = store.Relationship{Unit: "u", End: at.Add(time.Hour)}
	paper.facts[1].ServiceTasks = []string{"families", "elderly"}
	g.Expect(tell(paper, version)).To(And(HaveField("Operation", v1alpha1.OperationStoreRelationship),
		HaveField("ServiceTasks", []v1alpha1.ServiceTaskCode{"families", "elderly"})), "an end that is far ahead ends nothing yet")
	g.Expect(tell(paper, store.LogRow{Operation: "Annul", DocumentIDs: []uuid.UUID{document}}).Operation).To(Equal(v1alpha1.OperationEndRelationship))
	g.Expect(tell(papers{}, store.LogRow{Operation: "Search", DocumentCount: 2, DocumentIDs: []uuid.UUID{document, uuid.New()}})).To(
		And(HaveField("Count", ptr.To(int32(2))), HaveField("Document", "")))
	refused := tell(papers{}, store.LogRow{Operation: "Search", Outcome: store.OutcomeRefused, Reason: "relationship-ended"})
	g.Expect(refused).To(And(HaveField("Count", BeNil()), HaveField("Reason", "relationship-ended")))

	// Equal cards are told apart from others within a test, and say nothing beyond it.
	one, two := &teller{salt: [32]byte{1}}, &teller{salt: [32]byte{2}}
	g.Expect(one.hash("card")).To(Equal(one.hash("card")))
	g.Expect(one.hash("card")).NotTo(Or(Equal(one.hash("other")), Equal(two.hash("card"))))
	_, ok, err := one.event(t.Context(), &store.LogRow{Operation: "Store"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(ok).To(BeFalse(), "the archive's own doing is no request")
}
