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

func testVersions(t *testing.T, engine Engine) {
	t.Run("ANewVersionTakesThePlaceAndTheFormerStays", func(t *testing.T) { versionsANewVersionTakesThePlaceAndTheFormerStays(t, engine) })
	t.Run("ARefusedVersionLeavesNothing", func(t *testing.T) { versionsARefusedVersionLeavesNothing(t, engine) })
	t.Run("SearchesFollowTheCurrentVersion", func(t *testing.T) { versionsSearchesFollowTheCurrentVersion(t, engine) })
}

func versionsANewVersionTakesThePlaceAndTheFormerStays(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	doc := NewDocument(registryA, Client(t, s, registryA, 1), start, []byte("one"), "t1")
	doc.ClientIDs = append(doc.ClientIDs, Client(t, s, registryA, 2))
	first := StoreNew(t, s, doc)

	second := NewVersion(first, start.Add(time.Hour), []byte("two"), "t2")
	OpenMatter(t, s, NewMatter(registryA, "m-1", doc.ClientIDs, "t2"))
	second.CorrectionReason, second.Matter, second.Language = "typing-error", "m-1", "fi"
	second.Representations = []store.Representation{{ContentType: store.ContentXHTML, Body: []byte("<two/>")}}
	row := Row("document.version", start)
	row.DocumentIDs, row.DocumentCount = []uuid.UUID{doc.ID}, 1
	facts, created, err := s.AddVersion(t.Context(), second, row)
	if err != nil || !created {
		t.Fatalf("created=%v err=%v", created, err)
	}
	if want := second.Replaces(first); !reflect.DeepEqual(facts, want) {
		t.Errorf("got %+v\nwant %+v", facts, want)
	}

	former := first
	former.Current, former.State = 2, store.StateSuperseded
	versions, err := s.Versions(t.Context(), registryA, doc.ID)
	if err != nil || !reflect.DeepEqual(versions, []store.Facts{facts, former}) {
		t.Errorf("the history is %+v (err=%v)", versions, err)
	}
	for version, want := range map[int]store.Facts{0: facts, 1: former, 2: facts} {
		if got, err := s.DocumentFacts(t.Context(), registryA, doc.ID, version); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("version %d is %+v (err=%v)", version, got, err)
		}
	}
	if got, err := s.Document(t.Context(), registryA, doc.ID, 1, store.ContentJSON); err != nil || string(got.Body) != "one" {
		t.Errorf("the first version: %v", err)
	}
	if got, err := s.Document(t.Context(), registryA, doc.ID, 0, store.ContentXHTML); err != nil || string(got.Body) != "<two/>" {
		t.Errorf("the second version: %v", err)
	}
	if _, err := s.Document(t.Context(), registryA, doc.ID, 0, store.ContentJSON); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the former version's representation is served as the current one's: %v", err)
	}
	if rows := AllLog(t, s, store.LogQuery{}); len(rows) != 5 {
		t.Errorf("%d log rows, want 5", len(rows))
	}
}

func versionsARefusedVersionLeavesNothing(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	first := StoreNew(t, s, NewDocument(registryA, Client(t, s, registryA, 1), start, []byte("one"), "t1"))
	second, _, err := s.AddVersion(t.Context(), NewVersion(first, start, []byte("two"), "t1"), Row("a", start))
	if err != nil {
		t.Fatal(err)
	}
	before := len(AllLog(t, s, store.LogQuery{}))
	for name, c := range map[string]struct {
		change func(*store.NewVersion)
		row    store.LogRow
		want   func(error) bool
	}{
		"a former version": {func(v *store.NewVersion) { v.Expected = 1 }, Row("a", start), is(store.ErrStale)},
		"a later version":  {func(v *store.NewVersion) { v.Expected = 3 }, Row("a", start), is(store.ErrStale)},
		"no version":       {func(v *store.NewVersion) { v.Expected = 0 }, Row("a", start), isInvalid},
		"unknown id":       {func(v *store.NewVersion) { v.ID = uuid.New() }, Row("a", start), is(store.ErrNotFound)},
		"no task":          {func(v *store.NewVersion) { v.ServiceTasks = nil }, Row("a", start), isInvalid},
		"bad row":          {func(*store.NewVersion) {}, store.LogRow{}, isInvalid},
	} {
		version := NewVersion(second, start, []byte("three"), "t2")
		c.change(&version)
		if _, _, err := s.AddVersion(t.Context(), version, c.row); !c.want(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if after := len(AllLog(t, s, store.LogQuery{})); after != before {
		t.Errorf("refused versions left %d log rows", after-before)
	}
	if versions, err := s.Versions(t.Context(), registryA, first.ID); err != nil || len(versions) != 2 {
		t.Errorf("%d versions, want 2 (err=%v)", len(versions), err)
	}
	if got, err := s.DocumentFacts(t.Context(), registryA, first.ID, 0); err != nil || !reflect.DeepEqual(got, second) {
		t.Errorf("the document changed: %+v (err=%v)", got, err)
	}
}

func versionsSearchesFollowTheCurrentVersion(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	doc := NewDocument(registryA, client, start, []byte("one"), "t1", "t2")
	for _, id := range []string{"m-1", "m-2"} {
		OpenMatter(t, s, NewMatter(registryA, id, doc.ClientIDs, "t1", "t2", "t3"))
	}
	doc.Matter = "m-1"
	first := StoreNew(t, s, doc)
	version := NewVersion(first, start.Add(time.Hour), []byte("two"), "t2", "t3")
	version.Matter = "m-2"
	second, _, err := s.AddVersion(t.Context(), version, Row("a", start))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		query store.SearchQuery
		want  int
	}{
		"task left":    {store.SearchQuery{ClientID: client, AllowedTasks: &[]string{"t1"}}, 0},
		"task kept":    {store.SearchQuery{ClientID: client, AllowedTasks: &[]string{"t2"}}, 1},
		"task entered": {store.SearchQuery{ClientID: client, AllowedTasks: &[]string{"t1", "t3"}}, 1},
		"matter left":  {store.SearchQuery{Matter: "m-1"}, 0},
		"matter now":   {store.SearchQuery{Matter: "m-2"}, 1},
		"whole client": {store.SearchQuery{ClientID: client}, 1},
	} {
		c.query.Registry, c.query.Limit = registryA, 5
		page, err := s.Search(t.Context(), c.query)
		if err != nil || page.Total != c.want || len(page.Items) != c.want {
			t.Errorf("%s: %d of %d items, want %d (err=%v)", name, len(page.Items), page.Total, c.want, err)
		}
		if c.want == 1 && len(page.Items) == 1 && !reflect.DeepEqual(page.Items[0], second) {
			t.Errorf("%s: got %+v", name, page.Items[0])
		}
	}
}
