// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package relationship

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/store"
)

const (
	detailNoClient  = "The registry has no such client."
	detailNoType    = "The archive's catalog has no client relationship document in force."
	detailTakenID   = "The document that belongs to the relationship is another one."
	detailDestroyed = "The document that belonged to the relationship was destroyed when its retention time had ended."
	detailNoForm    = "The archive's catalog cannot say what the relationship says: %s."
)

// storeDocument makes the document of an object.
func (k *Keeper) storeDocument(ctx context.Context, c *look, says store.Relationship) error {
	o := c.Object
	exists, err := k.Store.ClientExists(ctx, o.Registry, o.ClientID)
	switch {
	case err != nil:
		return err
	case !exists:
		return refused(detailNoClient)
	}
	form, ok := k.Catalog().RelationshipType(c.Now)
	if !ok {
		return refused(detailNoType)
	}
	content, err := k.content(c, form, o.Registry, o.ServiceTasks, says)
	if err != nil {
		return err
	}
	_, _, err = k.Store.StoreDocument(ctx, store.NewDocument{
		ID: c.id, Registry: o.Registry, ClientIDs: []uuid.UUID{o.ClientID}, Type: form.Code(), Content: content,
	}, k.row(c, access.Store, o.Registry, o.ClientID))
	switch {
	case errors.Is(err, store.ErrExists):
		// Unless it was made a moment ago, by another replica, it is no client relationship document.
		if _, err := k.Store.RelationshipRecord(ctx, c.id); err == nil {
			return errChanged
		}
		return refused(detailTakenID)
	case errors.Is(err, store.ErrDestroyed):
		return refused(detailDestroyed)
	case errors.Is(err, store.ErrNotFound):
		return refused(detailNoClient)
	}
	return err
}

// storeVersion makes a version of the document that says what the object says, or that it has been deleted.
func (k *Keeper) storeVersion(ctx context.Context, c *look, says store.Relationship) error {
	r := c.Record
	facts, err := k.Store.DocumentFacts(ctx, r.Registry, c.id, r.Version)
	if err != nil {
		return err
	}
	form, ok := k.Catalog().Type(facts.Type)
	if !ok {
		return refused(detailNoType)
	}
	content, err := k.content(c, form, r.Registry, r.ServiceTasks, says)
	if err != nil {
		return err
	}
	content.Matter, content.Language, content.Labels = facts.Matter, facts.Language, facts.Labels
	_, _, err = k.Store.AddVersion(ctx, store.NewVersion{
		Registry: r.Registry, ID: c.id, Expected: r.Version, Content: content,
	}, k.row(c, access.NewVersion, r.Registry, r.ClientID))
	if errors.Is(err, store.ErrStale) || errors.Is(err, store.ErrAnnulled) {
		return errChanged
	}
	return err
}

// content is what the archive itself says in a document, on the organizer's behalf.
func (k *Keeper) content(c *look, form *catalog.DocumentType, registry string, tasks []string, says store.Relationship) (store.Content, error) {
	organizer := k.Index.OrganizationOf(registry, "")
	if organizer == "" {
		return store.Content{}, errNotYet
	}
	body, err := form.RelationshipDocument(says, c.Now)
	var invalid *catalog.InvalidError
	switch {
	case errors.As(err, &invalid):
		return store.Content{}, refused(fmt.Sprintf(detailNoForm, where(invalid)))
	case errors.Is(err, catalog.ErrNotInForce):
		return store.Content{}, refused(detailNoType)
	case err != nil:
		return store.Content{}, err
	}
	schema, err := form.SchemaOn("", c.Now)
	if err != nil {
		return store.Content{}, err
	}
	return store.Content{
		ServiceTasks: tasks, Author: store.Author{Organization: organizer}, Created: c.Now, Stored: c.Now,
		SchemaVersion: schema.Version(), Relationship: &says, ViewRevision: k.Index.RevisionString(),
		Representations: []store.Representation{{ContentType: store.ContentJSON, Body: body}},
	}, nil
}

func where(invalid *catalog.InvalidError) string {
	if len(invalid.Violations) == 0 {
		return "invalid"
	}
	return invalid.Violations[0].Pointer + " " + invalid.Violations[0].Hint
}

// row is the use log's row of what the archive stores by itself.
func (k *Keeper) row(c *look, operation access.Operation, registry string, client uuid.UUID) store.LogRow {
	row := store.LogRow{
		Time: c.Now, RequestID: uuid.NewString(), Registry: registry, Operation: operation.String(), Outcome: store.OutcomeAllowed,
		ClientID: client, Caller: "urn:valtuus:archive:" + k.Archive.String(), Organization: k.Index.OrganizationOf(registry, ""),
		DocumentIDs: []uuid.UUID{c.id}, DocumentCount: 1,
	}
	if c.object != nil {
		row.Relationship = store.ObjectRef{UID: string(c.object.UID), Revision: c.object.ResourceVersion}
	}
	return row
}
