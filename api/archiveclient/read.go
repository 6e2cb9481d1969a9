// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient/openapi"
)

// Content is the bytes of a version, as they were stored or masked.
type Content struct {
	// JSON and XHTML hold the format that was asked for, or both.
	JSON, XHTML []byte
	// Masked tells that address and contact data are masked in the bytes, because the document is under a
	// non-disclosure for personal safety. Masked bytes are not for storing again, and no signature is over them.
	Masked bool
	// Version is the number of the version, which a new version, a correction or an annulment names as seen.
	Version int
	// ETag is the version's entity tag in this format, for [ReadOptions].
	ETag string
	// Stored is when the version was stored.
	Stored time.Time
}

// ReadOptions say what to read.
type ReadOptions struct {
	// Format is what to read; JSON, where there is any, without one.
	Format Format
	// Version is the number of a version; the current one without one.
	Version int
	// Known is the entity tag of what the caller has already. If there is nothing else, the error is [ErrNotModified].
	Known string
	// Annulled reads an annulled document, too; the organizer only.
	Annulled bool
}

// Read returns the bytes of a document, after holding them against the digest that the archive gives.
func (c *Client) Read(ctx context.Context, id uuid.UUID, o ReadOptions) (Content, error) {
	response, err := c.read(ctx, id, o)
	if err != nil {
		return Content{}, err
	}
	body, err := bytesOf(response)
	if err != nil {
		return Content{}, err
	}
	if !hasDigest(response.Header.Get("Repr-Digest"), body) {
		return Content{}, ErrDigest
	}
	content := Content{ETag: response.Header.Get("ETag"), Masked: response.Header.Get("Document-Masked") != ""}
	content.Version = versionOf(content.ETag)
	if content.Stored, err = http.ParseTime(response.Header.Get("Last-Modified")); err != nil {
		return Content{}, err
	}
	content.JSON, content.XHTML, err = decode(response.Header.Get("Content-Type"), body)
	return content, err
}

func (c *Client) read(ctx context.Context, id uuid.UUID, o ReadOptions) (*http.Response, error) {
	accept := optional(string(o.Format))
	if o.Version != 0 {
		return c.requests.ReadVersion(ctx, c.registry, id, o.Version, &openapi.ReadVersionParams{
			Annulled: optional(o.Annulled), Accept: accept, IfNoneMatch: optional(o.Known),
		})
	}
	return c.requests.ReadDocument(ctx, c.registry, id, &openapi.ReadDocumentParams{
		Annulled: optional(o.Annulled), Accept: accept, IfNoneMatch: optional(o.Known),
	})
}

// MetadataOptions say of which documents to tell.
type MetadataOptions struct {
	// Annulled tells of an annulled document, too; the organizer only.
	Annulled bool
}

// Metadata tells what is known of the current version of a document.
func (c *Client) Metadata(ctx context.Context, id uuid.UUID, o MetadataOptions) (Document, error) {
	return answer[Document](c.requests.ReadMetadata(ctx, c.registry, id, &openapi.ReadMetadataParams{Annulled: optional(o.Annulled)}))
}

// History lists the versions of a document that the caller may see, newest first.
func (c *Client) History(ctx context.Context, id uuid.UUID, o MetadataOptions) ([]Document, error) {
	history, err := answer[openapi.History](c.requests.ListVersions(ctx, c.registry, id, &openapi.ListVersionsParams{Annulled: optional(o.Annulled)}))
	return history.Items, err
}
