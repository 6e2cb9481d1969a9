// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logproof

import (
	"encoding/binary"
	"errors"
)

// Bundle gives the entries of a tile of Entries in the form that they are served in: each with its length before it.
func Bundle(tile []byte) []byte {
	bundle := make([]byte, 0, len(tile)+len(tile)/HashSize*2)
	for ; len(tile) >= HashSize; tile = tile[HashSize:] {
		bundle = binary.BigEndian.AppendUint16(bundle, HashSize)
		bundle = append(bundle, tile[:HashSize]...)
	}
	return bundle
}

var errBundle = errors.New("not a bundle of commitments")

// Unbundle is the inverse of Bundle.
func Unbundle(bundle []byte) ([]byte, error) {
	if len(bundle)%(HashSize+2) != 0 || len(bundle) > Width*(HashSize+2) {
		return nil, errBundle
	}
	tile := make([]byte, 0, len(bundle))
	for ; len(bundle) > 0; bundle = bundle[HashSize+2:] {
		if binary.BigEndian.Uint16(bundle) != HashSize {
			return nil, errBundle
		}
		tile = append(tile, bundle[2:HashSize+2]...)
	}
	return tile, nil
}
