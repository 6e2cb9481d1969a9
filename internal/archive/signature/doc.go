// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package signature verifies and makes a professional's electronic signature over the bytes of a document:
// JAdES baseline B-B (ETSI TS 119 182-1 V1.2.1), a compact JWS (RFC 7515) whose payload is detached.
//
//	header  alg       ES256 | ES384 | PS256 | RS256, as fits the card's key
//	        x5c       the card's certificate first, then intermediate ones, at most 4
//	        x5t#S256  thumbprint of the card's certificate
//	        iat       when it was signed, by the signer's word, whole seconds
//	        sigD      mId   http://uri.etsi.org/19182/ObjectIdByURIHash
//	                  pars  [one URI reference, which nobody follows]
//	                  hashM S256
//	                  hashV [SHA-256 of the document's bytes in base64url, in base64url]
//	                  ctys  [the document's media type]
//	        crit      ["sigD"]
//	        typ, kid  may be there: typ is "jose", kid is not read
//	payload empty
//
// B-B takes a detached payload in two ways: by sigD, or bare, with the bytes as the payload (RFC 7797). This
// is the one with sigD. It signs the media type together with the bytes, a card's software gets some kilobytes
// to sign whatever the document's size, and because sigD is critical, software that does not know it
// refuses the signature rather than find an empty payload well signed. It is verified here and not by go-jose
// for that reason: go-jose refuses each critical parameter but b64. The digest is over the base64url text of
// the bytes, as clause 5.2.8.3.3 asks where b64 is absent.
//
// Nothing else of the JOSE family is accepted: no "none", no shared secrets, no key or address of a key from
// the header (jwk, jku, x5u), no other critical parameter, no second signature.
//
// Neither errors nor their details hold anything of the signature or the document.
package signature
