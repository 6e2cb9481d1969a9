// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package testcard makes professionals' cards of a test authority, for tests and the demo.
// A certificate made by internal/pki does not serve as a card: the archive refuses it.
package testcard

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"time"

	"github.com/valtuus/valtuus/internal/pki"
)

// Authority issues test cards.
type Authority struct {
	certificate *x509.Certificate
	key         pki.Key
}

// Card is a professional's card: a key and its certificate chain, leaf first.
type Card struct {
	Key   pki.Key
	Chain []*x509.Certificate
}

// New makes an authority that is valid from an hour before now for the given time.
func New(now time.Time, lifetime time.Duration) (Authority, error) {
	key, err := pki.NewKey()
	if err != nil {
		return Authority{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          pki.NewSerial(),
		Subject:               pkix.Name{CommonName: "Valtuus test cards"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(lifetime),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	certificate, err := sign(template, template, key, key)
	if err != nil {
		return Authority{}, err
	}
	return Authority{certificate, key}, nil
}

// Issue makes a card. The identifier becomes the serialNumber in the card's subject, which an
// assertion's sub must then equal; with "" the card has none.
func (a Authority) Issue(identifier string, notBefore, notAfter time.Time) (Card, error) {
	key, err := pki.NewKey()
	if err != nil {
		return Card{}, err
	}
	leaf, err := sign(&x509.Certificate{
		SerialNumber:          pki.NewSerial(),
		Subject:               pkix.Name{CommonName: "test card", SerialNumber: identifier},
		NotBefore:             notBefore,
		NotAfter:              notAfter,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}, a.certificate, key, a.key)
	if err != nil {
		return Card{}, err
	}
	return Card{Key: key, Chain: []*x509.Certificate{leaf}}, nil
}

// Revoke returns the authority's list of revoked cards, in PEM.
func (a Authority) Revoke(at, nextUpdate time.Time, cards ...Card) ([]byte, error) {
	list := &x509.RevocationList{Number: pki.NewSerial(), ThisUpdate: at, NextUpdate: nextUpdate}
	for _, card := range cards {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: card.Chain[0].SerialNumber, RevocationTime: at,
		})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.certificate, a.key)
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), err
}

// Anchors returns a pool with the authority's certificate.
func (a Authority) Anchors() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// AnchorsPEM returns the authority's certificate.
func (a Authority) AnchorsPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

func sign(template, parent *x509.Certificate, key, signer pki.Key) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
