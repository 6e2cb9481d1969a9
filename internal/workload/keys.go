// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/logproof"
)

// Keys of the Secret of an archive's keys.
const (
	ClientKey   = "client.key"
	IdentityKey = "identity.key"
	LogKey      = "log.key"
)

// identityKeySize is archive.IdentityKeySize.
const identityKeySize = 32

// NewKeys makes the keys of an archive.
func NewKeys() (map[string][]byte, error) {
	client, err := clientkey.NewFile()
	if err != nil {
		return nil, err
	}
	identity := make([]byte, identityKeySize)
	if _, err := rand.Read(identity); err != nil {
		return nil, err
	}
	log, err := logproof.NewKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{ClientKey: client, IdentityKey: identity, LogKey: []byte(log)}, nil
}

// CheckKeys tells what is wrong with the keys of an archive, without telling any of them.
func CheckKeys(keys map[string][]byte) error {
	var wrong []error
	if _, err := clientkey.Parse(keys[ClientKey]); err != nil {
		wrong = append(wrong, fmt.Errorf("%s must have a key of 32 bytes in base64 on each line", ClientKey))
	}
	if len(keys[IdentityKey]) != identityKeySize {
		wrong = append(wrong, fmt.Errorf("%s must have %d bytes", IdentityKey, identityKeySize))
	}
	if _, err := logproof.ParseKey(string(keys[LogKey]), uuid.Nil); err != nil {
		wrong = append(wrong, fmt.Errorf("%s must be as 'valtuus log key --new' or '--rotate' writes it", LogKey))
	}
	return errors.Join(wrong...)
}

// Checksum sums up what a pod reads only when it starts: the keys and the database's URI. It is keyed by the identity
// key, because a password can be guessed from a plain sum of its URI.
func Checksum(keys map[string][]byte, uri []byte) string {
	sum := hmac.New(sha256.New, keys[IdentityKey])
	for _, part := range [][]byte{[]byte("valtuus workload v1"), keys[ClientKey], keys[LogKey], uri} {
		_ = binary.Write(sum, binary.BigEndian, uint64(len(part)))
		sum.Write(part)
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:18])
}
