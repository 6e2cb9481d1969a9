// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package report makes and checks the report of a deployment test (käyttöönottokoe): what the two parties give to Kela
// together. It is one JSON document that tells in Finnish, Swedish and English who tested what with which systems, when, what
// was seen, and what proves it; signed as a compact JWS (RFC 7515):
//
//	header   alg  ES256
//	         typ  valtuus-deployment-test-report+jws
//	         x5c  the certificate of the key, which was made for this one report and is thrown away; the authority of
//	              the archive issued it for signing documents and for nothing else
//	payload  the JSON document, in the one form in which this package writes it
//
// Anybody checks it with the certificate of the archive's authority, and with the key of its access log if it is at hand.
// There is nothing of a person in it.
package report
