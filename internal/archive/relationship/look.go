// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package relationship

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/relationship/naming"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/index"
)

// requestLimit bounds one request to the API server.
const requestLimit = 5 * time.Second

// look is what is there of a document and its object, at one moment.
type look struct {
	Situation
	id uuid.UUID
	// held is the end that the index holds by what the document says now; nil for none.
	held *index.HeldEnd
	// registry names the document's registry object.
	registry index.Key
	// object is the ServiceRelationship behind Situation.Object.
	object *v1alpha1.ServiceRelationship
	// revision is that of the API server when the object was read.
	revision uint64
	// foreign is another object that claims the document.
	foreign *v1alpha1.ServiceRelationship
}

// look reads the record and the object. The end that the index holds is read first: what is stored later changes it.
func (k *Keeper) look(ctx context.Context, id uuid.UUID, sighted sighting) (*look, error) {
	c := &look{id: id, Situation: Situation{Now: k.Clock.Now()}}
	held, isHeld := k.Index.DocumentEnd(index.DocumentID(id))
	record, err := k.Store.RelationshipRecord(ctx, id)
	switch {
	case err == nil:
		c.Record = &record
		k.refresh(c, held, isHeld)
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	if !k.Index.Freshness().Complete {
		return nil, errNotYet
	}
	if c.Record == nil {
		return c, k.lookAtObjectAlone(ctx, c, sighted)
	}
	if err := k.lookAtObject(ctx, c, sighted); err != nil || c.object == nil && c.Object == nil {
		return c, err
	}
	version := BaseVersion(c.Record, c.Object)
	base, err := k.Store.RelationshipVersion(ctx, id, version)
	if err != nil {
		return nil, fmt.Errorf("read version %d: %w", version, err)
	}
	c.Base = &base
	return c, nil
}

// lookAtObjectAlone reads the object that was seen, for which there is no document.
func (k *Keeper) lookAtObjectAlone(ctx context.Context, c *look, sighted sighting) error {
	registry := k.Index.RegistryAt(sighted.registry)
	if registry == "" {
		return errNoRegistry
	}
	o, _, err := k.read(ctx, sighted.key)
	if o == nil || err != nil || o.DeletionTimestamp != nil {
		return err
	}
	if string(o.UID) != sighted.uid {
		return nil // another by now, of which the feed tells
	}
	c.take(o, registry)
	c.Object.Foreign = o.Spec.Document != nil && o.Spec.Document.ID != naming.DocumentFor(o.UID).String()
	return nil
}

// lookAtObject finds the object of a document.
func (k *Keeper) lookAtObject(ctx context.Context, c *look, sighted sighting) error {
	r := c.Record
	var known bool
	if c.registry, known = k.Index.RegistryKey(r.Registry); !known {
		// Without its registry nothing rests on the document. It is looked at again when a scan or a sweep comes by.
		c.Record = nil
		return nil
	}
	key, given := client.ObjectKey{Namespace: c.registry.Namespace, Name: naming.ObjectFor(c.id)}, false
	if naming.DocumentFor(types.UID(sighted.uid)) == c.id {
		key, given = sighted.key, true
	}
	var o *v1alpha1.ServiceRelationship
	var err error
	if !given && r.ObjectUID != "" && naming.DocumentFor(types.UID(r.ObjectUID)) == c.id {
		o, c.revision, err = k.search(ctx, c)
	} else {
		o, c.revision, err = k.read(ctx, key)
	}
	if err != nil {
		return err
	}
	if o == nil && !given && r.ObjectUID == "" && r.AgreedVersion == 0 {
		// If it was made for an object, the object's name is not known.
		if c.MadeFor, err = k.madeForObject(ctx, c); err != nil {
			return err
		}
		if c.MadeFor {
			if o, c.revision, err = k.search(ctx, c); err != nil {
				return err
			}
		}
	}
	if given && r.ObjectUID == "" && r.AgreedVersion == 0 {
		c.MadeFor = true
	}
	if o != nil && o.DeletionTimestamp == nil {
		registry := k.Index.RegistryAt(index.Key{Namespace: o.Namespace, Name: string(o.Spec.RegistryRef.Name)})
		c.take(o, registry)
		c.Object.Foreign = !owns(o, c.id)
	}
	if err := k.lookAtForeign(ctx, c, sighted, o); err != nil {
		return err
	}
	return k.confirmGone(c, o)
}

func (c *look) take(o *v1alpha1.ServiceRelationship, registry string) {
	c.object, c.Object = o, objectOf(o, registry)
}

// owns tells whether the document is the object's own: the one that was made for it, or from which it was made.
func owns(o *v1alpha1.ServiceRelationship, document uuid.UUID) bool {
	if naming.DocumentFor(o.UID) == document {
		return o.Spec.Document == nil || o.Spec.Document.ID == document.String()
	}
	return naming.MadeFor(o, document) && o.Spec.Document != nil && o.Spec.Document.ID == document.String()
}

// lookAtForeign reads an object that was seen and claims the document from another place.
func (k *Keeper) lookAtForeign(ctx context.Context, c *look, sighted sighting, own *v1alpha1.ServiceRelationship) error {
	if sighted.uid == "" || own != nil && string(own.UID) == sighted.uid || sighted.key.Namespace == c.registry.Namespace {
		return nil
	}
	o, _, err := k.read(ctx, sighted.key)
	if err == nil && o != nil && o.DeletionTimestamp == nil && naming.DocumentFor(o.UID) != c.id {
		c.foreign = o
	}
	return err
}

// confirmGone makes sure that an object which is to count as deleted is not merely somewhere else.
func (k *Keeper) confirmGone(c *look, o *v1alpha1.ServiceRelationship) error {
	if o != nil && o.DeletionTimestamp != nil && c.Record.ObjectUID == "" {
		return errNotYet // its name is not free yet
	}
	gone := o == nil || o.DeletionTimestamp == nil && c.Object.Foreign
	if gone && c.Record.ObjectUID != "" && k.Index.HasRelationship(uidOf(c.Record.ObjectUID)) {
		return errNotYet
	}
	return nil
}

// madeForObject tells whether the archive itself stored the document, which it does for objects only.
func (k *Keeper) madeForObject(ctx context.Context, c *look) (bool, error) {
	facts, err := k.Store.DocumentFacts(ctx, c.Record.Registry, c.id, 1)
	return facts.Author.Professional == "", err
}

// read reads an object by its name, with the revision at which that is so; nil if there is none.
func (k *Keeper) read(ctx context.Context, key client.ObjectKey) (*v1alpha1.ServiceRelationship, uint64, error) {
	if key.Name == "" {
		return nil, 0, nil
	}
	list, revision, err := k.list(ctx, client.InNamespace(key.Namespace), client.MatchingFields{"metadata.name": key.Name})
	if err != nil || len(list) == 0 {
		return nil, revision, err
	}
	return &list[0], revision, nil
}

// search finds the object for which the document was made, by its client; nil if there is none.
func (k *Keeper) search(ctx context.Context, c *look) (*v1alpha1.ServiceRelationship, uint64, error) {
	list, revision, err := k.list(ctx, client.InNamespace(c.registry.Namespace), client.MatchingFields{"spec.clientID": c.Record.ClientID.String()})
	for i := range list {
		if naming.DocumentFor(list[i].UID) == c.id {
			return &list[i], revision, err
		}
	}
	return nil, revision, err
}

func (k *Keeper) list(ctx context.Context, options ...client.ListOption) ([]v1alpha1.ServiceRelationship, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	var list v1alpha1.ServiceRelationshipList
	if err := k.Client.List(ctx, &list, options...); err != nil {
		return nil, 0, err
	}
	revision, err := strconv.ParseUint(list.ResourceVersion, 10, 64)
	return list.Items, revision, err
}
