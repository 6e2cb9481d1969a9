// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"bytes"
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/api/archiveclient/openapi"
)

// Version is what one version of a document says. Nothing carries over from the version before.
type Version struct {
	// JSON and XHTML are the document in one format or in both, kept and given back as they are.
	JSON, XHTML []byte
	// JSONSignature and XHTMLSignature are the professional's signatures over them, if any: see [Card.Sign].
	JSONSignature, XHTMLSignature string
	// ServiceTasks are the codes of the service tasks that the document belongs to.
	ServiceTasks []string
	// Created is when the version was authored. The catalog is read as of this day.
	Created time.Time

	// Matter is the identifier of the matter that the document belongs to, if it does to any. It has to be open:
	// see [Client.OpenMatter].
	Matter string
	// Language is a BCP 47 tag, if known.
	Language string
	// Schema is the version of the schema that the JSON is held to; the newest that was in force without one.
	Schema string
	// NonDisclosure marks a non-disclosure for personal safety.
	NonDisclosure bool
	// Display says when the client may see the document: at once, unless said otherwise.
	Display Display
	// DisplayFrom is from when a delayed document may be shown.
	DisplayFrom time.Time
}

// Display says when a client may see a document.
type Display = openapi.DisplayRule

// When a client may see a document.
const (
	Shown   = openapi.DisplayRuleShown
	Delayed = openapi.DisplayRuleDelayed
	Limited = openapi.DisplayRuleLimited
)

// NewDocument is a document with its first version.
type NewDocument struct {
	Version
	// Clients are those whom the document is about. They may be left out where a matter is named: a document in a
	// shared matter is of all of the matter's clients.
	Clients []uuid.UUID
	// Type is the code of the document type, from the catalog.
	Type string
	// OldClientData marks what was born before the organizer joined. Only the organizer stores and sees it.
	OldClientData bool
	// Key tells [Client.StoreDocument] the document apart from all others, in 1 to 128 visible ASCII characters.
	// Without one each call makes its own, which serves for all attempts of that call. A client system that
	// stores after a restart what it may have stored before gives one of its own, such as a record's id.
	Key string
}

// StoreDocument stores a document under an id that the archive gives. Storing it again under the same key changes
// nothing and returns the document that there is.
func (c *Client) StoreDocument(ctx context.Context, d NewDocument) (Document, error) {
	body, err := d.encode()
	if err != nil {
		return Document{}, err
	}
	if d.Key == "" {
		d.Key = uuid.NewString()
	}
	return answer[Document](c.requests.StoreDocumentWithBody(ctx, c.registry, &openapi.StoreDocumentParams{
		Client: optionalList(d.Clients), Type: d.Type, OldClientData: optional(d.OldClientData), IdempotencyKey: &d.Key,
		ServiceTask: d.ServiceTasks, Created: d.Created.UTC(), Matter: optional(d.Matter), Language: optional(d.Language),
		Schema: optional(d.Schema), NonDisclosure: optional(d.NonDisclosure), Display: optional(d.Display), DisplayFrom: instant(d.DisplayFrom),
		ContentDigest: optional(body.contentDigest), ReprDigest: optional(body.reprDigest),
	}, body.contentType, bytes.NewReader(body.bytes), d.signatures()))
}

// PutDocument stores a document under an id of the caller's choice, which should be a random UUID. Storing it
// again changes nothing; another document's id is refused with the reason document-exists.
func (c *Client) PutDocument(ctx context.Context, id uuid.UUID, d NewDocument) (Document, error) {
	body, err := d.encode()
	if err != nil {
		return Document{}, err
	}
	return answer[Document](c.requests.PutDocumentWithBody(ctx, c.registry, id, &openapi.PutDocumentParams{
		Client: optionalList(d.Clients), Type: d.Type, OldClientData: optional(d.OldClientData),
		ServiceTask: d.ServiceTasks, Created: d.Created.UTC(), Matter: optional(d.Matter), Language: optional(d.Language),
		Schema: optional(d.Schema), NonDisclosure: optional(d.NonDisclosure), Display: optional(d.Display), DisplayFrom: instant(d.DisplayFrom),
		ContentDigest: optional(body.contentDigest), ReprDigest: optional(body.reprDigest),
	}, body.contentType, bytes.NewReader(body.bytes), d.signatures()))
}

// AddVersion stores a new version that takes the place of the version seen. If another is the current one by now,
// the reason is version-stale and [Problem.CurrentVersion] tells which.
func (c *Client) AddVersion(ctx context.Context, id uuid.UUID, seen int, v Version) (Document, error) {
	body, err := v.encode()
	if err != nil {
		return Document{}, err
	}
	return answer[Document](c.requests.AddVersionWithBody(ctx, c.registry, id, &openapi.AddVersionParams{
		IfMatch:     new(tagOf(seen)),
		ServiceTask: v.ServiceTasks, Created: v.Created.UTC(), Matter: optional(v.Matter), Language: optional(v.Language),
		Schema: optional(v.Schema), NonDisclosure: optional(v.NonDisclosure), Display: optional(v.Display), DisplayFrom: instant(v.DisplayFrom),
		ContentDigest: optional(body.contentDigest), ReprDigest: optional(body.reprDigest),
	}, body.contentType, bytes.NewReader(body.bytes), v.signatures()))
}

// Correct stores a new version that corrects the version seen, for a reason from the catalog. The organizer and
// units with the extended right correct what others have stored.
func (c *Client) Correct(ctx context.Context, id uuid.UUID, seen int, reason string, v Version) (Document, error) {
	body, err := v.encode()
	if err != nil {
		return Document{}, err
	}
	return answer[Document](c.requests.CorrectDocumentWithBody(ctx, c.registry, id, &openapi.CorrectDocumentParams{
		Reason: reason, IfMatch: new(tagOf(seen)),
		ServiceTask: v.ServiceTasks, Created: v.Created.UTC(), Matter: optional(v.Matter), Language: optional(v.Language),
		Schema: optional(v.Schema), NonDisclosure: optional(v.NonDisclosure), Display: optional(v.Display), DisplayFrom: instant(v.DisplayFrom),
		ContentDigest: optional(body.contentDigest), ReprDigest: optional(body.reprDigest),
	}, body.contentType, bytes.NewReader(body.bytes), v.signatures()))
}

// Annul annuls a document with all its versions, for a reason from the catalog. It is kept as evidence and shown
// to the organizer only.
func (c *Client) Annul(ctx context.Context, id uuid.UUID, seen int, reason string) (Document, error) {
	return answer[Document](c.requests.AnnulDocument(ctx, c.registry, id,
		&openapi.AnnulDocumentParams{IfMatch: new(tagOf(seen))}, openapi.AnnulmentRequest{Reason: reason}))
}

// optional leaves a parameter out that has no value.
func optional[T comparable](value T) *T {
	var none T
	if value == none {
		return nil
	}
	return &value
}

// optionalList leaves a parameter out that is given no times.
func optionalList[T any](values []T) *[]T {
	if len(values) == 0 {
		return nil
	}
	return &values
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
