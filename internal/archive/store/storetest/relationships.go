// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testRelationships(t *testing.T, engine Engine) {
	t.Run("TheRecordFollowsTheDocument", func(t *testing.T) { relationshipsTheRecordFollowsTheDocument(t, engine) })
	t.Run("AStaleSettlementIsRefused", func(t *testing.T) { relationshipsAStaleSettlementIsRefused(t, engine) })
	t.Run("UnsettledOnesComeInOrder", func(t *testing.T) { relationshipsUnsettledOnesComeInOrder(t, engine) })
	t.Run("ADocumentStaysOfItsKind", func(t *testing.T) { relationshipsADocumentStaysOfItsKind(t, engine) })
}

// newRelationship gives a client relationship document, open-ended.
func newRelationship(client uuid.UUID) store.NewDocument {
	doc := NewDocument(registryA, client, start, []byte(`{"open":true}`), "t1", "t2")
	doc.Type = "client-relationship"
	doc.Relationship = &store.Relationship{Unit: "1.2.246.10.99999993.10.1", Start: store.Instant(start), Procurement: "Voucher"}
	return doc
}

func ended(of store.Facts, at time.Time) store.NewVersion {
	version := NewVersion(of, start.Add(time.Hour), []byte(`{"open":false}`), "t1")
	version.Relationship = &store.Relationship{
		Unit: "1.2.246.10.99999993.10.1", Start: store.Instant(start), End: store.Instant(at), Procurement: "Voucher",
	}
	return version
}

func record(t testing.TB, s store.Store, id uuid.UUID) store.RelationshipRecord {
	t.Helper()
	got, err := s.RelationshipRecord(t.Context(), id)
	if err != nil {
		t.Fatalf("reading the record: %v", err)
	}
	return got
}

func relationshipsTheRecordFollowsTheDocument(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	doc := newRelationship(client)
	facts := StoreNew(t, s, doc)
	want := store.RelationshipRecord{
		DocumentID: doc.ID, Registry: registryA, ClientID: client, Version: 1, ServiceTasks: []string{"t1", "t2"},
		Relationship: *doc.Relationship, Agreement: store.AgreementPending,
	}
	if got := record(t, s, doc.ID); !reflect.DeepEqual(got, want) {
		t.Errorf("at the store %+v\nwant %+v", got, want)
	}
	settle := store.Settlement{
		DocumentID: doc.ID, Version: 1, Agreement: store.AgreementReached, Detail: "both say so", AgreedVersion: 1, ObjectUID: "uid",
	}
	if err := s.SettleRelationship(t.Context(), settle); err != nil {
		t.Fatal(err)
	}
	want.Agreement, want.Detail, want.AgreedVersion, want.ObjectUID = store.AgreementReached, "both say so", 1, "uid"
	if got := record(t, s, doc.ID); !reflect.DeepEqual(got, want) {
		t.Errorf("once settled %+v\nwant %+v", got, want)
	}
	if left := unsettled(t, s, 10); len(left) != 0 {
		t.Errorf("%d are unsettled", len(left))
	}

	version := ended(facts, start.AddDate(0, 1, 0))
	second, _, err := s.AddVersion(t.Context(), version, Row("a", start))
	if err != nil {
		t.Fatal(err)
	}
	want.Version, want.ServiceTasks, want.Relationship = 2, []string{"t1"}, *version.Relationship
	want.Agreement, want.Detail = store.AgreementPending, ""
	if got := record(t, s, doc.ID); !reflect.DeepEqual(got, want) {
		t.Errorf("after a version %+v\nwant %+v", got, want)
	}
	for n, said := range map[int]store.Relationship{1: *doc.Relationship, 2: *version.Relationship} {
		if got, err := s.RelationshipVersion(t.Context(), doc.ID, n); err != nil || got != said {
			t.Errorf("version %d said %+v (err=%v)", n, got, err)
		}
	}
	settle.Version, settle.AgreedVersion = 2, 2
	if err := s.SettleRelationship(t.Context(), settle); err != nil {
		t.Fatal(err)
	}
	annulment := NewAnnulment(second, start.Add(2*time.Hour), "mistake")
	if _, _, err := s.Annul(t.Context(), annulment, Row("a", start)); err != nil {
		t.Fatal(err)
	}
	want.AnnulledAt, want.AgreedVersion = store.Instant(annulment.At), 2
	if got := record(t, s, doc.ID); !reflect.DeepEqual(got, want) {
		t.Errorf("after the annulment %+v\nwant %+v", got, want)
	}
	if left := unsettled(t, s, 10); len(left) != 1 || !reflect.DeepEqual(left[0], want) {
		t.Errorf("unsettled are %+v", left)
	}
}

