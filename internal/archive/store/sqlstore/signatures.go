// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// signatureText is what is known of a signature, as a row of document_versions holds it: with the version's
// other facts, so that a version without signatures costs no look-up.
type signatureText struct {
	Signer   string `json:"signer,omitempty"`
	Card     []byte `json:"card"`
	SignedAt int64  `json:"signedAt"`
	Digest   []byte `json:"digest"`
}

// signaturesText gives the signatures by the content type that they are over; empty for none.
func signaturesText(forms []store.RepresentationFacts) (string, error) {
	texts := map[string]signatureText{}
	for i := range forms {
		if s := forms[i].Signature; s != nil {
			texts[forms[i].ContentType] = signatureText{s.Signer, s.Card[:], store.Micros(s.SignedAt), s.Digest[:]}
		}
	}
	if len(texts) == 0 {
		return "", nil
	}
	raw, err := json.Marshal(texts)
	return string(raw), err
}

// decodeSignatures is the inverse of signaturesText.
func decodeSignatures(text string, forms []store.RepresentationFacts) error {
	if text == "" {
		return nil
	}
	var texts map[string]signatureText
	if err := json.Unmarshal([]byte(text), &texts); err != nil {
		return store.ErrCorrupt
	}
	for i := range forms {
		s, signed := texts[forms[i].ContentType]
		if !signed {
			continue
		}
		facts := &store.SignatureFacts{Signer: s.Signer, SignedAt: store.FromMicros(s.SignedAt)}
		if copy(facts.Card[:], s.Card) != len(facts.Card) || copy(facts.Digest[:], s.Digest) != len(facts.Digest) {
			return store.ErrCorrupt
		}
		forms[i].Signature = facts
	}
	return nil
}

func insertSignatures(t Tx, f *store.Facts, forms []store.Representation) error {
	for i := range forms {
		if forms[i].Signature == nil {
			continue
		}
		if err := t.Exec("storing a document's signature",
			`INSERT INTO document_signatures (document_id, version, content_type, jws) VALUES ($1, $2, $3, $4)`,
			f.ID[:], f.Version, forms[i].ContentType, forms[i].Signature.JWS); err != nil {
			return err
		}
	}
	return nil
}

// Signature implements store.DocumentStore.
func (s *Store) Signature(ctx context.Context, registry string, id uuid.UUID, version int, contentType string) (store.SignedVersion, error) {
	var scan factsScan
	signed := store.SignedVersion{ContentType: contentType}
	from, args := fromVersion(id, registry, version)
	args = append(args, contentType)
	found, err := s.one(ctx, "reading a document's signature", `SELECT `+factsColumns+`, g.jws`+from+`
		 JOIN document_signatures g ON g.document_id = v.document_id AND g.version = v.version
		  AND g.content_type = `+numbered(len(args), 1), args, append(scan.dest(), &signed.JWS)...)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.SignedVersion{}, err
	}
	if signed.Facts, err = scan.facts(registry); err != nil {
		return store.SignedVersion{}, err
	}
	if err := signed.Verify(); err != nil {
		return store.SignedVersion{}, err
	}
	return signed, nil
}
