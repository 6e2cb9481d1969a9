// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"crypto/sha256"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

func testSignatures(t *testing.T, engine Engine) {
	t.Run("ComeBackVerbatimWithTheirVersion", func(t *testing.T) { signaturesComeBackVerbatimWithTheirVersion(t, engine) })
	t.Run("TellRepetitionsApart", func(t *testing.T) { signaturesTellRepetitionsApart(t, engine) })
	t.Run("OutOfBoundsAreRefused", func(t *testing.T) { signaturesOutOfBoundsAreRefused(t, engine) })
}

// NewSignature gives a valid signature; the store does not verify it.
func NewSignature(signer string) *store.Signature {
	return &store.Signature{
		JWS: "e30..c2ln" + strings.Repeat("A", 1500), Signer: signer, Card: sha256.Sum256([]byte(signer)), SignedAt: start.Add(-time.Minute),
	}
}

func signaturesComeBackVerbatimWithTheirVersion(t *testing.T, engine Engine) {
	place := engine.NewPlace(t)
	s := engine.Open(t, place)
	client := Client(t, s, registryA, 1)
	doc := NewDocument(registryA, client, start, []byte("one"), "t1")
	page, json := NewSignature("T-1"), NewSignature("")
	page.JWS = "of-the-page"
	doc.Representations[0].Signature = json
	doc.Representations = append(doc.Representations, store.Representation{ContentType: store.ContentXHTML, Body: []byte("<p/>"), Signature: page})
	first := StoreNew(t, s, doc)
	version := NewVersion(first, start.Add(time.Hour), []byte("two"), "t1")
	version.Representations[0].Signature = NewSignature("T-2")
	if _, created, err := s.AddVersion(t.Context(), version, Row("a", start)); err != nil || !created {
		t.Fatalf("created=%v err=%v", created, err)
	}
	if _, created, err := s.AddVersion(t.Context(), NewVersion(store.Facts{Registry: registryA, ID: doc.ID, Current: 2}, start, []byte("three"), "t1"),
		Row("a", start)); err != nil || !created {
		t.Fatalf("created=%v err=%v", created, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = engine.Open(t, place)
	defer func() { _ = s.Close() }()
	for _, c := range []struct {
		version     int
		contentType string
		want        *store.Signature
	}{
		{1, store.ContentJSON, json}, {1, store.ContentXHTML, page},
		{2, store.ContentJSON, version.Representations[0].Signature}, {2, store.ContentXHTML, nil},
		{3, store.ContentJSON, nil}, {0, store.ContentJSON, nil},
	} {
		facts, err := s.DocumentFacts(t.Context(), registryA, doc.ID, c.version)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Signature(t.Context(), registryA, doc.ID, c.version, c.contentType)
		if c.want == nil {
			if r, _ := facts.Representation(c.contentType); r.Signature != nil || !errors.Is(err, store.ErrNotFound) {
				t.Errorf("version %d, %s: a signature of another one: %+v, %v", c.version, c.contentType, r.Signature, err)
			}
			continue
		}
		if err != nil || got.JWS != c.want.JWS || got.ContentType != c.contentType || !reflect.DeepEqual(got.Facts, facts) {
			t.Errorf("version %d, %s: %+v, %v", c.version, c.contentType, got, err)
		}
		want := &store.SignatureFacts{
			Signer: c.want.Signer, Card: c.want.Card, SignedAt: store.Instant(c.want.SignedAt), Digest: sha256.Sum256([]byte(c.want.JWS)),
		}
		if r, _ := facts.Representation(c.contentType); !reflect.DeepEqual(r.Signature, want) {
			t.Errorf("version %d, %s: facts %+v, want %+v", c.version, c.contentType, r.Signature, want)
		}
	}
	if _, err := s.Signature(t.Context(), registryB, doc.ID, 1, store.ContentJSON); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a signature of another registry: %v", err)
	}
	if _, err := s.Signature(t.Context(), registryA, uuid.New(), 1, store.ContentJSON); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a signature of no document: %v", err)
	}
	versions, err := s.Versions(t.Context(), registryA, doc.ID)
	if err != nil || len(versions) != 3 || versions[0].Representations[0].Signature != nil || versions[1].Representations[0].Signature == nil {
		t.Errorf("versions %+v, %v", versions, err)
	}
}

func signaturesTellRepetitionsApart(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	doc := NewDocument(registryA, Client(t, s, registryA, 1), start, []byte("one"), "t1")
	doc.Representations[0].Signature = NewSignature("T-1")
	first := StoreNew(t, s, doc)
	if facts, created, err := s.StoreDocument(t.Context(), doc, Row("a", start)); err != nil || created || !reflect.DeepEqual(facts, first) {
		t.Errorf("a repetition: created=%v err=%v", created, err)
	}
	for name, other := range map[string]*store.Signature{"no signature": nil, "another signature": {JWS: "other", Signer: "T-1", SignedAt: start}} {
		doc.Representations = []store.Representation{doc.Representations[0]}
		doc.Representations[0].Signature = other
		if _, _, err := s.StoreDocument(t.Context(), doc, Row("a", start)); !errors.Is(err, store.ErrExists) {
			t.Errorf("%s: %v, want ErrExists", name, err)
		}
	}
	if got, err := s.Signature(t.Context(), registryA, doc.ID, 0, store.ContentJSON); err != nil || got.JWS != NewSignature("T-1").JWS {
		t.Errorf("a refused store changed the signature: %v", err)
	}
}

func signaturesOutOfBoundsAreRefused(t *testing.T, engine Engine) {
	s := fresh(t, engine)
	client := Client(t, s, registryA, 1)
	for name, change := range map[string]func(*store.Signature){
		"no text":         func(g *store.Signature) { g.JWS = "" },
		"too long":        func(g *store.Signature) { g.JWS = strings.Repeat("A", store.MaxSignature+1) },
		"bytes, not text": func(g *store.Signature) { g.JWS = "\xff" },
		"long signer":     func(g *store.Signature) { g.Signer = strings.Repeat("1", store.MaxCode+1) },
		"no time":         func(g *store.Signature) { g.SignedAt = time.Time{} },
	} {
		doc := NewDocument(registryA, client, start, []byte("one"), "t1")
		doc.Representations[0].Signature = NewSignature("T-1")
		change(doc.Representations[0].Signature)
		var invalid *store.InvalidError
		if _, _, err := s.StoreDocument(t.Context(), doc, Row("a", start)); !errors.As(err, &invalid) {
			t.Errorf("%s: %v, want *InvalidError", name, err)
		}
	}
}
