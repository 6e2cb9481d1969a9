// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// addVersion takes in a new version of a document.
func (x *exchange) addVersion() outcome { return x.storeVersion(false) }

// correctDocument takes in a new version that corrects the former, and tells why.
func (x *exchange) correctDocument() outcome { return x.storeVersion(true) }

// storeVersion goes the path of storeNew, after it has made sure that the caller may know of the document and
// has told which version it has seen.
func (x *exchange) storeVersion(correction bool) outcome {
	id, in, stopped := x.newVersionQuery(correction)
	if stopped != nil {
		return *stopped
	}
	document, expected, stopped := x.openToChange(id)
	if stopped != nil {
		return *stopped
	}
	if stopped := x.inForce(document, false); stopped != nil {
		return *stopped
	}
	if document.OldData && in.Matter != "" {
		return invalidParameter("matter", "does not go with old client data")
	}
	in.typeCode, in.clients = document.Type, document.ClientIDs
	if stopped := x.classify(&in); stopped != nil {
		return *stopped
	}
	if stopped := in.checkClients(); stopped != nil {
		return *stopped
	}
	shared, stopped := x.isShared(document)
	if stopped != nil {
		return *stopped
	}
	shared = shared && in.Matter != "" // one that leaves the matter is no longer shared
	ask := in.question()
	if d, _ := x.decideChange(ask, document, shared); !d.Allowed {
		return refusedBy(d)
	}
	if stopped := x.takeBody(&in); stopped != nil {
		return *stopped
	}
	if stopped := x.keepsNonDisclosure(&in, &document); stopped != nil {
		return *stopped
	}
	if stopped := x.checkRelationshipChange(&in, document, expected); stopped != nil {
		return *stopped
	}
	d, through := x.decideChange(ask, document, shared)
	if !d.Allowed {
		return refusedBy(d)
	}
	in.asked = through
	return x.commitVersion(id, expected, in)
}

func (x *exchange) commitVersion(id uuid.UUID, expected int, in intake) outcome {
	x.stamp(&in, id)
	ctx, cancel := x.outliving()
	defer cancel()
	facts, created, err := x.server.opts.Store.AddVersion(ctx, store.NewVersion{
		Registry: x.registry, ID: id, Expected: expected, Content: in.Content,
	}, x.row)
	if err != nil {
		if refused := x.matterRefused(in.Matter, err); refused != nil {
			x.handled()
			return *refused
		}
		return x.changeFailed(id, err)
	}
	if in.Relationship != nil {
		x.tellRelationship(ctx, id, in.Relationship.End)
	}
	return x.stored(facts, created, versionPath(id, facts.Version), in.asked)
}

// openToChange gives a document that the caller may read, and the version that it says it has seen. Whether
// that is the current one is for the store to say, which knows repetitions.
func (x *exchange) openToChange(id uuid.UUID) (document store.Facts, expected int, stopped *outcome) {
	if document, stopped = x.open(id); stopped != nil {
		return document, 0, stopped
	}
	lines := x.request.Header.Values("If-Match")
	tags, star, ok := parseTags(lines)
	switch {
	case len(lines) == 0:
		stopped = ended(preconditionFailed(problem.PreconditionRequired, document, ""))
	case star:
		stopped = ended(preconditionFailed(problem.PreconditionRequired, document, "a star names no version"))
	case !ok:
		stopped = ended(invalidParameter("If-Match", "must be one or more entity tags in quotes"))
	default:
		if expected = expectedVersion(tags, document.Current); expected == 0 {
			stopped = ended(preconditionFailed(problem.VersionStale, document, "none of the tags is a strong one of this archive"))
		}
	}
	return document, expected, stopped
}

// preconditionFailed tells the current entity tag, to a caller who may read the document. Of an annulled one
// it tells only that.
func preconditionFailed(source problem.Kind, document store.Facts, hint string) outcome {
	if document.Annulment != nil {
		return failed(problem.Of(problem.DocumentAnnulled))
	}
	out := failed(&problem.Problem{Source: source, Hint: hint})
	out.header = map[string][]string{"Etag": {entityTag(document.Current, "")}}
	return out
}

// changeFailed ends a change that the store did not take.
func (x *exchange) changeFailed(id uuid.UUID, err error) outcome {
	x.handled()
	switch {
	case errors.Is(err, store.ErrStale):
		return x.stale(id)
	case errors.Is(err, store.ErrAnnulled):
		return failed(problem.Of(problem.DocumentAnnulled))
	case errors.Is(err, store.ErrNotFound):
		return failed(problem.Of(problem.DocumentNotFound))
	default:
		return x.storeFailed(err)
	}
}

// stale tells that the document has gone on, and to where, to a caller who may still read it.
func (x *exchange) stale(id uuid.UUID) outcome {
	current, stopped := x.open(id)
	if stopped != nil {
		return *stopped
	}
	return preconditionFailed(problem.VersionStale, current, "")
}
