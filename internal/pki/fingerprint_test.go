// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pki_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/pki"
)

func TestFingerprint(t *testing.T) {
	cert := newCA(t).Certificate()
	f := pki.FingerprintOf(cert)
	if f != sha256.Sum256(cert.Raw) || f.IsZero() || len(f.String()) != 43 {
		t.Fatalf("fingerprint %s", f)
	}
	if back, err := pki.ParseFingerprint(f.String()); err != nil || back != f {
		t.Errorf("does not come back: %v", err)
	}
	text, err := json.Marshal(map[pki.Fingerprint]pki.Fingerprint{f: f})
	if err != nil || !strings.Contains(string(text), f.String()) {
		t.Errorf("%s, %v", text, err)
	}
	var back map[pki.Fingerprint]pki.Fingerprint
	if err := json.Unmarshal(text, &back); err != nil || back[f] != f {
		t.Errorf("JSON does not come back: %v", err)
	}
	if !pki.FingerprintOf(nil).IsZero() {
		t.Error("nil has a fingerprint")
	}
}

func TestParseFingerprintRefuses(t *testing.T) {
	good := pki.FingerprintOf(newCA(t).Certificate()).String()
	for _, s := range []string{
		"", good[:42], good + "A", good + "=", good[:42] + "+", good[:42] + "=", good[:41] + "\n\n", good[:42] + "\n", strings.Repeat("A", 39) + "\n\n\n\n",
		good[:42] + "B", // the last character has four bits to itself; "B" sets unused ones
	} {
		if f, err := pki.ParseFingerprint(s); !errors.Is(err, pki.ErrFingerprint) || !f.IsZero() {
			t.Errorf("%q: %v", s, err)
		}
	}
}
