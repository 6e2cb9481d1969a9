// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/index"
)

const (
	// mostWaiting is how many states wait for the store at most, some 300 bytes each. What is more is found by
	// comparing, as it stands then.
	mostWaiting = 16384
	// batch is how many are recorded at a time.
	batch = 100
	// tickEvery is how often is looked whether there is something to do.
	tickEvery = 100 * time.Millisecond
	// firstRetry and lastRetry are the pauses before another try.
	firstRetry, lastRetry = 100 * time.Millisecond, 5 * time.Second
	// compareEvery is how often the view and the last recorded states are compared without a reason.
	compareEvery = 10 * time.Minute
	// lastWords is how long a writer that ends tries to record what still waits.
	lastWords = 2 * time.Second
)

// defaultDoubt is how far the clocks and the views of two replicas are apart at most: a view that is proven to hold what
// was committed this long after a state was recorded is no older than that state.
const defaultDoubt = 10 * time.Second

// Options are what a writer is made of. All are required.
type Options struct {
	Store store.RelationshipHistory
	// Index is the view; its feed tells Observe and Relisted.
	Index *index.Index
	Clock clock.WithTicker
	// Log gets what an operator should know: counts, never what a relationship says.
	Log logr.Logger
}

// Writer records the states of relationships in the store, behind the feed: nothing waits for it.
type Writer struct {
	Options
	doubt time.Duration
	most  int // how many may wait
	wake  chan struct{}

	mutex   sync.Mutex
	waiting []store.Sighting
	// compareAt is when the view and the last recorded states are to be compared next; asked counts who asked for it.
	compareAt time.Time
	asked     uint64
	// unknown are the objects of registries that the view does not know as accepted ones; what is in such a registry
	// opens nothing and is recorded when the registry comes.
	unknown map[index.Key]bool
}

// New makes a writer. Run must be called for it to record anything.
func New(o Options) *Writer {
	return &Writer{Options: o, doubt: defaultDoubt, most: mostWaiting, wake: make(chan struct{}, 1), unknown: map[index.Key]bool{}}
}

// Observe is told of each ServiceRelationship that the feed has read, and of each that was deleted, once the index knows.
func (w *Writer) Observe(o *v1alpha1.ServiceRelationship, deleted bool) {
	if !w.Index.Freshness().Complete {
		return // the comparison that comes first finds it
	}
	uid, err := uuid.Parse(string(o.UID))
	if err != nil {
		return // the index has none such
	}
	now := w.Clock.Now()
	if deleted {
		revision, err := strconv.ParseUint(o.ResourceVersion, 10, 64)
		if err != nil {
			w.compare(now)
			return
		}
		w.add(store.Sighting{RelationshipState: store.RelationshipState{
			ObjectUID: uid.String(), Revision: revision, Deleted: true, Recorded: now,
		}})
		return
	}
	known, ok := w.Index.KnownRelationship(access.UID(uid))
	if !ok {
		w.compare(now) // the index has kept it out
		return
	}
	if s, ok := w.sighting(&known, now); ok {
		w.add(s)
	}
}

// Relisted is told that the feed has read all relationships anew.
func (w *Writer) Relisted() { w.compare(w.Clock.Now()) }

// Waiting counts the states that wait for the store, and tells since when the first of them does; zero for none.
func (w *Writer) Waiting() (states int, since time.Time) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if len(w.waiting) > 0 {
		since = w.waiting[0].Recorded
	}
	return len(w.waiting), since
}

// sighting makes a state of what the view has. One that opens nothing, because it names no client or no registry of
// this archive, is none.
func (w *Writer) sighting(k *index.Known, now time.Time) (store.Sighting, bool) {
	if k.Registry == "" {
		w.mutex.Lock()
		w.unknown[k.RegistryKey] = true
		w.mutex.Unlock()
		return store.Sighting{}, false
	}
	s := store.Sighting{RelationshipState: stateOf(k)}
	s.Recorded = now
	return s, s.Validate() == nil
}

