// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"net/http"

	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// annulmentRequest is the body of an annulment.
type annulmentRequest struct {
	Reason string `json:"reason"`
}

// annulDocument annuls a document with all its versions. It stays as evidence, for the organizer.
func (x *exchange) annulDocument() outcome {
	f := fields{invalid: invalidParameter}
	id := f.uuid("id", x.request.PathValue("id"))
	if f.wrong != nil {
		return *f.wrong
	}
	reason, stopped := x.annulmentReason()
	if stopped != nil {
		return *stopped
	}
	document, expected, stopped := x.openToChange(id)
	if stopped != nil {
		return *stopped
	}
	shared, stopped := x.isShared(document)
	if stopped != nil {
		return *stopped
	}
	d, through := x.decideChange(question{documentType: document.Type}, document, shared)
	if !d.Allowed {
		return refusedBy(d)
	}
	if stopped := x.ownRelationship(id); stopped != nil {
		return *stopped
	}
	x.handled(id)
	x.row.Outcome = store.OutcomeAllowed
	ctx, cancel := x.outliving()
	defer cancel()
	facts, _, err := x.server.opts.Store.Annul(ctx, store.NewAnnulment{
		Registry: x.registry, ID: id, Expected: expected,
		Annulment: store.Annulment{At: x.row.Time, Reason: reason, By: x.author()},
	}, x.row)
	if err != nil {
		return x.changeFailed(id, err)
	}
	x.tellRelationship(ctx, id, x.row.Time)
	a := jsonAnswer(http.StatusOK, x.describe(facts, x.visibleClients(facts, through...), x.relationshipOf(facts)))
	a.header.Set("ETag", entityTag(facts.Version, ""))
	out := allowed(a)
	out.logged = true
	return out
}

func (x *exchange) annulmentReason() (string, *outcome) {
	var body annulmentRequest
	if stopped := x.requestJSON(&body); stopped != nil {
		return "", stopped
	}
	f := fields{invalid: invalidField}
	reason := f.code("reason", body.Reason)
	switch {
	case f.wrong != nil:
	case reason == "":
		f.fail("reason", "is missing")
	case !x.server.opts.Catalog().AnnulmentReason(reason, x.began):
		f.wrong = ended(failed(&problem.Problem{Source: problem.ReasonUnknown, Field: "reason"}))
	}
	return reason, f.wrong
}
