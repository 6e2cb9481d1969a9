// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// reading is a request for one version of a document.
type reading struct {
	id       uuid.UUID
	version  int // 0 for the current one
	annulled bool
	query    url.Values
	// masked tells that the caller gets the bytes masked.
	masked bool
	// format is what was given of a version that has several.
	format string
	// current are the facts of the document as it is now, wanted those of the version that was asked for.
	current, wanted store.Facts
}

// begin reads what is asked for, gets the facts and decides on them.
func (x *exchange) begin(more ...string) (r reading, stopped *outcome) {
	if r.query, stopped = x.query(append([]string{"annulled"}, more...)); stopped != nil {
		return r, stopped
	}
	f := fields{invalid: invalidParameter}
	r.id, r.annulled = f.uuid("id", x.request.PathValue("id")), f.flag("annulled", r.query)
	if text := x.request.PathValue("version"); text != "" {
		r.version = f.version(text)
	}
	if f.wrong != nil {
		return r, f.wrong
	}
	x.row.Criteria = r.criteria()
	if r.current, stopped = x.open(r.id); stopped != nil {
		return r, stopped
	}
	if stopped = x.inForce(r.current, r.annulled); stopped != nil {
		return r, stopped
	}
	r.wanted = r.current
	if r.version != 0 && r.version != r.current.Version {
		if r.wanted, stopped = x.openVersion(r); stopped != nil {
			return r, stopped
		}
	}
	r.masked = x.masks(r.current, r.wanted)
	return r, nil
}

// openVersion gives the facts of an older version. The right must reach both: an older version may belong to
// other service tasks than the document does now.
func (x *exchange) openVersion(r reading) (store.Facts, *outcome) {
	wanted, err := x.server.opts.Store.DocumentFacts(x.context(), x.registry, r.id, r.version)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return wanted, ended(failed(problem.Of(problem.VersionNotFound)))
	case err != nil:
		return wanted, ended(x.storeFailed(err))
	}
	if d := x.decideRead(r.current, wanted); !d.Allowed {
		return wanted, ended(hidden(d))
	}
	return wanted, nil
}

// release decides again, just before data leave: the right may have ended meanwhile.
func (x *exchange) release(r reading, a answer) outcome {
	holds := func() *outcome {
		if d := x.decideRead(r.current, r.wanted); !d.Allowed {
			return ended(hidden(d))
		}
		if !r.masked && x.masks(r.current, r.wanted) {
			return ended(failed(problem.Of(problem.StoreUnavailable))) // the registry's policy has changed: try again
		}
		return nil
	}
	if stopped := holds(); stopped != nil {
		return *stopped
	}
	x.holds = holds
	x.handled(r.id)
	return allowed(a)
}

// readDocument gives the bytes of a version as they were stored, or masked. The decision is made on the facts before
// the bytes are read, and again before they leave.
func (x *exchange) readDocument() outcome {
	r, stopped := x.begin()
	if stopped != nil {
		return *stopped
	}
	// The formats are told only to those who may read them.
	format := chosenFormat(x.request.Header.Values("Accept"), r.wanted)
	if format == "" {
		return failed(problem.Of(problem.NotAcceptable))
	}
	if len(r.wanted.Representations) > 1 {
		r.format = format
	}
	if r.masked || r.format != "" {
		x.row.Criteria = r.criteria()
	}
	tag := x.tag(r, format)
	if hasAlready(x.request.Header.Values("If-None-Match"), tag) {
		return x.release(r, r.notModified(tag))
	}
	body, contentType, stopped := x.bytes(r, format)
	if stopped != nil {
		return *stopped
	}
	digest := digestOf(body)
	a := answer{
		status: http.StatusOK,
		header: http.Header{
			"Content-Type":   {contentType},
			"Etag":           {tag},
			"Content-Digest": {digest},
			"Repr-Digest":    {digest},
			"Last-Modified":  {r.wanted.Stored.UTC().Format(http.TimeFormat)},
			"Vary":           {"Accept"},
		},
		body: body,
	}
	r.tellMasked(a.header)
	return x.release(r, a)
}

// chosenFormat gives the format that the caller wants most among those of the version. Both together come
// only to a caller who names that.
func chosenFormat(accept []string, version store.Facts) string {
	var offered []string
	if _, named := wanted(accept, contentRelated); named && len(version.Representations) == 2 {
		offered = append(offered, contentRelated)
	}
	for _, format := range []string{store.ContentJSON, store.ContentXHTML} {
		if _, has := version.Representation(format); has {
			offered = append(offered, format)
		}
	}
	return preferred(accept, offered...)
}

// bytes gives the body of the answer in the format, and its media type.
func (x *exchange) bytes(r reading, format string) ([]byte, string, *outcome) {
	if format != contentRelated {
		body, stopped := x.representation(r, format)
		return body, format, stopped
	}
	var parts []store.Representation
	for _, one := range []string{store.ContentJSON, store.ContentXHTML} {
		body, stopped := x.representation(r, one)
		if stopped != nil {
			return nil, "", stopped
		}
		parts = append(parts, store.Representation{ContentType: one, Body: body})
	}
	body, contentType := joinRelated(parts)
	return body, contentType, nil
}

// representation gives the bytes of the version in one format, as the caller gets them.
func (x *exchange) representation(r reading, format string) ([]byte, *outcome) {
	doc, err := x.server.opts.Store.Document(x.context(), x.registry, r.id, r.wanted.Version, format)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, ended(failed(problem.Of(problem.DocumentNotFound))) // gone since the facts were read
	case err != nil:
		return nil, ended(x.storeFailed(err))
	}
	if stopped := x.inForce(doc.Facts, r.annulled); stopped != nil { // it may have been annulled since
		return nil, stopped
	}
	switch {
	case r.masked:
		return x.mask(doc.Type, store.Representation{ContentType: format, Body: doc.Body})
	case x.masks(doc.Facts):
		return nil, ended(failed(problem.Of(problem.StoreUnavailable))) // a non-disclosure was set since: try again
	}
	return doc.Body, nil
}

func (r reading) notModified(tag string) answer {
	a := answer{status: http.StatusNotModified, header: http.Header{"Etag": {tag}, "Vary": {"Accept"}}}
	r.tellMasked(a.header)
	return a
}

// maxVersion bounds the digits of a version's number.
const maxVersion = 999_999_999

// version reads the number of a version, which has one text.
func (f *fields) version(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxVersion || strconv.Itoa(n) != text {
		f.fail("version", "must be the number of a version, from 1")
	}
	return n
}

// criteria tells the use log what of the document was asked for, where that is not all there is to it.
func (r reading) criteria() json.RawMessage {
	if r.version == 0 && !r.annulled && !r.masked && r.format == "" {
		return nil
	}
	raw, err := json.Marshal(struct {
		Version  int    `json:"version,omitempty"`
		Annulled bool   `json:"annulled,omitempty"`
		Masked   bool   `json:"masked,omitempty"`
		Format   string `json:"format,omitempty"`
	}{r.version, r.annulled, r.masked, r.format})
	if err != nil {
		return nil // a number and a truth value always marshal
	}
	return raw
}
