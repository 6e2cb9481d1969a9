// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// reprDigest is the Repr-Digest header of RFC 9530.
func reprDigest(sum [sha256.Size]byte) string {
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// digestOf is the digest of the bytes, in the form of the headers.
func digestOf(body []byte) string { return reprDigest(sha256.Sum256(body)) }

// digestsHold tells whether the SHA-256 digests that the request announces are those of the body. A
// request without any announces nothing; other algorithms are not checked.
func digestsHold(header http.Header, body []byte) bool {
	sum := sha256.Sum256(body)
	for _, name := range []string{"Content-Digest", "Repr-Digest"} {
		for _, line := range header.Values(name) {
			for member := range strings.SplitSeq(line, ",") {
				algorithm, value, _ := strings.Cut(strings.TrimSpace(member), "=")
				if strings.EqualFold(algorithm, "sha-256") && algorithm+"="+value != strings.Replace(reprDigest(sum), "sha-256", algorithm, 1) {
					return false
				}
			}
		}
	}
	return true
}
