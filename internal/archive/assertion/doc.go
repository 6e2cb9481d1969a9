// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package assertion verifies and makes the professional assertion: who acts. A client
// certificate says which producer unit or organizer sends a request; the assertion, sent with
// each request for data, says which professional is behind it.
//
// It is a compact JWS (RFC 7515) signed with the professional's card:
//
//	header  alg ES256 | ES384 | PS256 | RS256, typ "valtuus-professional+jwt",
//	        x5c: the card's certificate first, then intermediate ones, at most 4
//	claims  sub   the professional's identifier, such as a registration number, 1..128 characters,
//	              never a personal identity code; equal to the serialNumber in the card's subject
//	              where the card has one
//	        role  1..64 characters
//	        aud   holds the registry's URN or URL; a string or an array of strings
//	        iat, exp  whole seconds; exp - iat at most 5 minutes
//	        jti   16..128 visible ASCII characters, used once
//	        cnf   {"x5t#S256": thumbprint of the TLS client certificate} (RFC 8705)
//
// Nothing else of the JOSE family is accepted: no "none",
// no shared secrets, no key or address of a key from the header (jwk, jku, x5u), no "crit".
//
// Neither errors nor their details hold anything of the token.
package assertion
