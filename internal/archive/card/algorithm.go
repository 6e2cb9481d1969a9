// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package card

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.PS256, jose.RS256}

// Accepted tells whether any card may sign with the algorithm.
func Accepted(algorithm jose.SignatureAlgorithm) bool { return slices.Contains(algorithms, algorithm) }

// Fits tells whether an algorithm belongs to the key of the certificate.
func Fits(algorithm jose.SignatureAlgorithm, leaf *x509.Certificate) bool {
	switch key := leaf.PublicKey.(type) {
	case *ecdsa.PublicKey:
		return algorithm == jose.ES256 && key.Curve == elliptic.P256() ||
			algorithm == jose.ES384 && key.Curve == elliptic.P384()
	case *rsa.PublicKey:
		return algorithm == jose.PS256 || algorithm == jose.RS256
	}
	return false
}

// AlgorithmOf picks the algorithm that a key signs with; false if none is accepted, or the key is not that of
// the certificate. It picks RS256 for RSA because cards often know no PSS.
func AlgorithmOf(key crypto.Signer, leaf *x509.Certificate) (jose.SignatureAlgorithm, bool) {
	switch public := key.Public().(type) {
	case *ecdsa.PublicKey:
		switch {
		case !public.Equal(leaf.PublicKey):
		case public.Curve == elliptic.P256():
			return jose.ES256, true
		case public.Curve == elliptic.P384():
			return jose.ES384, true
		}
	case *rsa.PublicKey:
		return jose.RS256, public.Equal(leaf.PublicKey)
	}
	return "", false
}
