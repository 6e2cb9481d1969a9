// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testRepetition(t *testing.T, engine Engine) {
	t.Run("OfAStoreIsToldFromAnotherDocument", func(t *testing.T) { repetitionOfAStoreIsToldFromAnotherDocument(t, engine) })
	t.Run("OfAVersionGivesThatVersion", func(t *testing.T) { repetitionOfAVersionGivesThatVersion(t, engine) })
	t.Run("OfAnAnnulmentIsByItsReason", func(t *testing.T) { repetitionOfAnAnnulmentIsByItsReason(t, engine) })
}

// otherWords changes each thing that a request digest speaks of.
func otherWords(other store.Facts) map[string]func(*store.NewDocument) {
	return map[string]func(*store.NewDocument){
		"bytes":          func(d *store.NewDocument) { d.Representations[0].Body = []byte("other") },
		"form":           func(d *store.NewDocument) { d.Representations[0].ContentType = store.ContentXHTML },
		"signature":      func(d *store.NewDocument) { d.Representations[0].Signature = NewSignature("T-1") },
		"client":         func(d *store.NewDocument) { d.ClientIDs = other.ClientIDs },
		"type":           func(d *store.NewDocument) { d.Type = "plan" },
		"matter":         func(d *store.NewDocument) { d.Matter = "m" },
		"old data":       func(d *store.NewDocument) { d.OldData = true },
		"tasks":          func(d *store.NewDocument) { d.ServiceTasks = []string{"t2"} },
		"unit":           func(d *store.NewDocument) { d.Author.Unit = "" },
		"organization":   func(d *store.NewDocument) { d.Author.Organization = "1.2.3" },
		"created":        func(d *store.NewDocument) { d.Created = d.Created.Add(time.Microsecond) },
		"language":       func(d *store.NewDocument) { d.Language = "sv" },
		"non-disclosure": func(d *store.NewDocument) { d.Labels.NonDisclosure = true },
		"display":        func(d *store.NewDocument) { d.Labels.Display = store.DisplayLimited },
	}
}

func repetitionOfAStoreIsToldFromAnotherDocument(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	other := StoreNew(t, s, NewDocument(registryA, Client(t, s, registryA, 2), start, []byte("x"), "t1"))
	doc := func() store.NewDocument {
		d := NewDocument(registryA, client, start, []byte("body"), "t1")
		d.ID = [16]byte{1}
		return d
	}
	first := StoreNew(t, s, doc())

	again := doc()
	again.Author.Professional, again.Author.Role, again.Stored = "T-9", "other-role", start.Add(time.Hour)
	again.ViewRevision, again.SchemaVersion = "77", "2.0"
	row := Row("document.store", start)
	row.Professional = "T-9"
	facts, created, err := s.StoreDocument(t.Context(), again, row)
	if err != nil || created || !reflect.DeepEqual(facts, first) {
		t.Errorf("a repetition: created=%v err=%v facts=%+v", created, err, facts)
	}
	rows := len(AllLog(t, s, store.LogQuery{}))
	if rows != 5 {
		t.Errorf("%d log rows, want 5: the repetition has its own", rows)
	}
	for name, change := range otherWords(other) {
		d := doc()
		change(&d)
		if _, _, err := s.StoreDocument(t.Context(), d, Row("document.store", start)); !errors.Is(err, store.ErrExists) {
			t.Errorf("with another %s: got %v, want ErrExists", name, err)
		}
	}
	if got := len(AllLog(t, s, store.LogQuery{})); got != rows {
		t.Errorf("refused stores left %d log rows", got-rows)
	}

	// Once there is a second version, a repetition of the first is still one.
	if _, _, err := s.AddVersion(t.Context(), NewVersion(first, start, []byte("two"), "t1"), Row("a", start)); err != nil {
		t.Fatal(err)
	}
	facts, created, err = s.StoreDocument(t.Context(), doc(), Row("document.store", start))
	if err != nil || created || facts.Version != 1 || facts.Current != 2 || facts.State != store.StateSuperseded {
		t.Errorf("a late repetition: created=%v err=%v facts=%+v", created, err, facts)
	}
}

func repetitionOfAVersionGivesThatVersion(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	first := StoreNew(t, s, NewDocument(registryA, Client(t, s, registryA, 1), start, []byte("one"), "t1"))
	version := NewVersion(first, start, []byte("two"), "t1")
	second, _, err := s.AddVersion(t.Context(), version, Row("a", start))
	if err != nil {
		t.Fatal(err)
	}
	repeat := func(name string, current int, state store.State) {
		t.Helper()
		rows := len(AllLog(t, s, store.LogQuery{}))
		again := version
		again.Stored, again.Author.Professional = start.Add(time.Hour), "T-9"
		facts, created, err := s.AddVersion(t.Context(), again, Row("a", start))
		if err != nil || created || facts.Version != 2 || facts.Current != current || facts.State != state || !facts.Stored.Equal(second.Stored) {
			t.Errorf("%s: created=%v err=%v facts=%+v", name, created, err, facts)
		}
		if got := len(AllLog(t, s, store.LogQuery{})); got != rows+1 {
			t.Errorf("%s: %d log rows, want 1", name, got-rows)
		}
	}
	repeat("at once", 2, store.StateStored)
	third, _, err := s.AddVersion(t.Context(), NewVersion(second, start, []byte("three"), "t1"), Row("a", start))
	if err != nil {
		t.Fatal(err)
	}
	repeat("after a third version", 3, store.StateSuperseded)
	if _, _, err := s.Annul(t.Context(), NewAnnulment(third, start, "mistake"), Row("a", start)); err != nil {
		t.Fatal(err)
	}
	repeat("after the annulment", 3, store.StateAnnulled)
	if versions, err := s.Versions(t.Context(), registryA, first.ID); err != nil || len(versions) != 3 {
		t.Errorf("%d versions, want 3 (err=%v)", len(versions), err)
	}
}

func repetitionOfAnAnnulmentIsByItsReason(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	first := StoreNew(t, s, NewDocument(registryA, Client(t, s, registryA, 1), start, []byte("one"), "t1"))
	annulled, _, err := s.Annul(t.Context(), NewAnnulment(first, start, "mistake"), Row("a", start))
	if err != nil {
		t.Fatal(err)
	}
	again := NewAnnulment(first, start.Add(time.Hour), "mistake")
	again.By.Professional = "T-9"
	facts, created, err := s.Annul(t.Context(), again, Row("a", start))
	if err != nil || created || !reflect.DeepEqual(facts, annulled) {
		t.Errorf("created=%v err=%v facts=%+v", created, err, facts)
	}
	if _, _, err := s.Annul(t.Context(), NewAnnulment(first, start, "wrong-client"), Row("a", start)); !errors.Is(err, store.ErrAnnulled) {
		t.Errorf("for another reason: %v", err)
	}
	if rows := AllLog(t, s, store.LogQuery{}); len(rows) != 4 {
		t.Errorf("%d log rows, want 4", len(rows))
	}
}
