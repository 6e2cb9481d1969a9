// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package card

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"
	"time"

	"github.com/valtuus/valtuus/internal/pki"
)

// maxWays is how many ways are remembered, some kilobytes each.
const maxWays = 4096

// Way is a chain that leads to an anchor.
type Way struct {
	// Leaf is the card's certificate, Thumbprint its fingerprint.
	Leaf       *x509.Certificate
	Thumbprint pki.Fingerprint
	// Certificates are the way, the card's first and the anchor last, for Revocations.Check.
	Certificates []*x509.Certificate

	from, until time.Time // the way holds at any time in between, both included
}

func (w *Way) holds(at time.Time) bool { return !at.Before(w.from) && !at.After(w.until) }

// Ways traces chains, and remembers those that led to an anchor, so that of a card that is used often only the
// signature itself is left to check. Whether a card has been revoked is not remembered: it may be at any time.
// Safe for concurrent use; the zero value is ready.
type Ways struct {
	// Use is what the card has to be for, where it or its issuers limit that; by default anything.
	Use x509.ExtKeyUsage

	mu      sync.Mutex
	anchors *x509.CertPool
	byChain map[[sha256.Size]byte]Way
}

// Trace gives the way from the certificates of x5c to an anchor as of a time. Errors are those of Parse,
// CheckHolder and Trace.
func (w *Ways) Trace(x5c []string, anchors *x509.CertPool, at time.Time) (Way, error) {
	key := chainKey(x5c)
	// One that was remembered may have other ways, so it is traced again where the remembered one does not hold.
	if found, ok := w.remembered(key, anchors); ok && found.holds(at) {
		return found, nil
	}
	found, err := w.lead(x5c, anchors, at)
	if err == nil {
		w.remember(key, anchors, found)
	}
	return found, err
}

// lead checks a chain as of a time, and finds between which times the same way holds.
func (w *Ways) lead(x5c []string, anchors *x509.CertPool, at time.Time) (Way, error) {
	chain, err := Parse(x5c)
	if err != nil {
		return Way{}, err
	}
	leaf := chain[0]
	if err := CheckHolder(leaf); err != nil {
		return Way{}, err
	}
	certificates, err := Trace(chain, anchors, at, w.Use)
	if err != nil {
		return Way{}, err
	}
	found := Way{
		Leaf: leaf, Thumbprint: pki.FingerprintOf(leaf), Certificates: certificates, from: leaf.NotBefore, until: leaf.NotAfter,
	}
	for _, cert := range certificates {
		if cert.NotBefore.After(found.from) {
			found.from = cert.NotBefore
		}
		if cert.NotAfter.Before(found.until) {
			found.until = cert.NotAfter
		}
	}
	return found, nil
}

// chainKey tells chains apart by all their certificates: the same card with other issuers is another chain.
func chainKey(x5c []string) (key [sha256.Size]byte) {
	sum := sha256.New()
	for _, text := range x5c {
		sum.Write([]byte(text))
		sum.Write([]byte{0}) // in no text that could be remembered
	}
	sum.Sum(key[:0])
	return key
}

func (w *Ways) remembered(key [sha256.Size]byte, anchors *x509.CertPool) (Way, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.anchors != anchors {
		return Way{}, false
	}
	found, ok := w.byChain[key]
	return found, ok
}

// remember keeps a way as long as the anchors stay. Where there is no room it makes some by forgetting any
// other: that one is only to be traced again.
func (w *Ways) remember(key [sha256.Size]byte, anchors *x509.CertPool, found Way) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.anchors != anchors {
		w.anchors, w.byChain = anchors, nil
	}
	if w.byChain == nil {
		w.byChain = map[[sha256.Size]byte]Way{}
	}
	for other := range w.byChain {
		if len(w.byChain) < maxWays {
			break
		}
		delete(w.byChain, other)
	}
	w.byChain[key] = found
}
