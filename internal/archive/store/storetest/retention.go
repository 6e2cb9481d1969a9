// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testRetention(t *testing.T, engine Engine) {
	t.Run("KeptTellsWhatClocksNeed", func(t *testing.T) { keptTellsWhatClocksNeed(t, engine) })
	t.Run("NothingOfADestroyedDocumentIsLeft", func(t *testing.T) { nothingOfADestroyedDocumentIsLeft(t, engine) })
	t.Run("TheJudgeDecidesInTheTransaction", func(t *testing.T) { theJudgeDecidesInTheTransaction(t, engine) })
	t.Run("NoVersionIsLostBesideADestruction", func(t *testing.T) { noVersionIsLostBesideADestruction(t, engine) })
	t.Run("ADestroyedClientIsGone", func(t *testing.T) { aDestroyedClientIsGone(t, engine) })
	t.Run("RecordsComeInPages", func(t *testing.T) { recordsComeInPages(t, engine) })
}

// SomeDue is why the suite's documents are destroyed.
var SomeDue = store.Due{Rule: "families", CountedFrom: "matterClosed", StartedOn: "1996-03-01", DueOn: "2026-03-02"}

// Due finds everything to be due.
func Due(store.Kept) (store.Due, bool) { return SomeDue, true }

// PersonDue finds every client to be due.
func PersonDue(p store.KeptPerson) (store.PersonDue, bool) {
	return store.PersonDue{Due: SomeDue, Matters: slices.Repeat([]store.Due{SomeDue}, len(p.Matters))}, true
}

