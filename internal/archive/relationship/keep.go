// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package relationship

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/index"
)

// mostSteps is more than a plan takes when nobody else writes.
const mostSteps = 6

var (
	// errNotYet says that something is still to come, which will be waited for.
	errNotYet = errors.New("not yet")
	// errNoRegistry says that the object's registry is not accepted, or is another archive's.
	errNoRegistry = errors.New("the registry is not accepted")
	// errChanged says that another has written meanwhile, so that the plan is to be made anew.
	errChanged = errors.New("changed meanwhile")
)

// refusal says that a step cannot be done, in a way that trying again soon does not mend.
type refusal struct {
	agreement store.Agreement
	detail    string
}

func (r *refusal) Error() string { return r.detail }

func refused(detail string) error { return &refusal{store.AgreementRefused, detail} }

// keep brings one document and its object together, step by step.
func (k *Keeper) keep(ctx context.Context, id uuid.UUID, sighted sighting) error {
	for range mostSteps {
		c, err := k.look(ctx, id, sighted)
		if err != nil {
			return err
		}
		action := Plan(c.Situation)
		if action.Step == Rest {
			err = k.settle(ctx, c, action.Standing)
			if !errors.Is(err, errChanged) {
				return err
			}
			continue
		}
		err = k.carry(ctx, c, action)
		var no *refusal
		switch {
		case errors.As(err, &no):
			err = k.settle(ctx, c, c.unresolved(no.agreement, no.detail))
			if !errors.Is(err, errChanged) {
				return err
			}
		case err != nil && !errors.Is(err, errChanged):
			return err
		}
	}
	return errNotYet // others write all the time
}

// carry carries one step out.
func (k *Keeper) carry(ctx context.Context, c *look, action Action) error {
	switch action.Step {
	case CreateObject:
		return k.createObject(ctx, c)
	case ApplyDocument:
		return k.applyDocument(ctx, c)
	case DeleteObject:
		return k.deleteObject(ctx, c)
	case StoreDocument:
		return k.storeDocument(ctx, c, action.Says)
	case StoreVersion:
		return k.storeVersion(ctx, c, action.Says)
	default:
		return nil
	}
}

// settle records how they stand, where that is news: first in the store, and then at the object.
func (k *Keeper) settle(ctx context.Context, c *look, s Standing) error {
	if r := c.Record; r != nil {
		if (Standing{r.Agreement, r.Detail, r.AgreedVersion, r.ObjectUID}) != s {
			err := k.Store.SettleRelationship(ctx, store.Settlement{
				DocumentID: r.DocumentID, Version: r.Version, Annulled: !r.AnnulledAt.IsZero(),
				Agreement: s.Agreement, Detail: s.Detail, AgreedVersion: s.AgreedVersion, ObjectUID: s.ObjectUID,
			})
			if errors.Is(err, store.ErrStale) {
				return errChanged
			}
			if err != nil {
				return err
			}
		}
		if held := c.held; held != nil && s.Agreement == store.AgreementReached {
			k.mutex.Lock()
			k.said[c.id] = saidEnd{*held, c.revision}
			k.mutex.Unlock()
			k.letGo()
		}
	}
	if err := k.show(ctx, c, s); err != nil {
		return err
	}
	return k.showForeign(ctx, c)
}

// refresh brings the end that the index holds to what the document says now.
func (k *Keeper) refresh(c *look, held index.HeldEnd, isHeld bool) {
	end := c.Record.EndsAt()
	document := index.DocumentID(c.id)
	switch {
	case isHeld:
		if !held.At.Equal(end) {
			k.Index.MoveDocumentEnd(document, held, end)
			held.At = end
		}
	case !end.IsZero() && c.Record.Agreement != store.AgreementReached:
		k.Index.SetDocumentEnd(document, end)
		if held, isHeld = k.Index.DocumentEnd(document); !isHeld {
			return
		}
	}
	if isHeld && !end.IsZero() {
		c.held = &held
	}
}
