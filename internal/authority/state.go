// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"slices"
	"time"
)

const (
	// Settle is how long what was written to a Secret may take to be in force where the Secret is mounted: the kubelet
	// looks after a pod every 60 to 90 seconds and keeps a Secret it read for up to a minute, and the process in the pod
	// looks at its files every ten seconds. Nothing hurries, so twice that.
	Settle = 5 * time.Minute
	// Poll is how often to ask again while others are waited for.
	Poll = 10 * time.Second
	// share of an authority's life after which another takes its place, in percent.
	share = 80
)

// Stage tells how far a replacement has come.
type Stage string

// The stages. The zero Stage says that no authority was ever made.
const (
	Stable     Stage = "Stable"
	Publishing Stage = "Publishing"
	Replacing  Stage = "Replacing"
	Retiring   Stage = "Retiring"
)

// Certificate is what is known of an authority.
type Certificate struct {
	Fingerprint         string
	NotBefore, NotAfter time.Time
}

func (c Certificate) expired(now time.Time) bool { return !now.Before(c.NotAfter) }

// DueAt is when another authority takes this one's place by itself.
func (c Certificate) DueAt() time.Time {
	return c.NotBefore.Add(c.NotAfter.Sub(c.NotBefore) / 100 * share)
}

// State is what is persisted of an archive's authorities.
type State struct {
	Stage Stage
	// Rotation is the number asked for when the last replacement was begun.
	Rotation int32
	// Issuing is the fingerprint of the authority that issues; Next, while Publishing, of the one that will.
	Issuing, Next string
	// Bundle holds the authorities that servers and clients trust.
	Bundle []Certificate
	// Since is when the stage began; PublishedAt, while Publishing, when everybody had been given the bundle.
	Since, PublishedAt time.Time
}

// certificate gives one of the bundle; the zero Certificate, which has expired, when it is not there.
func (s *State) certificate(fingerprint string) Certificate {
	if i := slices.IndexFunc(s.Bundle, func(c Certificate) bool { return c.Fingerprint == fingerprint }); i >= 0 {
		return s.Bundle[i]
	}
	return Certificate{}
}

// IssuingUntil is the end of the issuing authority's validity; zero when it is not known.
func (s *State) IssuingUntil() time.Time { return s.certificate(s.Issuing).NotAfter }

// Due tells whether the issuing authority is to be replaced without being asked.
func (s *State) Due(now time.Time) bool { return !now.Before(s.certificate(s.Issuing).DueAt()) }

// Fingerprints are those of the authorities that are trusted.
func (s *State) Fingerprints() []string {
	out := make([]string, len(s.Bundle))
	for i := range s.Bundle {
		out[i] = s.Bundle[i].Fingerprint
	}
	return out
}

// Slot is what one of the two Secrets for authorities holds.
type Slot struct {
	// Present tells that there is a Secret of that name, Foreign that it was not made for this archive.
	Present, Foreign bool
	// Holds is the authority that it holds with its key; zero when there is none that can be used.
	Holds Certificate
}

func (s Slot) holds(fingerprint string) bool {
	return s.Present && !s.Foreign && fingerprint != "" && s.Holds.Fingerprint == fingerprint
}

// Observed is what surrounds a State.
type Observed struct {
	// Settle is how long what was written may take to be in force where it is mounted.
	Settle time.Duration
	// Asked is the number of the rotation that is asked for.
	Asked int32
	// Main and Spare are the two Secrets.
	Main, Spare Slot
	// SecretsCarry tells that the Secret of the server certificate and those of all live credentials hold State.Bundle,
	// if they are there: what is made later holds it from the beginning.
	SecretsCarry bool
	// ServerGone tells that the Secret of the server certificate is not there.
	ServerGone bool
	// OwnKeysKnow tells that each holder of a key of its own has been issued a certificate since State.Since, and so
	// had occasion to read the bundle with it.
	OwnKeysKnow bool
	// ReplicasTrust tells that no live replica is known not to trust State.Next.
	ReplicasTrust bool
	// Served tells that the server certificate is of State.Issuing, has been for as long, and that no live replica is
	// known to serve another.
	Served bool
	// FormerInUse tells that a certificate is accepted that another authority than State.Issuing issued.
	FormerInUse bool
}
