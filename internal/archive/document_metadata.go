// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// readMetadata tells of a document what is known besides its bytes.
func (x *exchange) readMetadata() outcome {
	r, stopped := x.begin()
	if stopped != nil {
		return *stopped
	}
	kept := x.retentionOf(r.wanted)
	tag := x.tag(r, "")
	if kept != nil { // as to the organizer, to whom nothing is masked
		tag = metadataTag(r.wanted.Version, kept)
	}
	if hasAlready(x.request.Header.Values("If-None-Match"), tag) {
		return x.release(r, r.notModified(tag))
	}
	body := x.describe(r.wanted, x.visibleClients(r.wanted, x.row.ClientID), x.relationshipOf(r.wanted))
	body.Retention = kept
	body.hide(r.masked)
	a := jsonAnswer(http.StatusOK, body)
	a.header.Set("ETag", tag)
	r.tellMasked(a.header)
	return x.release(r, a)
}

// historyAnswer lists versions.
type historyAnswer struct {
	Items []documentJSON `json:"items"`
}

// listVersions tells of each version of a document that the right reaches, newest first.
func (x *exchange) listVersions() outcome {
	r, stopped := x.begin()
	if stopped != nil {
		return *stopped
	}
	versions, err := x.server.opts.Store.Versions(x.context(), x.registry, r.id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return failed(problem.Of(problem.DocumentNotFound)) // gone since the facts were read
	case err != nil:
		return x.storeFailed(err)
	}
	body := historyAnswer{Items: []documentJSON{}}
	for _, version := range versions {
		if stopped := x.inForce(version, r.annulled); stopped != nil {
			return *stopped // annulled since the facts were read
		}
		if through, visible := x.throughAny(r.current, version); visible {
			item := x.describe(version, x.visibleClients(version, through), x.relationshipOf(version))
			item.hide(x.masks(r.current, version))
			body.Items = append(body.Items, item)
		}
	}
	return x.release(r, jsonAnswer(http.StatusOK, body))
}

// throughAny gives a client through whom both the document as it is now and the version may be read.
func (x *exchange) throughAny(current, version store.Facts) (uuid.UUID, bool) {
	for _, client := range current.ClientIDs {
		if x.mayRead(current, client) && x.mayRead(version, client) {
			return client, true
		}
	}
	return uuid.Nil, false
}
