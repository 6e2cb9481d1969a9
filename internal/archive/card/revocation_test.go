// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package card_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/pki"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// authority is a certificate with its key.
type authority struct {
	certificate *x509.Certificate
	key         pki.Key
}

func (a authority) issue(name string, isCA bool) authority {
	key := must(pki.NewKey())
	template := &x509.Certificate{
		SerialNumber: pki.NewSerial(), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(1000 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true, IsCA: isCA,
	}
	if isCA {
		template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	}
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	return authority{must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)))), key}
}

// list is the authority's revocation list of the certificates, as PEM.
func (a authority) list(change func(*x509.RevocationList), revoked ...authority) []byte {
	list := &x509.RevocationList{Number: pki.NewSerial(), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour)}
	for _, r := range revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: r.certificate.SerialNumber, RevocationTime: now.Add(-time.Minute),
		})
	}
	if change != nil {
		change(list)
	}
	der := must(x509.CreateRevocationList(rand.Reader, list, a.certificate, a.key))
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

func TestRevocations(t *testing.T) {
	root := authority{}.issue("root", true)
	middle, stranger := root.issue("middle", true), authority{}.issue("middle", true) // of the same name
	leaf, other := middle.issue("card", false), middle.issue("other", false)
	namesake := authority{must(x509.ParseCertificate(middle.certificate.Raw)), middle.key} // the same key by another name
	namesake.certificate.Subject.CommonName = "another"
	namesake.certificate.RawSubject = must(asn1.Marshal(namesake.certificate.Subject.ToRDNSequence()))
	way := []*x509.Certificate{leaf.certificate, middle.certificate, root.certificate}
	newer := func(l *x509.RevocationList) { l.ThisUpdate = now }
	long := func(l *x509.RevocationList) { l.NextUpdate = now.Add(1000 * time.Hour) }
	join := func(lists ...[]byte) []byte { return bytes.Join(lists, nil) }
	for name, c := range map[string]struct {
		lists []byte
		at    time.Time
		want  error
	}{
		"nothing revoked":                  {middle.list(nil), now, nil},
		"another revoked":                  {middle.list(nil, other), now, nil},
		"the card":                         {middle.list(nil, other, leaf), now, card.ErrRevoked},
		"before it was revoked":            {middle.list(nil, leaf), now.Add(-2 * time.Minute), nil},
		"its issuer":                       {root.list(nil, middle), now, card.ErrRevoked},
		"two lists":                        {join(middle.list(nil), root.list(nil, middle)), now, card.ErrRevoked},
		"the newer list counts":            {join(middle.list(nil, leaf), middle.list(newer)), now, nil},
		"in any order":                     {join(middle.list(newer, leaf), middle.list(nil)), now, card.ErrRevoked},
		"a list of another of that name":   {stranger.list(nil, leaf), now, nil},
		"by another name":                  {namesake.list(nil, leaf), now, nil},
		"no list of the issuer":            {root.list(nil), now, nil},
		"out of date, within the grace":    {middle.list(nil), now.Add(time.Hour + card.StatusGrace), nil},
		"past the grace":                   {middle.list(nil), now.Add(time.Hour + card.StatusGrace + time.Second), card.ErrStatusUnknown},
		"past the grace, revoked":          {middle.list(nil, leaf), now.Add(time.Hour + card.StatusGrace + time.Second), card.ErrRevoked},
		"an issuer's list is past it":      {join(middle.list(long), root.list(nil)), now.Add(time.Hour + card.StatusGrace + time.Second), card.ErrStatusUnknown},
		"a stranger's list is past it too": {join(middle.list(long), stranger.list(nil)), now.Add(time.Hour + card.StatusGrace + time.Second), nil},
	} {
		t.Run(name, func(t *testing.T) {
			lists := must(card.ParseRevocations(c.lists))
			for range 2 { // what was found out of the lists is remembered
				if err := lists.Check(way, c.at); !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
			}
		})
	}
	if err := (*card.Revocations)(nil).Check(way, now); err != nil {
		t.Errorf("without lists: %v", err)
	}
}

func TestBadRevocationLists(t *testing.T) {
	root := authority{}.issue("root", true)
	good := root.list(nil)
	block, _ := pem.Decode(good)
	if _, err := card.ParseRevocations(block.Bytes); err != nil {
		t.Errorf("in DER: %v", err)
	}
	delta := func(l *x509.RevocationList) {
		l.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}}
	}
	for name, c := range map[string]struct {
		text []byte
		want error
	}{
		"empty":         {nil, card.ErrNoList},
		"no list":       {[]byte("x"), card.ErrListForm},
		"cut":           {block.Bytes[:len(block.Bytes)-1], card.ErrListForm},
		"a certificate": {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.certificate.Raw}), card.ErrListForm},
		"delta":         {root.list(delta), card.ErrListPartial},
		"one good":      {append(bytes.Clone(good), root.list(delta)...), card.ErrListPartial},
	} {
		if lists, err := card.ParseRevocations(c.text); !errors.Is(err, c.want) || lists != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
