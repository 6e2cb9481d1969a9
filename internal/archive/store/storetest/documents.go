// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testDocuments(t *testing.T, engine Engine) {
	t.Run("BytesComeBackVerbatim", func(t *testing.T) { documentsBytesComeBackVerbatim(t, engine) })
	t.Run("FactsAreAllThatWasSaid", func(t *testing.T) { documentsFactsAreAllThatWasSaid(t, engine) })
	t.Run("ADocumentOfAnotherRegistryIsNotFound", func(t *testing.T) { documentsADocumentOfAnotherRegistryIsNotFound(t, engine) })
	t.Run("ARefusedStoreLeavesNeitherDocumentNorRow", func(t *testing.T) { documentsARefusedStoreLeavesNeitherDocumentNorRow(t, engine) })
}

func documentsBytesComeBackVerbatim(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	rapid.Check(t, func(rt *rapid.T) {
		forms := map[string][]byte{}
		doc := NewDocument(registryA, client, start, nil, "t1")
		doc.Representations = nil
		for _, contentType := range rapid.SampledFrom([][]string{
			{store.ContentJSON}, {store.ContentXHTML}, {store.ContentXHTML, store.ContentJSON},
		}).Draw(rt, "forms") {
			forms[contentType] = rapid.SliceOfN(rapid.Byte(), 1, 20000).Draw(rt, "body")
			doc.Representations = append(doc.Representations, store.Representation{ContentType: contentType, Body: forms[contentType]})
		}
		facts, _, err := s.StoreDocument(t.Context(), doc, Row("document.store", start))
		if err != nil {
			rt.Fatal(err)
		}
		for _, contentType := range []string{store.ContentJSON, store.ContentXHTML, "text/plain"} {
			got, err := s.Document(t.Context(), registryA, doc.ID, 0, contentType)
			body, there := forms[contentType]
			if !there {
				if !errors.Is(err, store.ErrNotFound) {
					rt.Fatalf("a representation that is not there: %v", err)
				}
				continue
			}
			if err != nil {
				rt.Fatal(err)
			}
			r, _ := got.Representation(contentType)
			if !bytes.Equal(got.Body, body) || got.ContentType != contentType || r.Digest != sha256.Sum256(body) || r.Size != int64(len(body)) {
				rt.Fatal("the bytes or their digest changed")
			}
			if !reflect.DeepEqual(got.Facts, facts) {
				rt.Fatalf("facts at the store %+v, at the read %+v", facts, got.Facts)
			}
		}
	})
}

