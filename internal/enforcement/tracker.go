// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package enforcement

import (
	"context"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// clockSkew is how far the clocks of the manager and a replica may differ.
const clockSkew = 5 * time.Second

// shareFor lets endings that are looked at together share one reading of the leases.
const shareFor = 100 * time.Millisecond

// Tracker answers whether an ending is enforced, from the replicas' Leases.
type Tracker struct {
	reader client.Reader
	clock  clock.PassiveClock

	mutex    sync.Mutex
	readings map[client.ObjectKey]reading
}

type reading struct {
	at       time.Time
	replicas []Replica
}

// NewTracker returns a tracker. The reader must not be a cache: a replica that registered
// a moment ago has to be seen.
func NewTracker(reader client.Reader, clock clock.PassiveClock) *Tracker {
	return &Tracker{reader: reader, clock: clock, readings: map[client.ObjectKey]reading{}}
}

// Check tells how far the ending has come at the replicas of an archive. The zero key means every archive.
func (t *Tracker) Check(ctx context.Context, archive client.ObjectKey, ending Ending, bound time.Duration) (Outcome, error) {
	told, err := t.read(ctx, archive, ending.SeenAt)
	if err != nil {
		return Awaiting, err
	}
	// As of the reading: a replica that has not been looked at since has not been silent since.
	return Judge(told.replicas, ending, bound, clockSkew, told.at), nil
}

// Recent gives the replicas of an archive that have given a sign of life within the time.
func (t *Tracker) Recent(ctx context.Context, archive client.ObjectKey, within time.Duration) (out []Replica, err error) {
	told, err := t.read(ctx, archive, time.Time{})
	for _, replica := range told.replicas {
		if told.at.Before(replica.LastSeen.Add(within)) {
			out = append(out, replica)
		}
	}
	return out, err
}

// read reads the leases, or reuses a reading that was begun after the ending was seen: a replica
// that registered later than that has loaded the ending with its first list.
func (t *Tracker) read(ctx context.Context, archive client.ObjectKey, seenAt time.Time) (reading, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	now := t.clock.Now()
	if last, ok := t.readings[archive]; ok && !last.at.Before(seenAt) && now.Sub(last.at) < shareFor && !now.Before(last.at) {
		return last, nil
	}
	var leases coordinationv1.LeaseList
	options := []client.ListOption{client.HasLabels{ArchiveLabel}}
	if archive != (client.ObjectKey{}) {
		options = []client.ListOption{client.InNamespace(archive.Namespace), client.MatchingLabels{ArchiveLabel: archive.Name}}
	}
	if err := t.reader.List(ctx, &leases, options...); err != nil {
		return reading{}, err
	}
	replicas := make([]Replica, 0, len(leases.Items))
	for i := range leases.Items {
		lease := &leases.Items[i]
		replica := Replica{Applied: ParseRevisions(lease.Annotations[AppliedAnnotation])}
		// One that says nothing holds to what is set now.
		replica.Serves = lease.Annotations[ServesAnnotation]
		if trusts := lease.Annotations[TrustsAnnotation]; trusts != "" {
			replica.Trusts = strings.Split(trusts, ",")
		}
		replica.Bound, _ = time.ParseDuration(lease.Annotations[BoundAnnotation])
		if lease.Spec.RenewTime != nil {
			replica.LastSeen = lease.Spec.RenewTime.Time
		}
		replicas = append(replicas, replica)
	}
	t.readings[archive] = reading{at: now, replicas: replicas}
	return t.readings[archive], nil
}
