// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/internal/archive/signature"
)

func TestSignatures(t *testing.T) {
	ctx, unit := t.Context(), unit(t)
	client := must(unit.FindClient(ctx, identityCode))(t)
	d := note(client, "signed")
	d.XHTML = []byte(`<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Note</title></head><body><p>Hello</p></body></html>`)
	if err := testCard().Sign(&d.Version); err != nil {
		t.Fatal(err)
	}
	stored := must(unit.PutDocument(ctx, uuid.New(), d))(t)
	if len(stored.Signatures) != 2 {
		t.Fatalf("stored as %+v", stored)
	}
	for format, want := range map[archiveclient.Format]string{
		"": d.JSONSignature, archiveclient.JSON: d.JSONSignature, archiveclient.XHTML: d.XHTMLSignature,
	} {
		if got := must(unit.Signature(ctx, stored.ID, 1, archiveclient.SignatureOptions{Format: format}))(t); got != want {
			t.Errorf("%q: %s", format, got)
		}
	}
	read := must(unit.Read(ctx, stored.ID, archiveclient.ReadOptions{}))(t)
	if _, err := new(signature.Verifier).Verify(d.JSONSignature, read.JSON, string(archiveclient.JSON),
		signature.Options{Anchors: theArchive.cards, At: time.Now()}); err != nil {
		t.Errorf("verified without the archive: %v", err)
	}
	if _, err := unit.Signature(ctx, stored.ID, 1, archiveclient.SignatureOptions{Format: archiveclient.Both}); err == nil {
		t.Error("there is a signature over both formats at once")
	}

	version := noteVersion("second")
	must(unit.AddVersion(ctx, stored.ID, 1, version))(t)
	_, err := unit.Signature(ctx, stored.ID, 2, archiveclient.SignatureOptions{})
	wantReason(t, err, "signature-not-found")
	version.JSONSignature = d.JSONSignature
	_, err = unit.AddVersion(ctx, stored.ID, 2, version)
	wantReason(t, err, "signature-invalid")

	card := testCard()
	card.Chain = nil
	if err := card.Sign(&d.Version); !errors.Is(err, signature.ErrSigner) {
		t.Errorf("a card without a certificate: %v", err)
	}
}