func keptTellsWhatClocksNeed(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	a, b := Client(t, s, registryA, 1), Client(t, s, registryA, 2)
	m := OpenMatter(t, s, NewMatter(registryA, "M-1", []uuid.UUID{a}, "t1", "Ä"))
	matters := []store.KeptMatter{{ID: m.ID, ClientIDs: m.ClientIDs, ServiceTasks: m.ServiceTasks, Opened: m.Opened, Documents: 1}}
	var want []store.Kept
	for i := range 7 {
		doc := NewDocument(registryA, a, start.Add(time.Duration(i)*time.Hour), []byte("x"), "t1", "Ä")
		if i == 6 {
			doc.Matter = m.ID
		}
		kept := store.Kept{
			ID: doc.ID, Registry: registryA, Type: doc.Type, Version: 1, Matter: doc.Matter, ServiceTasks: doc.ServiceTasks,
			Created: store.Instant(doc.Created), Stored: store.Instant(doc.Stored), Clients: []store.KeptClient{{ID: a, BornOn: bornOn}}, Matters: matters,
		}
		switch i {
		case 3:
			doc.ClientIDs = []uuid.UUID{a, b}
			kept.Clients = append(kept.Clients, store.KeptClient{ID: b, BornOn: bornOn})
		case 4:
			doc.Relationship = &store.Relationship{Unit: "1.2.246.10.99999993.10.1", Start: start, Procurement: "Outsourced"}
			kept.Unsettled = true
		}
		kept.ClientIDs = doc.ClientIDs
		facts := StoreNew(t, s, doc)
		if i == 5 {
			version := NewVersion(facts, start.Add(48*time.Hour), []byte("y"), "t2")
			if _, _, err := s.AddVersion(t.Context(), version, Row("a", start)); err != nil {
				t.Fatal(err)
			}
			kept.Version, kept.Matter, kept.ServiceTasks, kept.Stored = 2, "", []string{"t2"}, store.Instant(version.Stored)
			kept.Created = store.Instant(version.Created)
		}
		want = append(want, kept)
	}
	slices.SortFunc(want, func(a, b store.Kept) int { return slices.Compare(a.ID[:], b.ID[:]) })
	var got []store.Kept
	after := uuid.Nil
	for range 4 {
		page, err := s.Kept(t.Context(), after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, page...); len(page) > 0 {
			after = page[len(page)-1].ID
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	one, err := s.KeptDocument(t.Context(), registryA, want[0].ID)
	if err != nil || !reflect.DeepEqual(one, want[0]) {
		t.Errorf("one: %+v, %v", one, err)
	}
	if _, err := s.KeptDocument(t.Context(), registryB, want[0].ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("by another registry: %v", err)
	}
	persons, err := s.KeptPersons(t.Context(), uuid.Nil, 10)
	if err != nil || len(persons) != 2 {
		t.Fatalf("persons %+v, %v", persons, err)
	}
	for _, p := range persons {
		if wantDocuments := map[uuid.UUID]int{a: 7, b: 1}[p.ID]; p.Documents != wantDocuments || p.Registry != registryA {
			t.Errorf("got %+v", p)
		}
	}
}

func nothingOfADestroyedDocumentIsLeft(t *testing.T, engine Engine) {
	place := engine.NewPlace(t)
	s := engine.Open(t, place)
	a, b := Client(t, s, registryA, 1), Client(t, s, registryA, 2)
	for i, annulled := range []bool{false, true} {
		doc := NewDocument(registryA, a, start, []byte("one"), "t1", "t2")
		doc.ClientIDs, doc.Matter = []uuid.UUID{a, b}, fmt.Sprint("M-", i)
		doc.Representations[0].Signature = NewSignature("T-1")
		other := NewDocument(registryA, a, start, []byte("other"), "t1")
		if i == 1 { // one of these has one client
			doc.ClientIDs = doc.ClientIDs[:1]
			doc.Relationship = &store.Relationship{Unit: "1.2.246.10.99999993.10.1", Start: start, Procurement: "Outsourced"}
		}
		for _, id := range []string{doc.Matter, doc.Matter + "-next"} {
			OpenMatter(t, s, NewMatter(registryA, id, doc.ClientIDs, "t1", "t2", "t3"))
		}
		facts := StoreNew(t, s, doc)
		StoreNew(t, s, other)
		version := NewVersion(facts, start, []byte("two"), "t2", "t3")
		version.Matter, version.Relationship = doc.Matter+"-next", doc.Relationship
		facts, _, err := s.AddVersion(t.Context(), version, Row("a", start))
		if err != nil {
			t.Fatal(err)
		}
		if annulled {
			if _, _, err := s.Annul(t.Context(), NewAnnulment(facts, start, "mistake"), Row("a", start)); err != nil {
				t.Fatal(err)
			}
		}
		row := Row("Destroy", start)
		if err := s.Destroy(t.Context(), doc.ID, start.Add(time.Hour), Due, row); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = engine.Open(t, place)
		isGone(t, s, doc)
		want := store.DestroyedRecord{
			Kind: store.KindDocument, Subject: doc.ID.String(), Registry: registryA, ClientIDs: doc.ClientIDs, Type: doc.Type,
			ServiceTasks: []string{"t2", "t3"}, Versions: 2, Due: SomeDue, Destroyed: store.Instant(start.Add(time.Hour)),
		}
		if got, err := s.DestroyedDocument(t.Context(), registryA, doc.ID); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("record %+v, %v", got, err)
		}
		if _, err := s.DestroyedDocument(t.Context(), registryB, doc.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a record of another registry: %v", err)
		}
		var told []uuid.UUID
		for _, one := range AllLog(t, s, store.LogQuery{}) {
			if one.RequestID == row.RequestID {
				told = append(told, one.ClientID)
				if one.Registry != registryA || !slices.Equal(one.DocumentIDs, []uuid.UUID{doc.ID}) || one.DocumentCount != 1 {
					t.Errorf("row %+v", one)
				}
			}
		}
		if !sameIDs(told, doc.ClientIDs) {
			t.Errorf("the destruction is told to %v, want %v", told, doc.ClientIDs)
		}
		if _, err := s.Document(t.Context(), registryA, other.ID, 0, store.ContentJSON); err != nil {
			t.Errorf("the document beside it: %v", err)
		}
		// The id is taken for good, by the same words and by others.
		if _, _, err := s.StoreDocument(t.Context(), doc, Row("a", start)); !errors.Is(err, store.ErrDestroyed) {
			t.Errorf("stored again: %v", err)
		}
		doc.Representations = []store.Representation{{ContentType: store.ContentJSON, Body: []byte("new")}}
		if _, _, err := s.StoreDocument(t.Context(), doc, Row("a", start)); !errors.Is(err, store.ErrDestroyed) {
			t.Errorf("another under its id: %v", err)
		}
		if err := s.Destroy(t.Context(), doc.ID, start, Due, Row("Destroy", start)); !errors.Is(err, store.ErrDestroyed) {
			t.Errorf("destroyed again: %v", err)
		}
	}
	if err := s.Destroy(t.Context(), uuid.New(), start, Due, Row("Destroy", start)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no document: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// isGone looks for the document in every way.
func isGone(t *testing.T, s store.Store, doc store.NewDocument) {
	t.Helper()
	for version := range 3 {
		if _, err := s.DocumentFacts(t.Context(), doc.Registry, doc.ID, version); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("facts of version %d: %v", version, err)
		}
		if _, err := s.Document(t.Context(), doc.Registry, doc.ID, version, store.ContentJSON); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("bytes of version %d: %v", version, err)
		}
		if _, err := s.Signature(t.Context(), doc.Registry, doc.ID, version, store.ContentJSON); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("signature of version %d: %v", version, err)
		}
		if _, err := s.RelationshipVersion(t.Context(), doc.ID, version); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("relationship by version %d: %v", version, err)
		}
	}
	if _, err := s.Versions(t.Context(), doc.Registry, doc.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("versions: %v", err)
	}
	if _, err := s.RelationshipRecord(t.Context(), doc.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("relationship: %v", err)
	}
	if _, _, err := s.AddVersion(t.Context(), NewVersion(store.Facts{Registry: doc.Registry, ID: doc.ID, Current: 2}, start, []byte("x"), "t1"), Row("a", start)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a new version: %v", err)
	}
	for _, query := range []store.SearchQuery{
		{Matter: doc.Matter}, {Matter: doc.Matter + "-next"}, {ClientID: doc.ClientIDs[0]}, {ClientID: doc.ClientIDs[len(doc.ClientIDs)-1]},
		{ClientID: doc.ClientIDs[0], ServiceTask: "t1"}, {ClientID: doc.ClientIDs[0], ServiceTask: "t2"}, {ClientID: doc.ClientIDs[0], ServiceTask: "t3"},
	} {
		for _, annulled := range []bool{false, true} {
			query.Registry, query.Limit, query.Annulled = doc.Registry, store.MaxPage, annulled
			page, err := s.Search(t.Context(), query)
			if err != nil || page.Total != len(page.Items) || slices.ContainsFunc(page.Items, func(f store.Facts) bool { return f.ID == doc.ID }) {
				t.Errorf("%+v finds %+v, %v", query, page, err)
			}
		}
	}
}

