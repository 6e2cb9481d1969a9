// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/wellformed"
)

// createdTolerance is how far ahead of the archive's clock a client system's may be.
const createdTolerance = 5 * time.Minute

// storeDocument takes in a new document. The decision is made before the body is read, so that nobody
// without a right keeps the archive busy, and again after, because a body may come slowly.
func (x *exchange) storeDocument() outcome {
	doc, stopped := x.newDocument()
	if stopped != nil {
		return *stopped
	}
	x.about(doc.ClientID)
	ask := access.Request{Client: access.ClientID(doc.ClientID), IncomingTasks: doc.ServiceTasks}
	if d := x.decide(ask); !d.Allowed {
		return refusedBy(d)
	}
	if stopped := x.documentBody(&doc); stopped != nil {
		return *stopped
	}
	if d := x.decide(ask); !d.Allowed {
		return refusedBy(d)
	}
	doc.Stored, doc.ViewRevision = x.row.Time, x.server.opts.View.RevisionString()
	x.handled(doc.ID)
	x.row.Outcome = store.OutcomeAllowed
	ctx, cancel := x.outliving()
	defer cancel()
	facts, err := x.server.opts.Store.StoreDocument(ctx, doc, x.row)
	if err != nil {
		x.handled()
		return x.storeFailed(err)
	}
	a := jsonAnswer(http.StatusCreated, toDocumentJSON(facts))
	a.header.Set("Location", "/v1/registries/"+x.registry+"/documents/"+facts.ID.String())
	a.header.Set("ETag", firstVersion)
	a.header.Set("Repr-Digest", reprDigest(facts.Digest))
	out := allowed(a)
	out.logged = true
	return out
}

// firstVersion is the entity tag of a document that has one version.
const firstVersion = `"1"`

// newDocument reads everything but the body.
func (x *exchange) newDocument() (doc store.NewDocument, stopped *outcome) {
	query, stopped := x.query([]string{"client", "type", "created"}, "serviceTask")
	if stopped != nil {
		return doc, stopped
	}
	f := fields{invalid: invalidParameter}
	doc = store.NewDocument{
		ID: uuid.New(), Registry: x.registry, ClientID: f.uuid("client", query.Get("client")),
		Type: f.code("type", query.Get("type")), ServiceTasks: query["serviceTask"],
		Created:     f.time("created", query.Get("created")),
		ContentType: mediaType(x.request.Header),
		Author:      store.Author{Organization: x.row.Organization, Unit: x.identity.Unit, Professional: x.row.Professional},
	}
	if doc.Type == "" {
		f.fail("type", "is missing")
	}
	x.checkTasks(&f, doc.ServiceTasks)
	switch {
	case doc.Created.IsZero():
		f.fail("created", "is missing")
	case doc.Created.After(x.began.Add(createdTolerance)):
		f.fail("created", "is in the future")
	}
	if f.wrong == nil && doc.ContentType != store.ContentJSON && doc.ContentType != store.ContentXHTML {
		f.wrong = ended(failed(problem.Of(problem.ContentTypeUnsupported)))
	}
	return doc, f.wrong
}

func (*exchange) checkTasks(f *fields, tasks []string) {
	if len(tasks) == 0 || len(tasks) > store.MaxServiceTasks {
		f.fail("serviceTask", "must be given 1 to 8 times")
	}
	seen := map[string]bool{}
	for _, task := range tasks {
		if f.code("serviceTask", task); task == "" || seen[task] {
			f.fail("serviceTask", "is empty or given twice")
		}
		seen[task] = true
	}
}

// documentBody reads the body and checks it.
func (x *exchange) documentBody(doc *store.NewDocument) *outcome {
	body, stopped := x.body(MaxDocument)
	if stopped != nil {
		return stopped
	}
	if !digestsHold(x.request.Header, body) {
		return ended(failed(problem.Of(problem.DigestMismatch)))
	}
	check := wellformed.JSON
	if doc.ContentType == store.ContentXHTML {
		check = wellformed.XHTML
	}
	if err := check(body); err != nil {
		return ended(failed(&problem.Problem{Source: problem.DocumentMalformed, Hint: err.Error()}))
	}
	doc.Body = body
	return nil
}
