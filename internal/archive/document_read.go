// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// readDocument gives a document's bytes as they were stored. The decision is made on the facts before
// the bytes are read, and again before they leave: the right may have ended meanwhile.
func (x *exchange) readDocument() outcome {
	if _, stopped := x.query(nil); stopped != nil {
		return *stopped
	}
	f := fields{invalid: invalidParameter}
	id := f.uuid("id", x.request.PathValue("id"))
	if f.wrong != nil {
		return *f.wrong
	}
	ask, stopped := x.askAbout(id)
	if stopped != nil {
		return *stopped
	}
	if d := x.decide(ask); !d.Allowed {
		return hidden(d)
	}
	doc, err := x.server.opts.Store.Document(x.context(), x.registry, id)
	if errors.Is(err, store.ErrNotFound) {
		return failed(problem.Of(problem.DocumentNotFound)) // gone since the facts were read
	}
	if err != nil {
		return x.storeFailed(err)
	}
	if d := x.decide(ask); !d.Allowed {
		return hidden(d)
	}
	// The format is told only to those who may read it.
	if !accepts(x.request.Header.Values("Accept"), doc.ContentType) {
		return failed(problem.Of(problem.NotAcceptable))
	}
	x.handled(doc.ID)
	return allowed(answer{
		status: http.StatusOK,
		header: http.Header{
			"Content-Type":  {doc.ContentType},
			"Etag":          {firstVersion},
			"Repr-Digest":   {reprDigest(doc.Digest)},
			"Last-Modified": {doc.Stored.UTC().Format(http.TimeFormat)},
			"Vary":          {"Accept"},
		},
		body: doc.Body,
	})
}

// askAbout gives the question about a document; without facts where there is no such document, and the
// decision then tells so after all that comes before.
func (x *exchange) askAbout(id uuid.UUID) (access.Request, *outcome) {
	facts, err := x.server.opts.Store.DocumentFacts(x.context(), x.registry, id)
	if errors.Is(err, store.ErrNotFound) {
		return access.Request{}, nil
	}
	if err != nil {
		return access.Request{}, ended(x.storeFailed(err))
	}
	x.about(facts.ClientID)
	return access.Request{Client: access.ClientID(facts.ClientID), Document: documentFacts(facts)}, nil
}

// hidden makes a refusal that would tell that the document exists, to someone who has nothing to do
// with its client, the same as that of a document that does not.
func hidden(d access.Decision) outcome {
	out := refusedBy(d)
	switch d.Reason {
	case access.ReasonDocumentMissing, access.ReasonNoRelationship, access.ReasonClientMissing,
		access.ReasonDocumentOtherClient, access.ReasonDocumentOtherRegistry:
		return out.shownAs(problem.DocumentNotFound)
	default:
		return out
	}
}
