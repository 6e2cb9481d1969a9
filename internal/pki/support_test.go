// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pki_test

import (
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/pki"
)

const (
	registryOID = "1.2.246.10.12345678.19.1"
	unitOID     = "1.2.246.10.87654321.10.2"
)

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	unit  = pki.Identity{TrustDomain: "archive.example", Registry: registryOID, Unit: unitOID}
)

func newCA(t testing.TB) pki.CA {
	t.Helper()
	ca, err := pki.NewCA("test CA", start, 365*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func newKey(t testing.TB) pki.Key {
	t.Helper()
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func clientRequest(t testing.TB) pki.ClientRequest {
	t.Helper()
	return pki.ClientRequest{
		Identity:  unit,
		PublicKey: newKey(t).Public(),
		Serial:    pki.NewSerial(),
		NotBefore: start.Add(-5 * time.Minute),
		NotAfter:  start.Add(12 * time.Hour),
	}
}
