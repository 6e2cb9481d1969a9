// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/rand"
	"math/big"
)

const (
	serialBits = 128
	// maxSerialBits keeps a serial within 20 octets as a signed integer (RFC 5280, 4.1.2.2).
	maxSerialBits = 159
)

// NewSerial returns a random positive serial number of up to 128 bits.
func NewSerial() *big.Int {
	var b [serialBits / 8]byte
	for {
		_, _ = rand.Read(b[:]) // never fails: the runtime stops the program instead
		if n := new(big.Int).SetBytes(b[:]); n.Sign() > 0 {
			return n
		}
	}
}

func checkSerial(n *big.Int) error {
	if n == nil || n.Sign() <= 0 || n.BitLen() > maxSerialBits {
		return ErrSerial
	}
	return nil
}
