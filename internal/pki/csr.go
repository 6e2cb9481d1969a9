// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto"
	"crypto/x509"
	"errors"
)

var (
	// ErrCSRSize means a certificate signing request longer than [MaxCSRSize].
	ErrCSRSize = errors.New("certificate signing request is too long")
	// ErrCSRFormat means that a text is not exactly one certificate signing request in PEM.
	ErrCSRFormat = errors.New("not one certificate signing request in PEM")
	// ErrCSRSignature means that a request is not signed with the key it asks for.
	ErrCSRSignature = errors.New("certificate signing request is not signed with its own key")
)

// MaxCSRSize is the longest accepted request, in bytes of PEM. A P-256 request has about 500.
const MaxCSRSize = 8 << 10

const blockRequest = "CERTIFICATE REQUEST"

// ParseCSR returns the public key of a certificate signing request whose sender has proved to
// hold the private key. The subject, the names and the extensions of the request are ignored
// on purpose: the archive decides what a certificate says, the unit only which key it is for.
// Errors are [ErrCSRSize], [ErrCSRFormat], [ErrCSRSignature] and [ErrKeyType], and hold nothing
// of the input, which may be a private key pasted by mistake.
func ParseCSR(text []byte) (crypto.PublicKey, error) {
	if len(text) > MaxCSRSize {
		return nil, ErrCSRSize
	}
	der, ok := singleBlock(text, blockRequest)
	if !ok {
		return nil, ErrCSRFormat
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, ErrCSRFormat
	}
	// The key type goes first: checking an RSA signature of any size is work for nothing.
	public, err := checkPublicKey(request.PublicKey)
	if err != nil {
		return nil, err
	}
	if err := request.CheckSignature(); err != nil {
		return nil, ErrCSRSignature
	}
	return public, nil
}
