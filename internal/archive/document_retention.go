// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/retention"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// retentionJSON tells until when a document is kept, as retention.Clock does.
type retentionJSON struct {
	Rule        string                 `json:"rule,omitempty"`
	CountedFrom catalog.RetentionEvent `json:"countedFrom,omitempty"`
	StartedOn   catalog.Day            `json:"startedOn,omitempty"`
	DestroyOn   catalog.Day            `json:"destroyOn,omitempty"`
	WaitsFor    retention.Waiting      `json:"waitsFor,omitempty"`
}

// retentionOf tells until when a document is kept. Only the organizer is told: the clock speaks of the client's life
// and of matters that a unit's right may not reach. What cannot be read now is left out: it only adds to an answer.
func (x *exchange) retentionOf(f store.Facts) *retentionJSON {
	if !x.identity.Organizer() {
		return nil
	}
	kept, err := x.server.opts.Store.KeptDocument(x.context(), x.registry, f.ID)
	if err != nil {
		x.leftOut(err, "an answer lacks until when the document is kept")
		return nil
	}
	c := retention.Document(x.server.opts.Catalog(), &kept)
	return &retentionJSON{Rule: c.Rule, CountedFrom: c.CountedFrom, StartedOn: c.StartedOn, DestroyOn: c.DestroyOn, WaitsFor: c.WaitsFor}
}

// metadataTag is the tag of a version's metadata, which tell of the retention to some and change with it.
func metadataTag(version int, kept *retentionJSON) string {
	tag := entityTag(version, "")
	if kept == nil {
		return tag
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return tag // text always marshals
	}
	sum := sha256.Sum256(raw)
	return tag[:len(tag)-1] + "-" + hex.EncodeToString(sum[:4]) + `"`
}

// destroyed ends a request of the organizer for a document that was destroyed, if it might have read it; nil
// where there was none, and for a unit, to which it is a document like any that is not there.
func (x *exchange) destroyed(id uuid.UUID) *outcome {
	if !x.identity.Organizer() {
		return nil
	}
	record, err := x.server.opts.Store.DestroyedDocument(x.context(), x.registry, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return ended(x.storeFailed(err))
	}
	d := x.decideRead(store.Facts{
		ID: id, Registry: record.Registry, ClientIDs: record.ClientIDs, Type: record.Type, ServiceTasks: record.ServiceTasks,
	})
	if !d.Allowed {
		return ended(hidden(d))
	}
	return ended(failed(problem.Of(problem.DocumentDestroyed)))
}
