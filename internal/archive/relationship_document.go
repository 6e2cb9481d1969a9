// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// RelationshipSink is told of every client relationship document that was stored, changed or annulled, after
// that is durable and before it is answered: an end counts from then on. Zero endsAt means open.
type RelationshipSink interface {
	Stored(ctx context.Context, document uuid.UUID, registry string, endsAt time.Time)
}

// takeRelationship reads what a client relationship document says. A unit may speak of itself only: the right
// of another unit is the organizer's to give.
func (x *exchange) takeRelationship(in *intake) *outcome {
	if !in.kind.IsRelationship() {
		return nil
	}
	at := slices.IndexFunc(in.Representations, func(r store.Representation) bool { return r.ContentType == store.ContentJSON })
	said, err := in.kind.Relationship(in.Representations[at].Body)
	if err != nil {
		return ended(failed(invalidDocument(err)))
	}
	if !x.identity.Organizer() && said.Unit != x.identity.Unit {
		return ended(refused(problem.RelationshipOtherUnit))
	}
	in.Relationship = &said
	return nil
}

// ownRelationship holds a unit that annuls a client relationship document to the same.
func (x *exchange) ownRelationship(document uuid.UUID) *outcome {
	if x.identity.Organizer() {
		return nil
	}
	record, err := x.server.opts.Store.RelationshipRecord(x.context(), document)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil // no client relationship document
	case err != nil:
		return ended(x.storeFailed(err))
	case record.Unit != x.identity.Unit:
		return ended(refused(problem.RelationshipOtherUnit))
	}
	return nil
}

// checkRelationshipChange holds that a new version changes nothing of the relationship but its end.
func (x *exchange) checkRelationshipChange(in *intake, document store.Facts, expected int) *outcome {
	if in.Relationship == nil {
		return nil
	}
	former, err := x.server.opts.Store.RelationshipVersion(x.context(), document.ID, expected)
	if errors.Is(err, store.ErrNotFound) {
		return ended(x.stale(document.ID))
	}
	if err != nil {
		return ended(x.storeFailed(err))
	}
	now := *in.Relationship
	if now.Unit != former.Unit || !now.Start.Equal(former.Start) || now.Procurement != former.Procurement ||
		!sameCodes(in.ServiceTasks, document.ServiceTasks) {
		return ended(failed(problem.Of(problem.RelationshipImmutable)))
	}
	return nil
}

func sameCodes(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// tellRelationship tells the sink when the relationship of a document ends by all that is durable now. What
// was just made durable serves where the record cannot be read.
func (x *exchange) tellRelationship(ctx context.Context, document uuid.UUID, justNow time.Time) {
	sink := x.server.opts.Relationships
	if sink == nil {
		return
	}
	// Of two changes at once, the one that is told last must be the one that was read last.
	x.server.telling.Lock()
	defer x.server.telling.Unlock()
	record, err := x.server.opts.Store.RelationshipRecord(ctx, document)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return // no client relationship document
	case err != nil:
		x.server.opts.Log.Error(err, "the record of a client relationship document cannot be read", "requestID", x.id)
		sink.Stored(ctx, document, x.registry, justNow)
	default:
		sink.Stored(ctx, document, x.registry, record.EndsAt())
	}
}
