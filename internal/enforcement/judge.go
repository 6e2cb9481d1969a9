// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package enforcement

import (
	"time"
)

// Replica is one archive replica as its Lease tells of it.
type Replica struct {
	// LastSeen is the replica's last sign of life.
	LastSeen time.Time
	// Bound is the longest view age at which it answered producers when it last gave a sign of life. Cut off, it holds
	// to that, whatever has been set since.
	Bound time.Duration
	// Applied are the revisions that it has applied.
	Applied Revisions
	// Serves is the fingerprint of the server certificate that it serves, Trusts are those of the authorities of clients
	// that it trusts; empty where it does not say.
	Serves string
	Trusts []string
}

// Ending is the ending of some access.
type Ending struct {
	// Kind is the kind of the object that ended it, as in Revisions.
	Kind string
	// Revision is the object's revision when it did.
	Revision uint64
	// SeenAt is when the controller first saw it.
	SeenAt time.Time
}

// Outcome tells how far an ending has come.
type Outcome string

const (
	// Applied says that every live replica has applied the ending.
	Applied Outcome = "Applied"
	// NoLiveReplica says that no replica is live, and none can serve the ended access any more.
	NoLiveReplica Outcome = "NoLiveReplica"
	// Awaiting says that a replica may still serve the ended access.
	Awaiting Outcome = "Awaiting"
)

// Judge is the rule of the package comment. The bound is the longest view age at which a
// replica answers producers; skew is added for clocks that differ.
func Judge(replicas []Replica, ending Ending, bound, skew time.Duration, now time.Time) Outcome {
	live := false
	closed := func(bound time.Duration) bool { return now.After(ending.SeenAt.Add(bound + skew)) }
	for _, replica := range replicas {
		if now.After(replica.LastSeen.Add(SilenceLimit + max(bound, replica.Bound) + skew)) {
			continue // it has gone, or serves nobody: see SilenceLimit
		}
		expired := now.After(replica.LastSeen.Add(LeaseDuration + skew))
		if !expired {
			live = true
		}
		if replica.Applied[ending.Kind] >= ending.Revision || (expired && closed(max(bound, replica.Bound))) {
			continue
		}
		return Awaiting
	}
	switch {
	case live:
		return Applied
	case closed(bound):
		return NoLiveReplica
	default:
		return Awaiting
	}
}
