// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"net/http"
	"time"

	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/signature"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/pki"
)

const (
	// signatureHeader holds the signature over a representation that is stored; one line for each.
	signatureHeader = "Document-Signature"
	// contentJOSE is the media type of a signature.
	contentJOSE = "application/jose"
)

// takeSignatures verifies the signatures that came with the representations, each over one of them. The signer
// is the professional who stores.
func (x *exchange) takeSignatures(in *intake) *outcome {
	for _, jws := range x.request.Header.Values(signatureHeader) {
		part, found, err := x.verifySignature(jws, in.Representations)
		switch {
		case err != nil:
			return ended(failed(refusedSignature(err)))
		case part.Signature != nil:
			return ended(invalidParameter(signatureHeader, "is given twice for one format"))
		case !x.signedByCaller(found):
			return ended(failed(problem.Of(problem.SignatureOtherSigner)))
		}
		part.Signature = &store.Signature{
			JWS: jws, Signer: found.Signer, Card: found.CardThumbprint, SignedAt: found.SignedAt,
		}
	}
	return nil
}

// verifySignature finds the representation that a signature is over.
func (x *exchange) verifySignature(jws string, parts []store.Representation) (part *store.Representation, found signature.Signature, err error) {
	anchors := x.server.opts.TrustAnchors()
	for i := range parts {
		part = &parts[i]
		found, err = x.server.signatures.Verify(jws, part.Body, part.ContentType, signature.Options{
			Anchors: anchors, Revocations: x.server.revocations(), At: x.began,
		})
		if refusal, ok := signature.RefusalOf(err); !ok || refusal.Problem != signature.OtherContentType {
			break
		}
	}
	return part, found, err
}

// signedByCaller tells whether the signer is the professional of the assertion: by the identifier on the card,
// and where the card has none, by the card.
func (x *exchange) signedByCaller(found signature.Signature) bool {
	if found.Signer == "" {
		return found.CardThumbprint.String() == x.row.CardThumbprint
	}
	return found.Signer == x.row.Professional
}

// refusedSignature tells what is wrong with a signature, without anything of it.
func refusedSignature(err error) *problem.Problem {
	refusal, ok := signature.RefusalOf(err)
	if !ok { // the anchors went away since the assertion was verified
		return problem.Of(problem.TrustAnchorsMissing)
	}
	return &problem.Problem{Source: problem.SignatureInvalid, Hint: refusal.Detail}
}

// readSignature gives the signature over one representation of a version.
func (x *exchange) readSignature() outcome {
	r, stopped := x.begin("format")
	if stopped != nil {
		return *stopped
	}
	if r.masked {
		// It holds the digest of the stored bytes, by which the masked ones could be guessed.
		return refused(problem.MaskedSignatureWithheld)
	}
	format, known := signatureFormat(r.query.Get("format"), r.wanted)
	if !known {
		return invalidParameter("format", "must be json or xhtml")
	}
	signed, err := x.server.opts.Store.Signature(x.context(), x.registry, r.id, r.wanted.Version, format)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return failed(problem.Of(problem.SignatureNotFound))
	case err != nil:
		return x.storeFailed(err)
	}
	if stopped := x.inForce(signed.Facts, r.annulled); stopped != nil { // it may have been annulled since
		return *stopped
	}
	return x.release(r, answer{
		status: http.StatusOK,
		header: http.Header{"Content-Type": {contentJOSE}, "Last-Modified": {r.wanted.Stored.UTC().Format(http.TimeFormat)}},
		body:   []byte(signed.JWS),
	})
}

// signatureFormat gives the format whose signature is asked for: the one that is named, else the one that is
// signed, JSON before XHTML.
func signatureFormat(name string, version store.Facts) (contentType string, known bool) {
	switch name {
	case "json":
		return store.ContentJSON, true
	case "xhtml":
		return store.ContentXHTML, true
	case "":
		if r, _ := version.Representation(store.ContentJSON); r.Signature != nil {
			return store.ContentJSON, true
		}
		return store.ContentXHTML, true
	default:
		return "", false
	}
}

type signatureJSON struct {
	ContentType    string    `json:"contentType"`
	Signer         string    `json:"signer,omitempty"`
	CardThumbprint string    `json:"cardThumbprint"`
	SignedAt       time.Time `json:"signedAt"`
}

func signaturesOf(f store.Facts) (all []signatureJSON) {
	for _, r := range f.Representations {
		if s := r.Signature; s != nil {
			all = append(all, signatureJSON{r.ContentType, s.Signer, pki.Fingerprint(s.Card).String(), s.SignedAt})
		}
	}
	return all
}
