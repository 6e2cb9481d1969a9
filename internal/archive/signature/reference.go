// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/go-jose/go-jose/v4/json"
)

const (
	// mechanism is the way in which sigD tells what was signed.
	mechanism = "http://uri.etsi.org/19182/ObjectIdByURIHash"
	// hashMethod names SHA-256.
	hashMethod = "S256"

	maxURI = 256
)

// reference is sigD: what was signed, by its digest and its media type.
type reference struct {
	digest      [sha256.Size]byte
	contentType string
}

// wireReference is sigD as it is written.
type wireReference struct {
	Mechanism    string   `json:"mId"`
	URIs         []string `json:"pars"`
	HashMethod   string   `json:"hashM"`
	Hashes       []string `json:"hashV"`
	ContentTypes []string `json:"ctys"`
}

var referenceNames = map[string]bool{"mId": true, "pars": true, "hashM": true, "hashV": true, "ctys": true}

func parseReference(text json.RawMessage) (r reference, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return r, refuse(Malformed, "sigD is missing or no object with distinct names")
	}
	for name := range fields {
		if !referenceNames[name] {
			return r, refuse(Malformed, "sigD has a member that is not accepted")
		}
	}
	var w wireReference
	if err := json.Unmarshal(text, &w); err != nil {
		return r, refuse(Malformed, "sigD has a member of a wrong type")
	}
	switch {
	case w.Mechanism != mechanism:
		return r, refuse(Malformed, "mId is not that of ObjectIdByURIHash")
	case w.HashMethod != hashMethod:
		return r, refuse(Malformed, "hashM is not S256")
	case len(w.URIs) != 1 || len(w.Hashes) != 1 || len(w.ContentTypes) != 1:
		return r, refuse(Malformed, "pars, hashV and ctys must each have one element")
	case !plainURI(w.URIs[0]):
		return r, refuse(Malformed, "pars holds something that is no URI reference of 256 characters at most")
	}
	digest, err := decode(w.Hashes[0])
	if err != nil || copy(r.digest[:], digest) != len(r.digest) || len(digest) != len(r.digest) {
		return r, refuse(Malformed, "hashV holds something that is no SHA-256 digest in base64url")
	}
	r.contentType = w.ContentTypes[0]
	// RFC 7515, 4.1.10: "application/" may be left out.
	if !strings.Contains(r.contentType, "/") {
		r.contentType = "application/" + r.contentType
	}
	return r, nil
}

// plainURI tells whether a text can be a URI reference. What it refers to is not looked up: the digest says
// what was signed.
func plainURI(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return len(text) <= maxURI
}

// digestOf is the digest of a document as hashV has it.
func digestOf(body []byte) (digest [sha256.Size]byte) {
	sum := sha256.New()
	encoder := base64.NewEncoder(base64.RawURLEncoding, sum)
	_, _ = encoder.Write(body) // a hash takes everything
	_ = encoder.Close()
	sum.Sum(digest[:0])
	return digest
}