func (w *Writer) add(s store.Sighting) {
	w.mutex.Lock()
	fits := len(w.waiting) < w.most
	if fits {
		w.waiting = append(w.waiting, s)
	}
	w.mutex.Unlock()
	if !fits {
		w.compare(s.Recorded)
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// compare asks for a comparison at the instant.
func (w *Writer) compare(at time.Time) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.asked++
	if at.Before(w.compareAt) {
		w.compareAt = at
	}
}

// Run records until ctx ends.
func (w *Writer) Run(ctx context.Context) error {
	tick := w.Clock.NewTicker(tickEvery)
	defer tick.Stop()
	var pause time.Duration
	var notBefore time.Time
	for {
		if !w.Clock.Now().Before(notBefore) {
			if err := w.work(ctx); err == nil {
				pause = 0
			} else {
				if pause == 0 && ctx.Err() == nil {
					waiting, _ := w.Waiting()
					w.Log.Info("Could not record the history of relationships, trying again", "waiting", waiting, "error", err.Error())
				}
				pause = min(max(2*pause, firstRetry), lastRetry)
				notBefore = w.Clock.Now().Add(pause)
			}
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
			defer cancel()
			_ = w.record(last) // what is left is found by comparing, after the restart
			return nil
		case <-w.wake:
		case <-tick.C():
		}
	}
}

// work records what waits, and compares if it is time to.
func (w *Writer) work(ctx context.Context) error {
	if err := w.record(ctx); err != nil {
		return err
	}
	if !w.Index.Freshness().Complete || !w.timeToCompare() {
		return nil
	}
	now := w.Clock.Now()
	w.mutex.Lock()
	asked := w.asked
	w.mutex.Unlock()
	doubtful, err := w.catchUp(ctx)
	if err != nil {
		return err
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	switch {
	case w.asked != asked: // meanwhile: it is due still, or again
		w.compareAt = now
	case doubtful:
		w.compareAt = now.Add(max(w.doubt, tickEvery))
	default:
		w.compareAt = now.Add(compareEvery)
	}
	return nil
}

func (w *Writer) timeToCompare() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for key := range w.unknown {
		if w.Index.RegistryAt(key) != "" {
			delete(w.unknown, key)
			w.compareAt = time.Time{} // if it fails, it stays due
		}
	}
	return !w.Clock.Now().Before(w.compareAt)
}

// record records what waits, oldest first.
func (w *Writer) record(ctx context.Context) error {
	for {
		w.mutex.Lock()
		next := w.waiting[:min(batch, len(w.waiting))]
		w.mutex.Unlock()
		if len(next) == 0 {
			return nil
		}
		if err := w.write(ctx, next); err != nil {
			return err
		}
		w.mutex.Lock()
		w.waiting = w.waiting[len(next):]
		if len(w.waiting) == 0 {
			w.waiting = nil
		}
		w.mutex.Unlock()
	}
}

// write records those of the sightings that are news. What is none, such as each change of a status, costs no write.
func (w *Writer) write(ctx context.Context, sightings []store.Sighting) error {
	last, err := w.last(ctx, sightings)
	if err != nil {
		return err
	}
	var news []store.Sighting
	for _, s := range sightings {
		if state, ok := s.After(last[s.ObjectUID]); ok {
			news = append(news, s)
			last[s.ObjectUID] = &state
		}
	}
	_, err = w.Store.AppendRelationshipStates(ctx, news)
	return err
}

// last reads the last recorded state of each object.
func (w *Writer) last(ctx context.Context, sightings []store.Sighting) (map[string]*store.RelationshipState, error) {
	last := map[string]*store.RelationshipState{}
	var objects []string
	for i := range sightings {
		uid := sightings[i].ObjectUID
		if _, asked := last[uid]; !asked {
			last[uid] = nil
			objects = append(objects, uid)
		}
	}
	for len(objects) > 0 {
		some := objects[:min(store.MaxPage, len(objects))]
		objects = objects[len(some):]
		states, err := w.Store.LastRelationshipStates(ctx, some)
		if err != nil {
			return nil, err
		}
		for i := range states {
			last[states[i].ObjectUID] = &states[i]
		}
	}
	return last, nil
}
