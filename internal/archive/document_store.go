// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// storeDocument takes in a new document under an id that the archive gives, or that follows from the
// caller's Idempotency-Key.
func (x *exchange) storeDocument() outcome {
	in, stopped := x.newDocumentQuery()
	if stopped != nil {
		return *stopped
	}
	id, keyed, stopped := x.idempotentID()
	switch {
	case stopped != nil:
		return *stopped
	case keyed:
		return x.storeNew(id, in, problem.IdempotencyKeyReused)
	default:
		return x.storeNew(uuid.New(), in, problem.InternalError)
	}
}

// putDocument takes in a new document under an id of the caller's choice.
func (x *exchange) putDocument() outcome {
	in, stopped := x.newDocumentQuery()
	if stopped != nil {
		return *stopped
	}
	f := fields{invalid: invalidParameter}
	id := f.uuid("id", x.request.PathValue("id"))
	if f.wrong != nil {
		return *f.wrong
	}
	return x.storeNew(id, in, problem.DocumentExists)
}

// storeNew stores the first version of a document. The decision is made before the body is read, so that
// nobody without a right keeps the archive busy, and again after, because a body may come slowly. taken is
// the problem if another document has the id.
func (x *exchange) storeNew(id uuid.UUID, in intake, taken problem.Kind) outcome {
	if stopped := x.classify(&in); stopped != nil {
		return *stopped
	}
	if stopped := x.decideNew(&in); stopped != nil {
		return *stopped
	}
	if stopped := in.checkClients(); stopped != nil {
		return *stopped
	}
	if stopped := x.takeBody(&in); stopped != nil {
		return *stopped
	}
	if stopped := x.keepsNonDisclosure(&in, nil); stopped != nil {
		return *stopped
	}
	if d := x.decideWrite(in.question(), in.asked); !d.Allowed {
		return refusedBy(d)
	}
	x.stamp(&in, id)
	ctx, cancel := x.outliving()
	defer cancel()
	facts, created, err := x.server.opts.Store.StoreDocument(ctx, store.NewDocument{
		ID: id, Registry: x.registry, ClientIDs: in.clients, Type: in.typeCode, OldData: in.oldData, Content: in.Content,
	}, x.row)
	if err != nil {
		x.handled()
		switch {
		case errors.Is(err, store.ErrExists):
			return failed(problem.Of(taken))
		case errors.Is(err, store.ErrDestroyed):
			return failed(problem.Of(problem.DocumentDestroyed))
		}
		if refused := x.matterRefused(in.Matter, err); refused != nil {
			return *refused
		}
		return x.storeFailed(err)
	}
	if in.Relationship != nil {
		x.tellRelationship(ctx, id, in.Relationship.End)
	}
	return x.stored(facts, created, "/documents/"+id.String(), in.asked)
}

// stamp notes what the archive itself says of the version, and completes the row that goes with it.
func (x *exchange) stamp(in *intake, id uuid.UUID) {
	in.Stored, in.ViewRevision = x.row.Time, x.server.opts.View.RevisionString()
	x.handled(id)
	x.row.Outcome = store.OutcomeAllowed
}

// stored answers with what is durable, its row included. through are the clients through whom it was stored.
func (x *exchange) stored(facts store.Facts, created bool, location string, through []uuid.UUID) outcome {
	status := http.StatusCreated
	if !created {
		status = http.StatusOK
		// The document may have gone on since the first time.
		if stopped := x.stillOpen(facts); stopped != nil {
			stopped.logged = true
			return *stopped
		}
	}
	a := jsonAnswer(status, x.describe(facts, x.visibleClients(facts, through...), x.relationshipOf(facts)))
	a.header.Set("Location", "/v1/registries/"+x.registry+location)
	a.header.Set("ETag", entityTag(facts.Version, ""))
	out := allowed(a)
	out.logged = true
	return out
}

// stillOpen checks that the caller may see the document that it stored before.
func (x *exchange) stillOpen(facts store.Facts) *outcome {
	current, stopped := x.open(facts.ID)
	if stopped != nil {
		return stopped
	}
	return x.inForce(current, false)
}

func versionPath(id uuid.UUID, version int) string {
	return "/documents/" + id.String() + "/versions/" + strconv.Itoa(version)
}