func theJudgeDecidesInTheTransaction(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	a := Client(t, s, registryA, 1)
	facts := StoreNew(t, s, NewDocument(registryA, a, start, []byte("one"), "t1"))
	before, err := s.KeptDocument(t.Context(), registryA, facts.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.AddVersion(t.Context(), NewVersion(facts, start, []byte("two"), "t2"), Row("a", start)); err != nil {
		t.Fatal(err)
	}
	var seen store.Kept
	row := Row("Destroy", start)
	err = s.Destroy(t.Context(), facts.ID, start, func(k store.Kept) (store.Due, bool) {
		seen = k
		return SomeDue, reflect.DeepEqual(k, before)
	}, row)
	if !errors.Is(err, store.ErrKept) || seen.Version != 2 || !slices.Equal(seen.ServiceTasks, []string{"t2"}) {
		t.Errorf("judged by %+v: %v", seen, err)
	}
	if _, err := s.Document(t.Context(), registryA, facts.ID, 1, store.ContentJSON); err != nil {
		t.Errorf("what was kept: %v", err)
	}
	for _, one := range AllLog(t, s, store.LogQuery{}) {
		if one.RequestID == row.RequestID {
			t.Error("what was not done is in the log")
		}
	}
	if err := s.DestroyClient(t.Context(), a, start, func(store.KeptPerson) (store.PersonDue, bool) { return store.PersonDue{}, false }, Row("a", start)); !errors.Is(err, store.ErrKept) {
		t.Errorf("a client that is kept: %v", err)
	}
	if there, err := s.ClientExists(t.Context(), registryA, a); err != nil || !there {
		t.Errorf("the client: %v, %v", there, err)
	}
}

// noVersionIsLostBesideADestruction: a version that was acknowledged is not destroyed by a judge that has not seen it.
func noVersionIsLostBesideADestruction(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	a := Client(t, s, registryA, 1)
	for range 30 {
		facts := StoreNew(t, s, NewDocument(registryA, a, start, []byte("one"), "t1"))
		var both sync.WaitGroup
		var stored, destroyed error
		both.Go(func() {
			_, _, stored = s.AddVersion(t.Context(), NewVersion(facts, start, []byte("two"), "t2"), Row("a", start))
		})
		both.Go(func() {
			destroyed = s.Destroy(t.Context(), facts.ID, start, func(k store.Kept) (store.Due, bool) { return SomeDue, k.Version == 1 }, Row("a", start))
		})
		both.Wait()
		versions, err := s.Versions(t.Context(), registryA, facts.ID)
		switch {
		case stored == nil && errors.Is(destroyed, store.ErrKept) && err == nil && len(versions) == 2:
		case errors.Is(stored, store.ErrNotFound) && destroyed == nil && errors.Is(err, store.ErrNotFound):
		default:
			t.Fatalf("stored %v, destroyed %v, then %d versions, %v", stored, destroyed, len(versions), err)
		}
	}
}

func aDestroyedClientIsGone(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	a, b := Client(t, s, registryA, 1), Client(t, s, registryA, 2)
	row := Row("Destroy", start)
	if err := s.DestroyClient(t.Context(), a, start, PersonDue, row); err != nil {
		t.Fatal(err)
	}
	if _, found, err := s.FindClient(t.Context(), registryA, Hash(1)); err != nil || found {
		t.Errorf("found by its code: %v, %v", found, err)
	}
	if there, err := s.ClientExists(t.Context(), registryA, a); err != nil || there {
		t.Errorf("found by its id: %v, %v", there, err)
	}
	if _, _, err := s.StoreDocument(t.Context(), NewDocument(registryA, a, start, []byte("x"), "t1"), Row("a", start)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a document of it: %v", err)
	}
	if err := s.DestroyClient(t.Context(), a, start, PersonDue, Row("a", start)); !errors.Is(err, store.ErrDestroyed) {
		t.Errorf("destroyed again: %v", err)
	}
	if err := s.DestroyClient(t.Context(), uuid.New(), start, PersonDue, Row("a", start)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no client: %v", err)
	}
	if id, found, err := s.FindClient(t.Context(), registryA, Hash(2)); err != nil || !found || id != b {
		t.Errorf("the other client: %v, %v", found, err)
	}
	if id := Client(t, s, registryA, 1); id == a {
		t.Error("the id was given again")
	}
	for _, one := range AllLog(t, s, store.LogQuery{}) {
		if one.RequestID == row.RequestID && one.ClientID == a && one.Registry == registryA {
			return
		}
	}
	t.Error("the destruction is not in the log")
}

func recordsComeInPages(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	a, b := Client(t, s, registryA, 1), Client(t, s, registryA, 2)
	want := []string{"client " + b.String()}
	for range 7 {
		doc := NewDocument(registryA, a, start, []byte("one"), "t1")
		StoreNew(t, s, doc)
		if err := s.Destroy(t.Context(), doc.ID, start, Due, Row("a", start)); err != nil {
			t.Fatal(err)
		}
		want = append(want, "document "+doc.ID.String())
	}
	if err := s.DestroyClient(t.Context(), b, start, PersonDue, Row("a", start)); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	var got []string
	var after *store.RecordPosition
	for range 20 {
		page, err := s.DestroyedRecords(t.Context(), after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			got = append(got, string(r.Kind)+" "+r.Subject)
			after = &store.RecordPosition{Kind: r.Kind, Subject: r.Subject}
		}
	}
	slices.Sort(got) // an engine may sort text in its own way
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// sameIDs tells whether both have the same ids, in any order.
func sameIDs(a, b []uuid.UUID) bool {
	sorted := func(ids []uuid.UUID) []uuid.UUID {
		return slices.SortedFunc(slices.Values(ids), func(x, y uuid.UUID) int { return bytes.Compare(x[:], y[:]) })
	}
	return slices.Equal(sorted(a), sorted(b))
}
