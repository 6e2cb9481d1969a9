// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"

	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/pki"
)

const (
	// MaxSize is the longest accepted signature, in bytes.
	MaxSize = 16 << 10

	// maxSeconds is the end of the year 9999.
	maxSeconds = 253402300799

	joseType   = "jose"
	critical   = "sigD"
	thumbprint = "x5t#S256"
)

// headerNames are the accepted header parameters; kid is a hint that common software adds. All others are
// refused, with them every one that would bring a key or change how the signature is read.
var headerNames = map[string]bool{
	"alg": true, "x5c": true, thumbprint: true, "iat": true, critical: true, "crit": true,
	"typ": true, "kid": true,
}

// header is what a signature says, none of it judged yet.
type header struct {
	algorithm  jose.SignatureAlgorithm
	x5c        []string
	thumbprint pki.Fingerprint
	signedAt   time.Time
	reference  reference
}

// parsed is a signature in its parts.
type parsed struct {
	header
	// input is what the card signed.
	input string
	// value is the signature itself.
	value []byte
}

// parse reads a signature before any cryptography happens.
func parse(jws string) (parsed, error) {
	if len(jws) > MaxSize {
		return parsed{}, refuse(Malformed, "longer than 16 KiB")
	}
	first, rest, _ := strings.Cut(jws, ".")
	payload, last, ok := strings.Cut(rest, ".")
	switch {
	case !ok || first == "" || last == "":
		return parsed{}, refuse(Malformed, "not a compact JWS")
	case payload != "":
		return parsed{}, refuse(Malformed, "payload is not detached")
	}
	text, err := decode(first)
	if err != nil {
		return parsed{}, refuse(Malformed, "header is not base64url")
	}
	value, err := decode(last)
	if err != nil {
		return parsed{}, refuse(Malformed, "signature is not base64url")
	}
	h, err := parseHeader(text)
	if err != nil {
		return parsed{}, err
	}
	return parsed{header: h, input: first + ".", value: value}, nil
}

// decode refuses every character that is not base64url, because decoders skip line breaks.
func decode(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, base64.CorruptInputError(0)
	}
	return base64.RawURLEncoding.Strict().DecodeString(text)
}

// parseHeader reads the header. The JSON decoder is go-jose's: unlike the standard one it refuses doubled
// names and minds the case of letters.
func parseHeader(text []byte) (h header, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return h, refuse(Malformed, "header is not a JSON object with distinct names")
	}
	for name := range fields {
		if !headerNames[name] {
			return h, refuse(Malformed, "header has a parameter that is not accepted")
		}
	}
	if err := json.Unmarshal(fields["alg"], &h.algorithm); err != nil || !card.Accepted(h.algorithm) {
		return h, refuse(AlgorithmRefused, "alg is not one of ES256, ES384, PS256, RS256")
	}
	var crit []string
	if err := json.Unmarshal(fields["crit"], &crit); err != nil || len(crit) != 1 || crit[0] != critical {
		return h, refuse(Malformed, "crit is not exactly sigD")
	}
	var kind string
	if typ := fields["typ"]; typ != nil && (json.Unmarshal(typ, &kind) != nil || kind != joseType) {
		return h, refuse(Malformed, "typ is not jose")
	}
	var seconds *int64
	if err := json.Unmarshal(fields["iat"], &seconds); err != nil || seconds == nil || *seconds < 0 || *seconds > maxSeconds {
		return h, refuse(Malformed, "iat is missing or not whole seconds")
	}
	h.signedAt = time.Unix(*seconds, 0).UTC()
	var certificate string
	if err := json.Unmarshal(fields[thumbprint], &certificate); err != nil {
		return h, refuse(Malformed, "x5t#S256 is missing")
	}
	if h.thumbprint, err = pki.ParseFingerprint(certificate); err != nil {
		return h, refuse(Malformed, "x5t#S256 is not a SHA-256 thumbprint in base64url")
	}
	if err := json.Unmarshal(fields["x5c"], &h.x5c); err != nil {
		return h, refuse(Malformed, "x5c is missing or not an array of strings")
	}
	h.reference, err = parseReference(fields[critical])
	return h, err
}
