// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package enforcement

import (
	"context"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/reach"
)

// clockSkew is how far the clocks of the manager and a replica may differ.
const clockSkew = 5 * time.Second

// shareFor lets endings that are looked at together share one reading of the leases.
const shareFor = 100 * time.Millisecond

// Tracker answers whether an ending is enforced, from the replicas' Leases.
type Tracker struct {
	reader client.Reader
	clock  clock.PassiveClock
	within reach.Namespaces

	mutex    sync.Mutex
	readings map[client.ObjectKey]reading
}

type reading struct {
	at       time.Time
	replicas []Replica
}

// NewTracker returns a tracker. The reader must not be a cache: a replica that registered
// a moment ago has to be seen. Leases are read within the namespaces only.
func NewTracker(reader client.Reader, clock clock.PassiveClock, within reach.Namespaces) *Tracker {
	return &Tracker{reader: reader, clock: clock, within: within, readings: map[client.ObjectKey]reading{}}
}

// Check tells how far the ending has come at the replicas of an archive. The zero key means every archive. Of an archive
// that is out of reach nobody knows: its word is awaited.
func (t *Tracker) Check(ctx context.Context, archive client.ObjectKey, ending Ending, bound time.Duration) (Outcome, error) {
	if !t.within.Includes(archive.Namespace) {
		return Awaiting, nil
	}
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
	leases, err := t.leases(ctx, archive)
	if err != nil {
		return reading{}, err
	}
	replicas := make([]Replica, 0, len(leases))
	for i := range leases {
		lease := &leases[i]
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

// leases lists the Leases of an archive's replicas, or of every archive's within reach.
func (t *Tracker) leases(ctx context.Context, archive client.ObjectKey) ([]coordinationv1.Lease, error) {
	var list coordinationv1.LeaseList
	switch {
	case archive != (client.ObjectKey{}):
		err := t.reader.List(ctx, &list, client.InNamespace(archive.Namespace), client.MatchingLabels{ArchiveLabel: archive.Name})
		return list.Items, err
	case t.within.Everywhere():
		err := t.reader.List(ctx, &list, client.HasLabels{ArchiveLabel})
		return list.Items, err
	}
	var all []coordinationv1.Lease
	for _, namespace := range t.within.Names() {
		err := t.reader.List(ctx, &list, client.InNamespace(namespace), client.HasLabels{ArchiveLabel})
		if apierrors.IsForbidden(err) {
			// With a namespace the right to read in it goes, and every replica that was in it.
			if get := t.reader.Get(ctx, client.ObjectKey{Name: namespace}, &corev1.Namespace{}); apierrors.IsNotFound(get) {
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		all = append(all, list.Items...)
	}
	return all, nil
}
