// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package observation

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// reading is how far the log of one test's registry has been read. What will not change any more is not read again.
type reading struct {
	teller  teller
	settled list
	// after is the place of the last row in settled.
	after *store.LogPosition
}

func (o *Observer) newReading(t *test, row store.TestRegistry) *reading {
	p := &parties{view: o.View, registry: row.OID, unit: string(t.object.Spec.Run.ProducerUnit), known: map[string]v1alpha1.TestParty{}}
	if told := t.object.Status.Observation; told != nil {
		for i := range told.Events { // its ledger may be empty by now
			if e := &told.Events[i]; e.Party != "" {
				p.known[e.Certificate] = e.Party
			}
		}
	}
	return &reading{teller: teller{store: o.Store, registry: row.OID, unit: p.unit, salt: row.Salt, party: p.of}}
}

// observe reads what is new in the log, and gives what is to be told now. Complete tells that all of it is proven.
func (o *Observer) observe(ctx context.Context, t *test, row store.TestRegistry, now time.Time) (*v1alpha1.TestObservation, bool, error) {
	window := t.object.Status.Window
	if t.reading == nil {
		t.reading = o.newReading(t, row)
	}
	seen := &v1alpha1.TestObservation{RegistryOID: v1alpha1.OID(row.OID)}
	through := window.OpensAt.Time
	var events list
	if window.OpenedAt != nil {
		through = window.OpenedAt.Time
		until := time.Time{}
		if window.ClosedAt != nil { // what was decided at that instant is still observed
			until = window.ClosedAt.Add(time.Microsecond)
		}
		var err error
		if events, err = t.reading.read(ctx, o.Store, window.OpenedAt.Time, until, now); err != nil {
			return nil, false, err
		}
	}
	for i := range events.events {
		if at := events.events[i].At.Time; at.After(through) {
			through = at
		}
	}
	if window.ClosedAt != nil {
		through = window.ClosedAt.Time
	}
	seen.Through = ptr.To(metav1.NewMicroTime(through.UTC()))
	before := ""
	if told := t.lastSaid(); told != nil {
		before = told.Checkpoint
	}
	checkpoint, complete, err := o.prove(ctx, before, events.events)
	if err != nil {
		return nil, false, err
	}
	if len(events.events) > 0 {
		seen.Checkpoint = checkpoint
	}
	for i := range events.events {
		seen.Events = append(seen.Events, events.events[i].TestEvent)
	}
	if events.unlisted > 0 {
		seen.Unlisted = ptr.To(events.unlisted)
	}
	return seen, complete, nil
}

// read reads on, and gives the list of all events.
func (r *reading) read(ctx context.Context, from store.LogProofs, opened, until, now time.Time) (list, error) {
	all := r.settled.clone()
	query := store.LogQuery{Registry: r.teller.registry, From: opened, Until: until, After: r.after, Limit: page}
	settling := true
	for {
		found, err := from.LeavesOf(ctx, query)
		if err != nil {
			return list{}, err
		}
		for i := range found.Rows {
			one := &found.Rows[i]
			settling = settling && one.Leaf != nil && one.Row.Time.Before(now.Add(-rereadAfter))
			event, ok, err := r.teller.event(ctx, one.Row)
			if err != nil {
				return list{}, err
			}
			if ok {
				all.add(listed{TestEvent: event, leaf: one.Leaf})
			}
			if settling {
				r.after = &store.LogPosition{Time: one.Position.Time, ID: one.Position.ID}
				r.settled = *all.clone()
			}
		}
		if found.Next == nil {
			return *all, nil
		}
		query.After = found.Next
	}
}

// lastSaid gives what the test was told last, as far as is known.
func (t *test) lastSaid() *v1alpha1.TestObservation {
	if t.said != nil {
		return t.said
	}
	return t.object.Status.Observation
}
