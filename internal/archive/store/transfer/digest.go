// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
)

// Digest sums up the rows of a table: the sum of their SHA-256 values modulo 2^256. It does not depend on
// their order, which two engines may see differently. It finds what was lost or damaged on the way; it is no
// defense against someone who can write to both sides.
type Digest [sha256.Size]byte

// String is the digest in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText is the digest in hexadecimal.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads hexadecimal.
func (d *Digest) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || copy(d[:], raw) != len(d) || len(raw) != len(d) {
		return fmt.Errorf("not a digest of %d hexadecimal bytes", len(d))
	}
	return nil
}

// add takes a row in.
func (d *Digest) add(row []any) error {
	hash := sha256.New()
	var head [9]byte
	for _, value := range row {
		var bytes []byte
		switch v := value.(type) {
		case nil:
			head[0] = 0
			binary.BigEndian.PutUint64(head[1:], 0)
		case int64:
			head[0] = 1
			binary.BigEndian.PutUint64(head[1:], uint64(v))
		case string: // one engine's text is the other's bytes
			head[0], bytes = 2, []byte(v)
			binary.BigEndian.PutUint64(head[1:], uint64(len(v)))
		case []byte:
			head[0], bytes = 2, v
			binary.BigEndian.PutUint64(head[1:], uint64(len(v)))
		default:
			return fmt.Errorf("a column holds a %T, which no table of the store has", value)
		}
		hash.Write(head[:])
		hash.Write(bytes)
	}
	var sum [sha256.Size]byte
	hash.Sum(sum[:0])
	var carry uint64
	for i := len(d) - 8; i >= 0; i -= 8 {
		var part uint64
		part, carry = bits.Add64(binary.BigEndian.Uint64(d[i:]), binary.BigEndian.Uint64(sum[i:]), carry)
		binary.BigEndian.PutUint64(d[i:], part)
	}
	return nil
}
