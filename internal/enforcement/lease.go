// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package enforcement

import (
	"encoding/json"
	"time"
)

const (
	// ArchiveLabel is on each replica's Lease; its value is the name of the Archive.
	ArchiveLabel = "valtuus.io/archive"
	// AppliedAnnotation holds the revisions that the replica has applied, as Revisions.String gives them.
	AppliedAnnotation = "valtuus.io/applied-revisions"
	// BoundAnnotation holds, as Go writes a duration, the longest age of a view at which the replica answers producers.
	BoundAnnotation = "valtuus.io/producers-bound"
	// ServesAnnotation holds the fingerprint of the server certificate that the replica serves.
	ServesAnnotation = "valtuus.io/server-certificate"
	// TrustsAnnotation holds the fingerprints of the authorities of clients that the replica trusts, with commas between.
	TrustsAnnotation = "valtuus.io/client-authorities"
	// LongestBound is the longest that the API lets anybody set.
	LongestBound = time.Minute
	// LeaseDuration is how long a replica counts as live after its last sign of life.
	LeaseDuration = 15 * time.Second
	// SilenceLimit is how long after its last sign of life a replica's view still counts as fresh, whatever the view
	// proves. So a replica that cannot write its Lease stops serving producers, and one that has gone for good holds
	// up no ending for longer than this and the bound.
	SilenceLimit = time.Minute
)

// LeaseName is the name of a replica's Lease.
func LeaseName(archive, replica string) string { return archive + "." + replica }

// Revisions are the revisions reached, by the name of the kind in small letters and plural.
type Revisions map[string]uint64

// String is the JSON form, with the keys in order.
func (r Revisions) String() string {
	text, err := json.Marshal(map[string]uint64(r))
	if err != nil { // a map of strings to numbers cannot fail
		panic(err)
	}
	return string(text)
}

// ParseRevisions reads what String gives; what cannot be read acknowledges nothing.
func ParseRevisions(text string) Revisions {
	out := Revisions{}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return Revisions{}
	}
	return out
}
