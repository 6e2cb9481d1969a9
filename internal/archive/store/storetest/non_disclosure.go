// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"database/sql"
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// testNonDisclosure draws documents of one client to all that fit, sets and lifts non-disclosures of clients, and
// holds whatever tells of a version to whether one of its clients is under one now.
func testNonDisclosure(t *testing.T, engine Engine) {
	place := engine.NewPlace(t)
	s := engine.Open(t, place)
	db := engine.Raw(t, place)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	var clients []uuid.UUID
	for n := range store.MaxClients + 1 {
		clients = append(clients, Client(t, s, registryA, n))
	}
	rapid.Check(t, func(rt *rapid.T) {
		order := rapid.Permutation(clients).Draw(rt, "order")
		some := order[:rapid.IntRange(1, store.MaxClients).Draw(rt, "clients")]
		under := map[uuid.UUID]bool{}
		for _, client := range clients {
			under[client] = false
		}
		if rapid.Bool().Draw(rt, "any") { // one more often than several, which would hide each other
			under[rapid.SampledFrom(some).Draw(rt, "one")] = true
			under[rapid.SampledFrom(order).Draw(rt, "another")] = rapid.Bool().Draw(rt, "two")
		}
		for client, is := range under {
			setNonDisclosure(t, db, client, is)
		}
		of := some[0]
		label := rapid.Bool().Draw(rt, "label")
		doc := NewDocument(registryA, of, start, []byte(`{}`), "t1")
		doc.ClientIDs, doc.Labels.NonDisclosure = some, label
		first := StoreNew(t, s, doc)
		check := func(what string, f store.Facts) {
			want := slices.ContainsFunc(some, func(client uuid.UUID) bool { return under[client] })
			if f.ClientNonDisclosure != want || f.NonDisclosure() != (want || f.Labels.NonDisclosure) {
				rt.Fatalf("%s: %v, want %v of %d clients", what, f.ClientNonDisclosure, want, len(some))
			}
		}
		check("stored", first)
		second, _, err := s.AddVersion(t.Context(), NewVersion(first, start, []byte(`[]`), "t1"), Row("a", start))
		if err != nil {
			rt.Fatal(err)
		}
		check("a new version", second)
		for range 2 {
			facts, err := s.DocumentFacts(t.Context(), registryA, doc.ID, 1)
			if err != nil {
				rt.Fatal(err)
			}
			check("facts", facts)
			read, err := s.Document(t.Context(), registryA, doc.ID, 0, store.ContentJSON)
			if err != nil {
				rt.Fatal(err)
			}
			check("read", read.Facts)
			versions, err := s.Versions(t.Context(), registryA, doc.ID)
			if err != nil || len(versions) != 2 {
				rt.Fatal(err)
			}
			check("versions", versions[1])
			found, err := s.Search(t.Context(), store.SearchQuery{Registry: registryA, ClientID: of, Limit: store.MaxPage})
			if err != nil {
				rt.Fatal(err)
			}
			for _, item := range found.Items {
				if item.ID == doc.ID {
					check("found", item)
				}
			}
			// It is told as of now, whatever was stored before.
			changed := rapid.SampledFrom(some).Draw(rt, "changed")
			under[changed] = !under[changed]
			setNonDisclosure(t, db, changed, under[changed])
		}
	})
}

func setNonDisclosure(t *testing.T, db *sql.DB, client uuid.UUID, under bool) {
	t.Helper()
	flag := 0
	if under {
		flag = 1
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE clients SET non_disclosure = $1 WHERE client_id = $2`, flag, client[:]); err != nil {
		t.Fatal(err)
	}
}
