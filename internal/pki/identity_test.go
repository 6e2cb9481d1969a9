// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pki_test

import (
	"crypto/x509"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/pki"
)

func TestIdentityForms(t *testing.T) {
	organizer := pki.Identity{TrustDomain: "archive.example", Registry: registryOID}
	for want, identity := range map[string]pki.Identity{
		"spiffe://archive.example/registry/" + registryOID + "/unit/" + unitOID: unit,
		"spiffe://archive.example/registry/" + registryOID + "/organizer":       organizer,
	} {
		if got := identity.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		back, err := pki.ParseIdentity(identity.URI())
		if err != nil || back != identity {
			t.Errorf("%s does not come back: %v", want, err)
		}
	}
	if unit.Organizer() || !organizer.Organizer() {
		t.Error("organizer is told wrongly")
	}
}

func TestParseIdentityRefuses(t *testing.T) {
	const good = "spiffe://archive.example/registry/1.2.246/unit/1.2.247"
	for name, text := range map[string]string{
		"other scheme":     strings.Replace(good, "spiffe", "https", 1),
		"no trust domain":  "spiffe:///registry/1.2.246/unit/1.2.247",
		"port":             "spiffe://archive.example:443/registry/1.2.246/unit/1.2.247",
		"user":             "spiffe://a@archive.example/registry/1.2.246/unit/1.2.247",
		"upper case":       "spiffe://Archive.example/registry/1.2.246/unit/1.2.247",
		"query":            good + "?a=b",
		"empty query":      good + "?",
		"fragment":         good + "#a",
		"trailing slash":   good + "/",
		"extra segment":    good + "/x",
		"double slash":     "spiffe://archive.example/registry//1.2.246/unit/1.2.247",
		"dot segment":      "spiffe://archive.example/registry/./unit/1.2.247",
		"escape":           "spiffe://archive.example/registry/1%2E2.246/unit/1.2.247",
		"no registry":      "spiffe://archive.example/unit/1.2.247",
		"registry no OID":  "spiffe://archive.example/registry/abc/unit/1.2.247",
		"unit no OID":      "spiffe://archive.example/registry/1.2.246/unit/01.2.247",
		"empty unit":       "spiffe://archive.example/registry/1.2.246/unit/",
		"neither":          "spiffe://archive.example/registry/1.2.246",
		"organizer's unit": "spiffe://archive.example/registry/1.2.246/organizer/1.2.247",
		"other word":       "spiffe://archive.example/registry/1.2.246/Unit/1.2.247",
		"opaque":           "spiffe:archive.example/registry/1.2.246/unit/1.2.247",
		"long domain":      "spiffe://" + strings.Repeat("a", 256) + "/registry/1.2.246/organizer",
	} {
		uri, err := url.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := pki.ParseIdentity(uri); !errors.Is(err, pki.ErrIdentity) || got != (pki.Identity{}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := pki.ParseIdentity(nil); !errors.Is(err, pki.ErrIdentity) {
		t.Errorf("nil: %v", err)
	}
}

func TestIdentityOf(t *testing.T) {
	one, two := unit.URI(), pki.Identity{TrustDomain: "archive.example", Registry: registryOID}.URI()
	if got, err := pki.IdentityOf(&x509.Certificate{URIs: []*url.URL{one}}); err != nil || got != unit {
		t.Errorf("%v, %v", got, err)
	}
	for name, cert := range map[string]*x509.Certificate{
		"nil":      nil,
		"no URI":   {DNSNames: []string{"archive.example"}},
		"two URIs": {URIs: []*url.URL{one, two}},
		"same URI": {URIs: []*url.URL{one, one}},
		"CA":       {URIs: []*url.URL{one}, IsCA: true},
	} {
		if _, err := pki.IdentityOf(cert); !errors.Is(err, pki.ErrIdentity) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseIdentity(f *testing.F) {
	f.Add(unit.String())
	f.Add("spiffe://archive.example/registry/1.2.246/organizer")
	f.Add("spiffe://a/registry/1.2.246/unit/1.2.247?x#y")
	f.Fuzz(func(t *testing.T, text string) {
		uri, err := url.Parse(text)
		if err != nil {
			return
		}
		identity, err := pki.ParseIdentity(uri)
		if err != nil {
			return
		}
		if identity.String() != uri.String() {
			t.Fatalf("%q is read as %q", uri, identity)
		}
		if err := identity.Validate(); err != nil {
			t.Fatal(err)
		}
	})
}
