// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package relationship

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/index"
)

// watch looks for what nobody tells of.
func (k *Keeper) watch(ctx context.Context) {
	tick := k.Clock.NewTicker(tickEvery)
	defer tick.Stop()
	var scanned, insisted, swept time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.relisted:
			swept = time.Time{}
		case <-tick.C():
		}
		k.letGo()
		now := k.Clock.Now()
		if now.Sub(scanned) >= scanEvery {
			scanned = now
			insist := now.Sub(insisted) >= insistEvery
			if k.scan(ctx, insist) && insist {
				insisted = now
			}
		}
		if now.Sub(swept) >= sweepEvery && k.Index.Freshness().Complete && k.sweep(ctx) {
			swept = now
		}
	}
}

// letGo lets go of the ends that the API server says by itself, where the view shows it by now.
func (k *Keeper) letGo() {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	for id, said := range k.said {
		held, ok := k.Index.DocumentEnd(index.DocumentID(id))
		if !ok || held.Stamp != said.held.Stamp || k.Index.DropDocumentEnd(index.DocumentID(id), said.held, said.revision) {
			delete(k.said, id)
		}
	}
}

// scan asks the store for what is not settled: what was stored by another replica, or before a restart.
func (k *Keeper) scan(ctx context.Context, insist bool) bool {
	err := k.each(ctx, k.Store.UnsettledRelationships, func(r *store.RelationshipRecord) {
		if k.hold(r) || insist || r.Agreement == store.AgreementPending {
			k.add(r.DocumentID)
		}
	})
	return k.logged(ctx, err)
}

// add queues a document, unless it waits for another try.
func (k *Keeper) add(id uuid.UUID) {
	k.mutex.Lock()
	waiting := k.waiting[id]
	k.mutex.Unlock()
	if !waiting {
		k.queue.Add(id)
	}
}

// sweep compares all settled records with the view: an object may have been deleted, or the API server's store
// restored from a backup, while nobody looked.
//
// Where most of the objects are gone, it is the API server that has lost them. Nothing rests on them any more, and
// their documents are left as they are: a person has to say that all those relationships have ended.
func (k *Keeper) sweep(ctx context.Context) bool {
	var changed, gone []uuid.UUID
	open := 0
	err := k.each(ctx, k.Store.RelationshipRecords, func(r *store.RelationshipRecord) {
		if r.Agreement != store.AgreementReached {
			return
		}
		live := r.EndsAt().IsZero() || r.EndsAt().After(k.Clock.Now())
		if live {
			open++
		}
		// Another replica may have carried out an end that this one has held since it loaded it: nothing else tells of that.
		_, held := k.Index.DocumentEnd(index.DocumentID(r.DocumentID))
		shown := k.shown(r)
		switch {
		case shown && !held:
		case !shown && live && len(k.Index.OfDocument(index.DocumentID(r.DocumentID))) == 0:
			gone = append(gone, r.DocumentID)
		default:
			changed = append(changed, r.DocumentID)
		}
	})
	if len(gone) >= massLoss && 2*len(gone) > open {
		k.Log.Error(nil, "The API server has lost most service relationships; their documents are left open. Restore it, or store the ends",
			"gone", len(gone), "open", open)
		gone = nil
	}
	for _, id := range append(changed, gone...) {
		k.add(id)
	}
	return k.logged(ctx, err)
}

// shown tells whether the view shows what a settled record says.
func (k *Keeper) shown(r *store.RelationshipRecord) bool {
	if _, known := k.Index.RegistryKey(r.Registry); !known {
		return true // nothing can be done about it now, and nothing rests on it
	}
	for _, o := range k.Index.OfDocument(index.DocumentID(r.DocumentID)) {
		if uuid.UUID(o.UID).String() == r.ObjectUID {
			return !o.Deleting && r.AnnulledAt.IsZero() && wholeSecond(o.End).Equal(wholeSecond(r.End))
		}
	}
	return r.ObjectUID == ""
}

func (k *Keeper) logged(ctx context.Context, err error) bool {
	if err != nil && ctx.Err() == nil {
		k.Log.Info("Could not read the records of relationships, trying again", "error", err.Error())
	}
	return err == nil
}

// uidOf reads a UID as the index has it.
func uidOf(uid string) access.UID {
	parsed, err := uuid.Parse(uid)
	if err != nil {
		return access.UID{}
	}
	return access.UID(parsed)
}
