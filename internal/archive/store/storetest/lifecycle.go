// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testLifecycle(t *testing.T, engine Engine) {
	t.Run("AllSurvivesAReopen", func(t *testing.T) { lifecycleAllSurvivesAReopen(t, engine) })
	t.Run("AClosedStoreSaysSo", func(t *testing.T) { lifecycleAClosedStoreSaysSo(t, engine) })
	t.Run("AnEndedContextStartsNothing", func(t *testing.T) { lifecycleAnEndedContextStartsNothing(t, engine) })
}

func lifecycleAllSurvivesAReopen(t *testing.T, engine Engine) {
	place := engine.NewPlace(t)
	s := engine.Open(t, place)
	client := Client(t, s, registryA, 1)
	doc := NewDocument(registryA, client, start, []byte("body"), "t1")
	if _, _, err := s.StoreDocument(t.Context(), doc, Row("document.store", start)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = engine.Open(t, place)
	defer func() { _ = s.Close() }()
	if got, err := s.Document(t.Context(), registryA, doc.ID, 0, store.ContentJSON); err != nil || string(got.Body) != "body" {
		t.Errorf("the document: %v", err)
	}
	if again := Client(t, s, registryA, 1); again != client {
		t.Error("the client got another id")
	}
	if rows := AllLog(t, s, store.LogQuery{}); len(rows) != 3 {
		t.Errorf("%d log rows, want 3", len(rows))
	}
}

func lifecycleAClosedStoreSaysSo(t *testing.T, engine Engine) {
	s := engine.Open(t, engine.NewPlace(t))
	client := Client(t, s, registryA, 1)
	facts := StoreNew(t, s, NewDocument(registryA, client, start, []byte("x"), "t1"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, registerErr := s.RegisterClient(t.Context(), registryA, Registration(Hash(2)), start, Row("a", start))
	_, _, storeErr := s.StoreDocument(t.Context(), NewDocument(registryA, client, start, []byte("x"), "t1"), Row("a", start))
	_, clientErr := s.Client(t.Context(), registryA, client)
	_, _, identifiersErr := s.ClientIdentifiers(t.Context(), registryA, client)
	_, updateErr := s.UpdateClient(t.Context(), registryA, client, store.BasicData{}, Row("a", start))
	_, replaceErr := s.ReplaceIdentity(t.Context(), registryA, client, Registration(Hash(2)), start, Row("a", start))
	_, _, findErr := s.FindClient(t.Context(), registryA, Hash(1))
	_, readErr := s.Document(t.Context(), registryA, uuid.New(), 0, store.ContentJSON)
	_, _, versionErr := s.AddVersion(t.Context(), NewVersion(facts, start, []byte("y"), "t1"), Row("a", start))
	_, _, annulErr := s.Annul(t.Context(), NewAnnulment(facts, start, "mistake"), Row("a", start))
	_, versionsErr := s.Versions(t.Context(), registryA, facts.ID)
	_, factsErr := s.DocumentFacts(t.Context(), registryA, facts.ID, 0)
	_, unsettledErr := s.UnsettledRelationships(t.Context(), uuid.Nil, 1)
	_, recordErr := s.RelationshipRecord(t.Context(), facts.ID)
	settleErr := s.SettleRelationship(t.Context(), store.Settlement{DocumentID: facts.ID, Agreement: store.AgreementReached})
	_, searchErr := s.Search(t.Context(), store.SearchQuery{Registry: registryA, ClientID: client, Limit: 1})
	_, logErr := s.Log(t.Context(), store.LogQuery{Limit: 1})
	_, seenErr := s.RecentAssertionIDs(t.Context(), start)
	_, stateErr := s.LogState(t.Context())
	_, leaseErr := s.TakeLogLease(t.Context(), "a", start, start)
	_, pendingErr := s.PendingLog(t.Context(), 1)
	_, tileErr := s.LogTile(t.Context(), "2026-03", 0, 0)
	for name, err := range map[string]error{
		"LogState": stateErr, "TakeLogLease": leaseErr, "PendingLog": pendingErr, "LogTile": tileErr,
		"RegisterClient": registerErr, "StoreDocument": storeErr, "FindClient": findErr, "Document": readErr,
		"Client": clientErr, "ClientIdentifiers": identifiersErr, "UpdateClient": updateErr, "ReplaceIdentity": replaceErr,
		"AddVersion": versionErr, "Annul": annulErr, "Versions": versionsErr, "DocumentFacts": factsErr,
		"UnsettledRelationships": unsettledErr, "RelationshipRecord": recordErr, "SettleRelationship": settleErr,
		"Search": searchErr, "Log": logErr, "RecentAssertionIDs": seenErr,
		"AppendLog": s.AppendLog(t.Context(), Row("a", start)), "Probe": s.Probe(t.Context(), start),
	} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", name, err)
		}
	}
}

func lifecycleAnEndedContextStartsNothing(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.AppendLog(ctx, Row("a", start)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := s.Probe(t.Context(), start); err != nil {
		t.Fatal(err)
	}
	if n := len(AllLog(t, s, store.LogQuery{})); n != 0 {
		t.Errorf("%d rows", n)
	}
}
