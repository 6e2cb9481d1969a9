// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"encoding/base64"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"

	"github.com/valtuus/valtuus/internal/archive/card"
)

const (
	// TokenType is the typ header, so that no other token signed with a card passes for an
	// assertion (RFC 8725, 3.11).
	TokenType = "valtuus-professional+jwt"
	// MaxTokenSize is the longest accepted token, in bytes.
	MaxTokenSize = 16 << 10
	// MaxChain is the largest number of certificates in x5c.
	MaxChain = card.MaxChain
)

// headerNames are the accepted header parameters. The last four are hints that common
// libraries add; they are not read. All others are refused, with them every one that would
// bring a key or change how the token is read: jwk, jku, x5u, crit, b64, zip.
var headerNames = map[string]bool{
	"alg": true, "typ": true, "x5c": true,
	"kid": true, "cty": true, "x5t": true, "x5t#S256": true,
}

type header struct {
	algorithm jose.SignatureAlgorithm
	chain     []string
}

// parseHeader reads the header before any cryptography happens. The JSON decoder is go-jose's:
// unlike the standard one it refuses doubled names and minds the case of letters.
func parseHeader(token string) (header, error) {
	encoded, ok := headerPart(token)
	if !ok {
		return header{}, refuse(Malformed, "not a compact JWS")
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return header{}, refuse(Malformed, "header is not base64url")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return header{}, refuse(Malformed, "header is not a JSON object with distinct names")
	}
	for name := range fields {
		if !headerNames[name] {
			return header{}, refuse(Malformed, "header has a parameter that is not accepted")
		}
	}
	var h header
	if err := json.Unmarshal(fields["alg"], &h.algorithm); err != nil || !card.Accepted(h.algorithm) {
		return header{}, refuse(AlgorithmRefused, "alg is not one of ES256, ES384, PS256, RS256")
	}
	var kind string
	if err := json.Unmarshal(fields["typ"], &kind); err != nil || kind != TokenType {
		return header{}, refuse(Malformed, "typ is not "+TokenType)
	}
	if fields["x5c"] == nil {
		return header{}, refuse(ChainRefused, "x5c is missing")
	}
	if err := json.Unmarshal(fields["x5c"], &h.chain); err != nil {
		return header{}, refuse(Malformed, "x5c is not an array of strings")
	}
	return h, nil
}

// headerPart returns the first of three parts. It refuses every character that is not
// base64url, because decoders skip line breaks.
func headerPart(token string) (string, bool) {
	first, dots := 0, 0
	for i := range len(token) {
		c := token[i]
		switch {
		case c == '.':
			if dots == 0 {
				first = i
			}
			dots++
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return "", false
		}
	}
	return token[:first], dots == 2 && !strings.HasSuffix(token, ".")
}
