// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/index"
)

// catchUp records where the view differs from the last recorded states. doubtful tells that something differs of which
// the view may know less than another replica that recorded it: it is to be looked at again when that cannot be.
//
// Where nothing differs, it writes nothing.
func (w *Writer) catchUp(ctx context.Context) (doubtful bool, err error) {
	for from := uint32(0); ; {
		proven := w.Index.Freshness().ProvenAt // before the view is read: it is no older then
		known, next := w.Index.KnownRelationships(from)
		doubts, err := w.catchUpWith(ctx, known, proven)
		if err != nil {
			return false, err
		}
		doubtful = doubtful || doubts
		if next == 0 {
			break
		}
		from = next
	}
	doubts, err := w.catchUpWithGone(ctx)
	return doubtful || doubts, err
}

// catchUpWith records what of the view's relationships is news.
func (w *Writer) catchUpWith(ctx context.Context, known []index.Known, proven time.Time) (doubtful bool, err error) {
	// What the feed has told of meanwhile was not missed.
	if err := w.record(ctx); err != nil {
		return false, err
	}
	now := w.Clock.Now()
	var seen []store.Sighting
	for i := range known {
		if s, ok := w.sighting(&known[i], now); ok {
			s.Missed = true
			seen = append(seen, s)
		}
	}
	last, err := w.last(ctx, seen)
	if err != nil {
		return false, err
	}
	var news []store.Sighting
	for _, s := range seen {
		before := last[s.ObjectUID]
		if before != nil && s.Revision <= before.Revision {
			switch {
			case s.Revision == before.Revision && s.Same(before):
				continue
			case !w.newer(proven, before):
				doubtful = true
				continue
			}
			s.Compared = before.Ordinal
		}
		if _, ok := s.After(before); ok {
			news = append(news, s)
		}
	}
	return doubtful, w.appendAll(ctx, news)
}

// catchUpWithGone records as deleted what was recorded last as being there and is not in the view.
func (w *Writer) catchUpWithGone(ctx context.Context) (doubtful bool, err error) {
	after := ""
	for {
		page, err := w.Store.UndeletedRelationshipStates(ctx, after, store.MaxPage)
		if err != nil {
			return false, err
		}
		now, freshness := w.Clock.Now(), w.Index.Freshness()
		if !freshness.Complete {
			return true, nil // it is being loaded anew
		}
		var gone []store.Sighting
		for i := range page {
			before := &page[i]
			uid, err := uuid.Parse(before.ObjectUID)
			if err == nil && w.Index.HasRelationship(access.UID(uid)) {
				continue
			}
			if !w.newer(freshness.ProvenAt, before) {
				doubtful = true
				continue
			}
			s := store.Sighting{Compared: before.Ordinal, RelationshipState: store.RelationshipState{
				ObjectUID: before.ObjectUID, Deleted: true, Missed: true, Recorded: now,
			}}
			gone = append(gone, s)
		}
		// As above: whose deletion is recorded now is skipped, having another last state.
		if err := w.record(ctx); err != nil {
			return false, err
		}
		if err := w.appendAll(ctx, gone); err != nil {
			return false, err
		}
		if len(page) < store.MaxPage {
			return doubtful, nil
		}
		after = page[len(page)-1].ObjectUID
	}
}

// newer tells whether a view that is proven as of an instant cannot be older than a recorded state.
func (w *Writer) newer(proven time.Time, than *store.RelationshipState) bool {
	return proven.After(than.Recorded.Add(w.doubt))
}

func (w *Writer) appendAll(ctx context.Context, sightings []store.Sighting) error {
	for some := range slices.Chunk(sightings, batch) {
		if _, err := w.Store.AppendRelationshipStates(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// stateOf makes a state of a relationship in the view. One that is being deleted opens nothing any more.
func stateOf(k *index.Known) store.RelationshipState {
	tasks := slices.Clone(k.Tasks)
	slices.Sort(tasks)
	return store.RelationshipState{
		ObjectUID: uuid.UUID(k.UID).String(), Revision: k.Revision, Registry: k.Registry, ClientID: uuid.UUID(k.Client),
		Unit: k.Unit, ServiceTasks: tasks, Start: k.Start, End: k.End, Accepted: k.Accepted, Deleted: k.Deleting,
		DocumentID: uuid.UUID(k.Document),
	}
}