func relationshipsAStaleSettlementIsRefused(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	first := StoreNew(t, s, newRelationship(client))
	plain := StoreNew(t, s, NewDocument(registryA, client, start, []byte("x"), "t1"))
	settle := store.Settlement{DocumentID: first.ID, Version: 1, Agreement: store.AgreementReached, AgreedVersion: 1}
	second, _, err := s.AddVersion(t.Context(), ended(first, start.AddDate(0, 1, 0)), Row("a", start))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SettleRelationship(t.Context(), settle); !errors.Is(err, store.ErrStale) {
		t.Errorf("of a former version: %v", err)
	}
	settle.Version, settle.Annulled = 2, true
	if err := s.SettleRelationship(t.Context(), settle); !errors.Is(err, store.ErrStale) {
		t.Errorf("as annulled though it is not: %v", err)
	}
	if _, _, err := s.Annul(t.Context(), NewAnnulment(second, start, "mistake"), Row("a", start)); err != nil {
		t.Fatal(err)
	}
	settle.Annulled = false
	if err := s.SettleRelationship(t.Context(), settle); !errors.Is(err, store.ErrStale) {
		t.Errorf("as in force though it is annulled: %v", err)
	}
	if got := record(t, s, first.ID); got.Agreement != store.AgreementPending || got.AgreedVersion != 0 {
		t.Errorf("a refused settlement was recorded: %+v", got)
	}
	settle.Annulled = true
	if err := s.SettleRelationship(t.Context(), settle); err != nil {
		t.Errorf("the right one: %v", err)
	}
	for name, id := range map[string]uuid.UUID{"another kind of document": plain.ID, "no document": uuid.New()} {
		settle.DocumentID = id
		_, recordErr := s.RelationshipRecord(t.Context(), id)
		_, versionErr := s.RelationshipVersion(t.Context(), id, 1)
		for _, err := range []error{s.SettleRelationship(t.Context(), settle), recordErr, versionErr} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	settle.Agreement = "Sure"
	var invalid *store.InvalidError
	if err := s.SettleRelationship(t.Context(), settle); !errors.As(err, &invalid) {
		t.Errorf("no agreement: %v", err)
	}
}

func relationshipsUnsettledOnesComeInOrder(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	var want []uuid.UUID
	agreements := []store.Agreement{store.AgreementReached, store.AgreementConflict, store.AgreementRefused, store.AgreementPending}
	for i := range 20 {
		facts := StoreNew(t, s, newRelationship(client))
		agreement := agreements[i%len(agreements)]
		if err := s.SettleRelationship(t.Context(), store.Settlement{DocumentID: facts.ID, Version: 1, Agreement: agreement}); err != nil {
			t.Fatal(err)
		}
		if agreement != store.AgreementReached {
			want = append(want, facts.ID)
		}
	}
	slices.SortFunc(want, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	for _, limit := range []int{1, 4, 100} {
		var got []uuid.UUID
		for _, r := range unsettled(t, s, limit) {
			got = append(got, r.DocumentID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("by %d: %d records, want %d, or another order", limit, len(got), len(want))
		}
	}
}

// unsettled reads all unsettled records, page by page.
func unsettled(t testing.TB, s store.Store, limit int) (all []store.RelationshipRecord) {
	t.Helper()
	after := uuid.Nil
	for {
		page, err := s.UnsettledRelationships(t.Context(), after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > limit {
			t.Fatalf("%d records on a page of %d", len(page), limit)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		after = page[len(page)-1].DocumentID
	}
}

func relationshipsADocumentStaysOfItsKind(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	relationship := StoreNew(t, s, newRelationship(client))
	plain := StoreNew(t, s, NewDocument(registryA, client, start, []byte("x"), "t1"))
	var invalid *store.InvalidError
	if _, _, err := s.AddVersion(t.Context(), NewVersion(relationship, start, []byte("y"), "t1"), Row("a", start)); !errors.As(err, &invalid) {
		t.Errorf("a relationship's document without one: %v", err)
	}
	if _, _, err := s.AddVersion(t.Context(), ended(plain, start), Row("a", start)); !errors.As(err, &invalid) {
		t.Errorf("another document with a relationship: %v", err)
	}
	two := newRelationship(client)
	two.ClientIDs = append(two.ClientIDs, Client(t, s, registryA, 2))
	if _, _, err := s.StoreDocument(t.Context(), two, Row("a", start)); !errors.As(err, &invalid) {
		t.Errorf("a relationship of two clients: %v", err)
	}
}
