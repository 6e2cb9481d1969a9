// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import "time"

// State is the state of an entry.
type State string

// The states of an entry.
const (
	// Issuing: intent is recorded, the credential is not accepted yet.
	Issuing State = "Issuing"
	// Active: the current credential, accepted within its validity.
	Active State = "Active"
	// Superseded: replaced by a rotation, accepted until AcceptUntil.
	Superseded State = "Superseded"
)

// MaxEntries bounds a ledger. When a rotation would exceed it, the oldest
// superseded entries go first.
const MaxEntries = 8

// Entry is one issued credential. Times are whole seconds in UTC, as they
// survive a status and an X.509 certificate.
type Entry struct {
	ID          string // the certificate's serial number, or see Step.Add
	State       State
	Fingerprint string // of the certificate

	NotBefore, NotAfter time.Time
	RenewAt             time.Time // chosen once, when the entry is made
	AcceptUntil         time.Time // only when Superseded

	SecretNamespace, SecretName string // where the key was delivered; empty for an own key
	PublicKeyHash               string // of the unit's own key; empty when delivered in a Secret
	Certificate                 string // in PEM, for an own key; the ledger only carries it
	Authority                   string // fingerprint of the issuing authority; empty in entries of a former version
}

// Observed is what a controller sees around a ledger. It must be read from the
// API server, not from a cache that may lag behind the ledger.
type Observed struct {
	// PublicKeyHash is of the unit's own key, when it has one. Then no Secret is
	// made and the Secret fields do not count.
	PublicKeyHash string

	// SecretFingerprint is of the certificate in the Secret; empty = no Secret, or
	// one of ours without a certificate that matches its key.
	SecretFingerprint string
	// SecretForeign tells that a Secret with our name exists that is not ours.
	SecretForeign bool

	// HeldFingerprint is of the certificate whose key this process holds in
	// memory, not delivered yet; empty = none.
	HeldFingerprint string
}

// Policy is how credentials are issued.
type Policy struct {
	Lifetime time.Duration // from now to NotAfter; must be positive
	Overlap  time.Duration // how long a rotated credential is still accepted
	Backdate time.Duration // how far NotBefore lies before now, against skewed clocks

	// Until is the end of the issuing authority's own validity, which bounds NotAfter; zero = none.
	Until time.Time
	// Authorities are the fingerprints of those that are trusted. An entry of another is issued anew at once: nobody
	// accepts it. Empty = not known, then no entry is.
	Authorities []string
}

// Issued is what an issuer returned, less the key.
type Issued struct {
	ID                          string // the certificate's serial number; empty = derived from the fingerprint
	Fingerprint                 string
	NotBefore, NotAfter         time.Time
	SecretNamespace, SecretName string // empty for an own key
	PublicKeyHash               string // empty when delivered in a Secret
	Certificate                 string // in PEM, for an own key; else empty
	Authority                   string // fingerprint of the issuing authority
}
