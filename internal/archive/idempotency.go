// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"regexp"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// headerIdempotencyKey names the header that makes a POST repeatable.
const headerIdempotencyKey = "Idempotency-Key"

var idempotencyKeyPattern = regexp.MustCompile(`^[!-~]{1,128}$`)

// idempotentID gives the document id that follows from the request's Idempotency-Key, if it has one.
func (x *exchange) idempotentID() (id uuid.UUID, keyed bool, stopped *outcome) {
	lines := x.request.Header[http.CanonicalHeaderKey(headerIdempotencyKey)]
	switch {
	case len(lines) == 0:
		return id, false, nil
	case len(lines) > 1 || !idempotencyKeyPattern.MatchString(lines[0]):
		return id, false, ended(invalidParameter(headerIdempotencyKey, "must be given once, with 1 to 128 visible ASCII characters"))
	case identitycode.LooksLike(lines[0]):
		return id, false, ended(failed(problem.Of(problem.IdentityCodeMisplaced)))
	}
	return x.server.documentID(x.identity.String(), x.registry, lines[0]), true, nil
}

// documentIDs derives what makes document ids of Idempotency-Keys. Under a key nobody can tell which id a
// key of another caller gives, and nothing has to be kept: the document's id is the memory.
func (k IdentityKey) documentIDs() (func(caller, registry, key string) uuid.UUID, error) {
	secret, err := k.derive("valtuus idempotency key v1")
	if err != nil {
		return nil, err
	}
	return func(caller, registry, key string) (id uuid.UUID) {
		text, err := json.Marshal([]string{caller, registry, key}) // an injective encoding
		if err != nil {
			panic("archive: strings always marshal: " + err.Error())
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write(text)
		copy(id[:], mac.Sum(nil))
		id[6] = id[6]&0x0f | 0x80 // version 8 (RFC 9562, 5.8)
		id[8] = id[8]&0x3f | 0x80
		return id
	}, nil
}
