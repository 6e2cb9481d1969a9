// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cursor makes the opaque continuation tokens of searches: a position in the result order,
// bound by an HMAC to the caller and the query it was made for.
package cursor

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

const (
	version = 1
	// sealed is the version of cursors whose place has a form of its own.
	sealed  = 2
	tagSize = 16
	rawSize = 1 + 8 + 16 + tagSize
)

// Position is a place in the order (stored time descending, id descending).
type Position struct {
	// StoredMicros is in microseconds since 1970 UTC.
	StoredMicros int64
	ID           uuid.UUID
}

// Codec makes and checks cursors. All archives that share a caller's pages need the same key.
type Codec struct {
	key []byte
}

// NewCodec makes a codec from a key of at least 16 bytes.
func NewCodec(key []byte) (*Codec, error) {
	if len(key) < 16 {
		return nil, errors.New("cursor key is shorter than 16 bytes")
	}
	return &Codec{key: append([]byte(nil), key...)}, nil
}

// String hides the key.
func (*Codec) String() string { return "[cursor codec]" }

// GoString hides the key from %#v as well.
func (c *Codec) GoString() string { return c.String() }

// Encode gives the cursor for a position under a binding (store.SearchQuery.Binding).
func (c *Codec) Encode(binding [sha256.Size]byte, p Position) string {
	raw := make([]byte, 0, rawSize)
	raw = append(raw, version)
	raw = binary.BigEndian.AppendUint64(raw, uint64(p.StoredMicros))
	raw = append(raw, p.ID[:]...)
	raw = append(raw, c.tag(binding, raw)...)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// Decode gives the position in a cursor made by Encode under the same key and binding; otherwise
// store.ErrCursor.
func (c *Codec) Decode(binding [sha256.Size]byte, token string) (Position, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != rawSize || raw[0] != version {
		return Position{}, store.ErrCursor
	}
	body := raw[:rawSize-tagSize]
	if !hmac.Equal(raw[rawSize-tagSize:], c.tag(binding, body)) {
		return Position{}, store.ErrCursor
	}
	return Position{
		StoredMicros: int64(binary.BigEndian.Uint64(body[1:9])),
		ID:           uuid.UUID(body[9:25]),
	}, nil
}

// Seal gives the cursor for a place of any form under a binding.
func (c *Codec) Seal(binding [sha256.Size]byte, place []byte) string {
	raw := append([]byte{sealed}, place...)
	return base64.RawURLEncoding.EncodeToString(append(raw, c.tag(binding, raw)...))
}

// Open gives the place in a cursor made by Seal under the same key and binding; otherwise store.ErrCursor.
func (c *Codec) Open(binding [sha256.Size]byte, token string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < 1+tagSize || raw[0] != sealed {
		return nil, store.ErrCursor
	}
	body := raw[:len(raw)-tagSize]
	if !hmac.Equal(raw[len(body):], c.tag(binding, body)) {
		return nil, store.ErrCursor
	}
	return body[1:], nil
}

func (c *Codec) tag(binding [sha256.Size]byte, body []byte) []byte {
	mac := hmac.New(sha256.New, c.key)
	mac.Write(binding[:])
	mac.Write(body)
	return mac.Sum(nil)[:tagSize]
}
