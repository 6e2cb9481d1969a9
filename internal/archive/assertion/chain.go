// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"crypto/x509"

	"github.com/valtuus/valtuus/internal/archive/card"
)

// verifyChain reads x5c and returns the card's certificate, if it leads to an anchor and is not revoked.
func verifyChain(encoded []string, opts Options) (*x509.Certificate, error) {
	chain, err := card.Parse(encoded)
	if err != nil {
		return nil, refuse(ChainRefused, err.Error())
	}
	leaf := chain[0]
	if err := card.CheckHolder(leaf); err != nil {
		return nil, refuse(ChainRefused, err.Error())
	}
	if leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return nil, refuse(ChainRefused, "certificate is not for digital signatures")
	}
	way, err := card.Trace(chain, opts.Anchors, opts.Now, x509.ExtKeyUsageClientAuth)
	if err != nil {
		return nil, refuse(ChainRefused, err.Error())
	}
	if err := opts.Revocations.Check(way, opts.Now); err != nil {
		return nil, refuse(ChainRefused, err.Error())
	}
	return leaf, nil
}