func documentsFactsAreAllThatWasSaid(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	doc := NewDocument(registryA, Client(t, s, registryA, 2), start, []byte(`{"a":1}`), "t3", "t1", "t2")
	doc.ClientIDs = append(doc.ClientIDs, Client(t, s, registryA, 3), Client(t, s, registryA, 1))
	OpenMatter(t, s, NewMatter(registryA, "m-1", doc.ClientIDs, "t1", "t2", "t3"))
	doc.Matter, doc.Language, doc.SchemaVersion, doc.CorrectionReason = "m-1", "sv", "1.2", "typing-error"
	doc.Labels = store.Labels{NonDisclosure: true, Display: store.DisplayDelayed, DisplayFrom: start.AddDate(0, 1, 0)}
	doc.Representations = append(doc.Representations, store.Representation{ContentType: store.ContentXHTML, Body: []byte("<p/>")})
	stored := StoreNew(t, s, doc)
	got, err := s.DocumentFacts(t.Context(), registryA, doc.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := doc.Facts()
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(stored, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if want.Labels.DisplayFrom.Nanosecond()%1000 != 0 || want.Created.Location() != time.UTC {
		t.Errorf("times are not as an engine keeps them: %+v", want)
	}
	page, err := s.Search(t.Context(), store.SearchQuery{Registry: registryA, ClientID: doc.ClientIDs[2], Limit: 5})
	if err != nil || len(page.Items) != 1 || !reflect.DeepEqual(page.Items[0], want) {
		t.Errorf("the search gives %+v (err=%v)", page.Items, err)
	}
}

func documentsADocumentOfAnotherRegistryIsNotFound(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	Client(t, s, registryB, 1)
	facts := StoreNew(t, s, NewDocument(registryA, client, start, []byte("x"), "t1"))
	elsewhere := facts
	elsewhere.Registry = registryB
	_, documentErr := s.Document(t.Context(), registryB, facts.ID, 0, store.ContentJSON)
	_, factsErr := s.DocumentFacts(t.Context(), registryB, facts.ID, 0)
	_, versionsErr := s.Versions(t.Context(), registryB, facts.ID)
	_, _, addErr := s.AddVersion(t.Context(), NewVersion(elsewhere, start, []byte("y"), "t1"), Row("a", start))
	_, _, annulErr := s.Annul(t.Context(), NewAnnulment(elsewhere, start, "mistake"), Row("a", start))
	_, unknownErr := s.Document(t.Context(), registryA, uuid.New(), 0, store.ContentJSON)
	_, versionErr := s.Document(t.Context(), registryA, facts.ID, 2, store.ContentJSON)
	_, versionFactsErr := s.DocumentFacts(t.Context(), registryA, facts.ID, 2)
	for name, err := range map[string]error{
		"Document": documentErr, "DocumentFacts": factsErr, "Versions": versionsErr, "AddVersion": addErr, "Annul": annulErr,
		"an unknown id": unknownErr, "an unknown version": versionErr, "facts of an unknown version": versionFactsErr,
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func documentsARefusedStoreLeavesNeitherDocumentNorRow(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	foreigner := Client(t, s, registryB, 1)
	taken := NewDocument(registryA, client, start, []byte("x"), "t1")
	StoreNew(t, s, taken)
	before := len(AllLog(t, s, store.LogQuery{}))

	good := Row("document.store", start)
	for name, c := range map[string]struct {
		change func(*store.NewDocument)
		row    store.LogRow
		want   func(error) bool
	}{
		"id taken":              {func(d *store.NewDocument) { d.ID = taken.ID }, good, is(store.ErrExists)},
		"unknown client":        {func(d *store.NewDocument) { d.ClientIDs[0] = uuid.New() }, good, is(store.ErrNotFound)},
		"one unknown of two":    {func(d *store.NewDocument) { d.ClientIDs = append(d.ClientIDs, uuid.New()) }, good, is(store.ErrNotFound)},
		"one foreigner of two":  {func(d *store.NewDocument) { d.ClientIDs = append(d.ClientIDs, foreigner) }, good, is(store.ErrNotFound)},
		"another registry":      {func(d *store.NewDocument) { d.Registry = registryB }, good, is(store.ErrNotFound)},
		"an unknown registry":   {func(d *store.NewDocument) { d.Registry = "1.2.3" }, good, is(store.ErrNotFound)},
		"old, in a matter":      {func(d *store.NewDocument) { d.OldData, d.Matter = true, "m" }, good, isInvalid},
		"old, a relationship":   {func(d *store.NewDocument) { d.OldData, d.Relationship = true, newRelationship(client).Relationship }, good, isInvalid},
		"bad row":               {func(*store.NewDocument) {}, store.LogRow{}, isInvalid},
		"empty":                 {func(d *store.NewDocument) { d.Representations[0].Body = nil }, good, isInvalid},
		"no representation":     {func(d *store.NewDocument) { d.Representations = nil }, good, isInvalid},
		"a form twice":          {func(d *store.NewDocument) { d.Representations = append(d.Representations, d.Representations[0]) }, good, isInvalid},
		"no client":             {func(d *store.NewDocument) { d.ClientIDs = nil }, good, isInvalid},
		"a client twice":        {func(d *store.NewDocument) { d.ClientIDs = []uuid.UUID{client, client} }, good, isInvalid},
		"no task":               {func(d *store.NewDocument) { d.ServiceTasks = nil }, good, isInvalid},
		"task twice":            {func(d *store.NewDocument) { d.ServiceTasks = []string{"t1", "t1"} }, good, isInvalid},
		"nine tasks":            {func(d *store.NewDocument) { d.ServiceTasks = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"} }, good, isInvalid},
		"text with a zero byte": {func(d *store.NewDocument) { d.Matter = "m\x00" }, good, isInvalid},
		"text that is no UTF-8": {func(d *store.NewDocument) { d.Type = "\xff" }, good, isInvalid},
	} {
		doc := NewDocument(registryA, client, start, []byte("other"), "t1")
		c.change(&doc)
		if _, _, err := s.StoreDocument(t.Context(), doc, c.row); !c.want(err) {
			t.Errorf("%s: got %v", name, err)
		}
		if doc.ID != taken.ID {
			if _, err := s.DocumentFacts(t.Context(), doc.Registry, doc.ID, 0); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: the document is there", name)
			}
		}
	}
	if after := len(AllLog(t, s, store.LogQuery{})); after != before {
		t.Errorf("refused stores left %d log rows", after-before)
	}
	if got, err := s.Document(t.Context(), registryA, taken.ID, 0, store.ContentJSON); err != nil || string(got.Body) != "x" {
		t.Errorf("the first document changed (err=%v)", err)
	}
	page, err := s.Search(t.Context(), store.SearchQuery{Registry: registryA, ClientID: client, Limit: 5})
	if err != nil || page.Total != 1 {
		t.Errorf("%d documents, want 1 (err=%v)", page.Total, err)
	}
}
