// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"crypto/x509"

	"github.com/valtuus/valtuus/internal/archive/card"
)

// verifyChain gives the way from the card to an anchor.
func verifyChain(encoded []string, opts Options) (card.Way, error) {
	ways := opts.Ways
	if ways == nil {
		ways = NewWays()
	}
	way, err := ways.Trace(encoded, opts.Anchors, opts.Now)
	if err != nil {
		return card.Way{}, refuse(ChainRefused, err.Error())
	}
	if way.Leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return card.Way{}, refuse(ChainRefused, "certificate is not for digital signatures")
	}
	if err := opts.Revocations.Check(way.Certificates, opts.Now); err != nil {
		return card.Way{}, refuse(ChainRefused, err.Error())
	}
	return way, nil
}

// NewWays makes what remembers the chains of cards that were used to log in.
func NewWays() *card.Ways { return &card.Ways{Use: x509.ExtKeyUsageClientAuth} }
