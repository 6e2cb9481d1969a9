// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testAnnulment(t *testing.T, engine Engine) {
	t.Run("AnnulsAllVersionsAndKeepsThem", func(t *testing.T) { annulmentAnnulsAllVersionsAndKeepsThem(t, engine) })
	t.Run("ARefusedAnnulmentLeavesNothing", func(t *testing.T) { annulmentARefusedAnnulmentLeavesNothing(t, engine) })
}

func annulmentAnnulsAllVersionsAndKeepsThem(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	doc := NewDocument(registryA, client, start, []byte("one"), "t1", "t2")
	doc.ClientIDs = append(doc.ClientIDs, Client(t, s, registryA, 2))
	doc.Matter = OpenMatter(t, s, NewMatter(registryA, "m-1", doc.ClientIDs, "t1", "t2")).ID
	first := StoreNew(t, s, doc)
	version := NewVersion(first, start, []byte("two"), "t1", "t2")
	version.Matter = "m-1"
	second, _, err := s.AddVersion(t.Context(), version, Row("a", start))
	if err != nil {
		t.Fatal(err)
	}
	annulment := NewAnnulment(second, start.Add(time.Hour), "wrong-client")
	facts, created, err := s.Annul(t.Context(), annulment, Row("document.annul", start))
	if err != nil || !created {
		t.Fatalf("created=%v err=%v", created, err)
	}
	want := second
	said := annulment.Annulment
	said.At = store.Instant(said.At)
	want.State, want.Annulment = store.StateAnnulled, &said
	if !reflect.DeepEqual(facts, want) {
		t.Errorf("got %+v\nwant %+v", facts, want)
	}
	versions, err := s.Versions(t.Context(), registryA, doc.ID)
	if err != nil || len(versions) != 2 || !reflect.DeepEqual(versions[0], want) ||
		versions[1].State != store.StateAnnulled || !reflect.DeepEqual(versions[1].Annulment, &said) {
		t.Errorf("the history is %+v (err=%v)", versions, err)
	}
	for version, body := range map[int]string{1: "one", 2: "two"} {
		if got, err := s.Document(t.Context(), registryA, doc.ID, version, store.ContentJSON); err != nil || string(got.Body) != body {
			t.Errorf("the evidence of version %d: %v", version, err)
		}
	}
	_, _, err = s.AddVersion(t.Context(), NewVersion(facts, start, []byte("three"), "t1"), Row("a", start))
	if !errors.Is(err, store.ErrAnnulled) {
		t.Errorf("a version of an annulled document: %v", err)
	}
	for _, query := range []store.SearchQuery{
		{ClientID: client}, {ClientID: doc.ClientIDs[1]}, {ClientID: client, AllowedTasks: &[]string{"t2"}},
		{ClientID: client, AllowedTasks: &[]string{"t1", "t2"}}, {Matter: "m-1"}, {ClientID: client, Matter: "m-1"},
	} {
		query.Registry, query.Limit = registryA, 5
		inForce, err := s.Search(t.Context(), query)
		if err != nil || inForce.Total != 0 || len(inForce.Items) != 0 {
			t.Errorf("%+v: %d in force (err=%v)", query, inForce.Total, err)
		}
		query.Annulled = true
		annulled, err := s.Search(t.Context(), query)
		if err != nil || annulled.Total != 1 || !reflect.DeepEqual(annulled.Items, []store.Facts{want}) {
			t.Errorf("%+v: %+v (err=%v)", query, annulled, err)
		}
	}
}

func annulmentARefusedAnnulmentLeavesNothing(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	first := StoreNew(t, s, NewDocument(registryA, Client(t, s, registryA, 1), start, []byte("one"), "t1"))
	second, _, err := s.AddVersion(t.Context(), NewVersion(first, start, []byte("two"), "t1"), Row("a", start))
	if err != nil {
		t.Fatal(err)
	}
	before := len(AllLog(t, s, store.LogQuery{}))
	for name, c := range map[string]struct {
		change func(*store.NewAnnulment)
		row    store.LogRow
		want   func(error) bool
	}{
		"a former version": {func(a *store.NewAnnulment) { a.Expected = 1 }, Row("a", start), is(store.ErrStale)},
		"a later version":  {func(a *store.NewAnnulment) { a.Expected = 3 }, Row("a", start), is(store.ErrStale)},
		"unknown id":       {func(a *store.NewAnnulment) { a.ID = uuid.New() }, Row("a", start), is(store.ErrNotFound)},
		"no reason":        {func(a *store.NewAnnulment) { a.Reason = "" }, Row("a", start), isInvalid},
		"no time":          {func(a *store.NewAnnulment) { a.At = time.Time{} }, Row("a", start), isInvalid},
		"bad row":          {func(*store.NewAnnulment) {}, store.LogRow{}, isInvalid},
	} {
		annulment := NewAnnulment(second, start, "wrong-client")
		c.change(&annulment)
		if _, _, err := s.Annul(t.Context(), annulment, c.row); !c.want(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if after := len(AllLog(t, s, store.LogQuery{})); after != before {
		t.Errorf("refused annulments left %d log rows", after-before)
	}
	if got, err := s.DocumentFacts(t.Context(), registryA, first.ID, 0); err != nil || !reflect.DeepEqual(got, second) {
		t.Errorf("the document changed: %+v (err=%v)", got, err)
	}
}
