// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"reflect"
	"testing"

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
		body := rapid.SliceOfN(rapid.Byte(), 1, 20000).Draw(rt, "body")
		doc := NewDocument(registryA, client, start, body, "t1")
		facts, err := s.StoreDocument(t.Context(), doc, Row("document.store", start))
		if err != nil {
			rt.Fatal(err)
		}
		got, err := s.Document(t.Context(), registryA, doc.ID)
		if err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(got.Body, body) || got.Digest != sha256.Sum256(body) || got.Size != int64(len(body)) {
			rt.Fatal("the bytes or their digest changed")
		}
		if !reflect.DeepEqual(got.Facts, facts) {
			rt.Fatalf("facts at the store %+v, at the read %+v", facts, got.Facts)
		}
	})
}

func documentsFactsAreAllThatWasSaid(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	doc := NewDocument(registryA, client, start, []byte(`{"a":1}`), "t3", "t1", "t2")
	doc.ContentType = store.ContentXHTML
	if _, err := s.StoreDocument(t.Context(), doc, Row("document.store", start)); err != nil {
		t.Fatal(err)
	}
	got, err := s.DocumentFacts(t.Context(), registryA, doc.ID)
	if err != nil {
		t.Fatal(err)
	}
	if want := doc.Facts(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func documentsADocumentOfAnotherRegistryIsNotFound(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	Client(t, s, registryB, 1)
	doc := NewDocument(registryA, client, start, []byte("x"), "t1")
	if _, err := s.StoreDocument(t.Context(), doc, Row("document.store", start)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Document(t.Context(), registryB, doc.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Document: %v", err)
	}
	if _, err := s.DocumentFacts(t.Context(), registryB, doc.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("DocumentFacts: %v", err)
	}
	if _, err := s.Document(t.Context(), registryA, uuid.New()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown id: %v", err)
	}
}

func documentsARefusedStoreLeavesNeitherDocumentNorRow(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	taken := NewDocument(registryA, client, start, []byte("x"), "t1")
	if _, err := s.StoreDocument(t.Context(), taken, Row("document.store", start)); err != nil {
		t.Fatal(err)
	}
	before := len(AllLog(t, s, store.LogQuery{}))

	other := NewDocument(registryA, client, start, []byte("other"), "t1")
	other.ID = taken.ID
	unknown := NewDocument(registryA, uuid.New(), start, []byte("x"), "t1")
	foreign := NewDocument(registryB, client, start, []byte("x"), "t1")
	badRow := NewDocument(registryA, client, start, []byte("x"), "t1")
	empty := NewDocument(registryA, client, start, nil, "t1")
	noTask := NewDocument(registryA, client, start, []byte("x"))
	twice := NewDocument(registryA, client, start, []byte("x"), "t1", "t1")
	many := NewDocument(registryA, client, start, []byte("x"), "1", "2", "3", "4", "5", "6", "7", "8", "9")
	isInvalid := func(err error) bool { var e *store.InvalidError; return errors.As(err, &e) }
	is := func(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }
	for name, c := range map[string]struct {
		doc  store.NewDocument
		row  store.LogRow
		want func(error) bool
	}{
		"id taken":       {other, Row("document.store", start), is(store.ErrExists)},
		"unknown client": {unknown, Row("document.store", start), is(store.ErrNotFound)},
		"foreign client": {foreign, Row("document.store", start), is(store.ErrNotFound)},
		"bad row":        {badRow, store.LogRow{}, isInvalid},
		"empty":          {empty, Row("document.store", start), isInvalid},
		"no task":        {noTask, Row("document.store", start), isInvalid},
		"task twice":     {twice, Row("document.store", start), isInvalid},
		"nine tasks":     {many, Row("document.store", start), isInvalid},
	} {
		if _, err := s.StoreDocument(t.Context(), c.doc, c.row); !c.want(err) {
			t.Errorf("%s: got %v", name, err)
		}
		if c.doc.ID != taken.ID {
			if _, err := s.DocumentFacts(t.Context(), c.doc.Registry, c.doc.ID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: the document is there", name)
			}
		}
	}
	if after := len(AllLog(t, s, store.LogQuery{})); after != before {
		t.Errorf("refused stores left %d log rows", after-before)
	}
	if got, err := s.Document(t.Context(), registryA, taken.ID); err != nil || string(got.Body) != "x" {
		t.Errorf("the first document changed (err=%v)", err)
	}
}
