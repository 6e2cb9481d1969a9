// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/valtuus/valtuus/internal/pki"
)

// RSA key sizes in bits. Below, the key is weak; above, checking is work for an attacker to order.
const (
	minRSABits = 2048
	maxRSABits = 4096
)

// verifyChain reads x5c and returns the card's certificate, if it leads to an anchor.
// Whether a card has been revoked is not looked up here.
func verifyChain(encoded []string, anchors *x509.CertPool, now time.Time) (*x509.Certificate, error) {
	if len(encoded) == 0 || len(encoded) > MaxChain {
		return nil, refuse(ChainRefused, "x5c must hold one to four certificates")
	}
	chain := make([]*x509.Certificate, 0, len(encoded))
	for _, text := range encoded {
		der, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil {
			return nil, refuse(ChainRefused, "x5c holds text that is not base64")
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, refuse(ChainRefused, "x5c holds something that is no certificate")
		}
		if key, ok := cert.PublicKey.(*rsa.PublicKey); ok && (key.N.BitLen() < minRSABits || key.N.BitLen() > maxRSABits) {
			return nil, refuse(ChainRefused, "x5c holds an RSA key below 2048 or above 4096 bits")
		}
		chain = append(chain, cert)
	}
	leaf := chain[0]
	if err := checkLeaf(leaf); err != nil {
		return nil, err
	}
	intermediates := x509.NewCertPool()
	for _, cert := range chain[1:] {
		intermediates.AddCert(cert)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots:         anchors,
		Intermediates: intermediates,
		CurrentTime:   now,
		// Where the card or its issuers limit the extended use, client authentication must be in it.
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil, refuse(ChainRefused, "certificate is not valid now or does not lead to a trust anchor")
	}
	return leaf, nil
}

func checkLeaf(leaf *x509.Certificate) error {
	if leaf.IsCA {
		return refuse(ChainRefused, "certificate is that of an authority")
	}
	if leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return refuse(ChainRefused, "certificate is not for digital signatures")
	}
	// Holds even where someone configures one authority for both: the key of a unit's machine
	// must never speak for a person.
	if _, err := pki.IdentityOf(leaf); err == nil {
		return refuse(ChainRefused, "certificate is a client certificate of an archive, not a card")
	}
	return nil
}

// checkAlgorithm refuses an algorithm that does not belong to the key.
func checkAlgorithm(algorithm jose.SignatureAlgorithm, leaf *x509.Certificate) error {
	fits := false
	switch key := leaf.PublicKey.(type) {
	case *ecdsa.PublicKey:
		fits = algorithm == jose.ES256 && key.Curve == elliptic.P256() ||
			algorithm == jose.ES384 && key.Curve == elliptic.P384()
	case *rsa.PublicKey:
		fits = algorithm == jose.PS256 || algorithm == jose.RS256
	}
	if !fits {
		return refuse(AlgorithmRefused, "alg does not fit the key of the certificate")
	}
	return nil
}
