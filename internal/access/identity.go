// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

// UID is the UID of a Kubernetes object, in binary.
type UID [16]byte

// ClientID is the opaque random id of a client. The zero value means that no client is known.
type ClientID [16]byte

// IsZero tells whether no client is named.
func (c ClientID) IsZero() bool { return c == ClientID{} }

// Fingerprint is the SHA-256 digest of a certificate's DER form.
type Fingerprint [32]byte

// IsZero tells whether there is no certificate behind the fingerprint.
func (f Fingerprint) IsZero() bool { return f == Fingerprint{} }

// Ref names one object at one revision: what a decision rests on, for the use log.
type Ref struct {
	// UID is the object's UID; zero when the decision does not rest on such an object.
	UID UID
	// Revision is the object's resource version as the view knew it.
	Revision uint64
}

// IsZero tells whether the reference names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }
