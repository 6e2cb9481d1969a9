// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testAccessLog(t *testing.T, engine Engine) {
	t.Run("ARowComesBackWhole", func(t *testing.T) { logARowComesBackWhole(t, engine) })
	t.Run("RowsComeByClientRegistryAndTimePaged", func(t *testing.T) { logRowsComeByClientRegistryAndTimePaged(t, engine) })
	t.Run("AppendingIsAllOrNothing", func(t *testing.T) { logAppendingIsAllOrNothing(t, engine) })
	t.Run("WhatNoEngineKeepsAsTextIsLoggedStill", func(t *testing.T) { logWhatNoEngineKeepsAsTextIsLoggedStill(t, engine) })
	t.Run("AUsedAssertionIsRemembered", func(t *testing.T) { logAUsedAssertionIsRemembered(t, engine) })
}

func logARowComesBackWhole(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	row := FullRow()
	if err := s.AppendLog(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	rows := AllLog(t, s, store.LogQuery{})
	if len(rows) != 1 {
		t.Fatalf("%d rows", len(rows))
	}
	row.Time = store.Instant(row.Time)
	if !reflect.DeepEqual(rows[0], row) {
		t.Errorf("got  %+v\nwant %+v", rows[0], row)
	}
}

func logRowsComeByClientRegistryAndTimePaged(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	clients := []uuid.UUID{uuid.New(), uuid.New(), uuid.Nil}
	var all []store.LogRow
	for i := range 30 {
		row := Row("document.read", start.Add(time.Duration(i/3)*time.Second))
		row.ClientID, row.Registry, row.Unit = clients[i%3], []string{registryA, registryB}[i%2], []string{"", "1.2.3", "1.2.4"}[i%5%3]
		if i%7 == 0 {
			row.Outcome, row.Reason = store.OutcomeRefused, "no-relationship"
		}
		all = append(all, row)
	}
	if err := s.AppendLog(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	for _, query := range []store.LogQuery{
		{}, {ClientID: clients[0]}, {Registry: registryB}, {ClientID: clients[1], Registry: registryA},
		{From: start.Add(2 * time.Second)}, {Until: start.Add(5 * time.Second)},
		{ClientID: clients[0], From: start.Add(time.Second), Until: start.Add(4 * time.Second)},
		{Unit: "1.2.3"}, {Outcome: store.OutcomeRefused}, {ClientID: clients[2], Unit: "1.2.4", Outcome: store.OutcomeAllowed},
	} {
		want := 0
		for _, row := range all {
			at := store.Instant(row.Time)
			if (query.ClientID == uuid.Nil || row.ClientID == query.ClientID) &&
				(query.Registry == "" || row.Registry == query.Registry) &&
				(query.Unit == "" || row.Unit == query.Unit) && (query.Outcome == "" || row.Outcome == query.Outcome) &&
				(query.From.IsZero() || !at.Before(store.Instant(query.From))) &&
				(query.Until.IsZero() || at.Before(store.Instant(query.Until))) {
				want++
			}
		}
		query.Limit = 4
		got := AllLog(t, s, query)
		if len(got) != want {
			t.Errorf("%+v: %d rows, want %d", query, len(got), want)
		}
		for i := 1; i < len(got); i++ {
			if got[i].Time.Before(got[i-1].Time) || got[i].ID == got[i-1].ID {
				t.Errorf("%+v: rows out of order or twice", query)
			}
		}
	}
}

func logAppendingIsAllOrNothing(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	var invalid *store.InvalidError
	if err := s.AppendLog(t.Context(), Row("a", start), store.LogRow{}); !errors.As(err, &invalid) {
		t.Fatalf("got %v", err)
	}
	same := Row("a", start)
	same.ID = uuid.New()
	if err := s.AppendLog(t.Context(), same, same); err == nil {
		t.Fatal("a row went in twice")
	}
	refused := Row("a", start)
	refused.Outcome = store.OutcomeRefused
	if err := s.AppendLog(t.Context(), refused); !errors.As(err, &invalid) {
		t.Fatalf("a refusal without a reason: got %v", err)
	}
	if n := len(AllLog(t, s, store.LogQuery{})); n != 0 {
		t.Errorf("%d rows stayed of failed appends", n)
	}
}

func logWhatNoEngineKeepsAsTextIsLoggedStill(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	row := Row("document.read", start)
	row.Registry, row.Caller = "1.2\x00.3", "\xff"
	if err := s.AppendLog(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	if rows := AllLog(t, s, store.LogQuery{}); len(rows) != 1 || rows[0].Registry != "1.2\uFFFD.3" || rows[0].Caller != "\uFFFD" {
		t.Errorf("got %+v", rows)
	}
}

func logAUsedAssertionIsRemembered(t *testing.T, engine Engine) {
	place := engine.NewPlace(t)
	s := engine.Open(t, place)
	old, recent, none := Row("a", start), Row("a", start.Add(time.Minute)), Row("a", start.Add(time.Minute))
	old.AssertionKey, recent.AssertionKey = "old", "new"
	old.AssertionExpires, recent.AssertionExpires = start.Add(time.Minute), start.Add(5*time.Minute)
	if err := s.AppendLog(t.Context(), old, recent, none); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = engine.Open(t, place)
	defer func() { _ = s.Close() }()
	seen, err := s.RecentAssertionIDs(t.Context(), start.Add(30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != 1 || seen[0].Key != "new" || !seen[0].Expires.Equal(store.Instant(recent.AssertionExpires)) {
		t.Errorf("got %+v", seen)
	}
}

// FullRow gives a row with every field set.
func FullRow() store.LogRow {
	return store.LogRow{
		ID: uuid.New(), Time: start, RequestID: "r", Registry: registryA,
		Operation: "document.search", Outcome: store.OutcomeRefused, Reason: "relationship-ended", ClientID: uuid.New(),
		Caller: "spiffe://example.test/registry/1/unit/2", Organization: "o", Unit: "u", CertificateThumbprint: "c",
		Professional: "p", Role: "role", CardThumbprint: "card", AssertionKey: "key", AssertionExpires: store.Instant(start.Add(5 * time.Minute)),
		Criteria: json.RawMessage(`{"type":"plan"}`), DocumentIDs: []uuid.UUID{uuid.New(), uuid.New()}, DocumentCount: 2,
		Relationship:   store.ObjectRef{UID: "ru", Revision: "1"},
		Grant:          store.ObjectRef{UID: "gu", Revision: "2"},
		RegistryObject: store.ObjectRef{UID: "eu", Revision: "3"},
		ViewAge:        1500 * time.Millisecond,
		CutAt:          65536,
	}
}
