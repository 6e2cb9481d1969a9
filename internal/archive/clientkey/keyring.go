// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package clientkey

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Size is the size of every key in bytes.
const Size = 32

// Errors of reading a key file. A line number goes with them; nothing of the line does.
var (
	// ErrNoKey: the file holds no key.
	ErrNoKey = errors.New("the client key file holds no key")
	// ErrMalformed: a line is not 32 bytes in base64.
	ErrMalformed = errors.New("a key of the client key file is not 32 bytes in base64")
	// ErrTwice: a key stands in the file twice.
	ErrTwice = errors.New("a key stands twice in the client key file")
)

// Keyring holds the key-encryption keys: the primary, which wraps, and former ones, which still unwrap. It is safe
// for concurrent use, and copies share what is cached.
type Keyring struct {
	// A pointer, because fmt does not follow one inside a struct whose methods it cannot call.
	state *ring
}

type ring struct {
	primary *wrapper
	byID    map[string]*wrapper
	cache   cache
}

// Parse reads a key file: one key of 32 bytes a line, in base64, the first of them the primary. Empty lines and lines
// that begin with # do not count.
func Parse(text []byte) (Keyring, error) {
	r := &ring{byID: map[string]*wrapper{}, cache: newCache(cacheSize)}
	number := 0
	for line := range strings.SplitSeq(string(text), "\n") {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		secret, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(secret) != Size {
			return Keyring{}, fmt.Errorf("line %d: %w", number, ErrMalformed)
		}
		one, err := newWrapper(secret)
		if err != nil {
			return Keyring{}, err
		}
		if r.byID[one.id] != nil {
			return Keyring{}, fmt.Errorf("line %d: %w", number, ErrTwice)
		}
		r.byID[one.id] = one
		if r.primary == nil {
			r.primary = one
		}
	}
	if r.primary == nil {
		return Keyring{}, ErrNoKey
	}
	return Keyring{r}, nil
}

// NewFile gives the content of a key file with one new key.
func NewFile() ([]byte, error) {
	secret := make([]byte, Size)
	if _, err := rand.Read(secret); err != nil {
		return nil, err
	}
	return []byte(base64.StdEncoding.EncodeToString(secret) + "\n"), nil
}

// IsZero tells whether there is no key.
func (k Keyring) IsZero() bool { return k.state == nil }

// Primary is the id of the key that wraps.
func (k Keyring) Primary() string { return k.state.primary.id }

// Knows tells whether the ring has the key with the id.
func (k Keyring) Knows(id string) bool { return k.state.byID[id] != nil }

// idOf tells one key from another without telling the key.
func idOf(secret []byte) string {
	sum := sha256.Sum256(append([]byte("valtuus client key id v1\x00"), secret...))
	return hex.EncodeToString(sum[:8])
}
