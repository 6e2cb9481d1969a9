// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/archive/assertion/testjws"
	"github.com/valtuus/valtuus/internal/pki"
)

const (
	registryURN  = "urn:oid:1.2.246.10.12345678.19.1"
	registration = "00012345678"
	tokenID      = "0123456789abcdef"
)

var (
	now    = testjws.Now
	client = pki.Fingerprint{1, 2, 3}
)

type fields = testjws.Fields

var (
	rsaKey      = testjws.RSAKey
	ecdsaSigner = testjws.ECDSASigner
	certificate = testjws.Certificate
)

func must[T any](v T, err error) T { return testjws.Must(v, err) }

// fixture is an authority with a card and the options of a request at the time now.
type fixture struct {
	authority testcard.Authority
	card      testcard.Card
	opts      assertion.Options
}

func newFixture() fixture {
	authority := must(testcard.New(now, 365*24*time.Hour))
	return fixture{
		authority: authority,
		card:      must(authority.Issue(registration, now.Add(-time.Hour), now.Add(time.Hour))),
		opts: assertion.Options{
			Anchors: authority.Anchors(), Now: now, Audience: registryURN, ClientCertificate: client,
			Replay: assertion.NewReplayCache(100),
		},
	}
}

func goodHeader(chain ...*x509.Certificate) fields {
	return fields{"alg": "ES256", "typ": assertion.TokenType, "x5c": testjws.X5C(chain...)}
}

func goodClaims() fields {
	return fields{
		"sub": registration, "role": "socialWorker", "aud": registryURN, "jti": tokenID,
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
		"cnf": fields{"x5t#S256": client.String()},
	}
}

// raw builds a token without any of the checks of the package under test.
func raw(header, claims any, sign func(input []byte) []byte) string {
	return testjws.Raw(testjws.Encode(header), testjws.Encode(claims), sign)
}

func leafTemplate() *x509.Certificate {
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: "card"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

func caTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, KeyUsage: x509.KeyUsageCertSign, IsCA: true,
	}
}

func expectProblem(t *testing.T, token string, opts assertion.Options, want assertion.Problem) {
	t.Helper()
	professional, err := assertion.Verify(token, opts)
	if got, ok := assertion.ProblemOf(err); !ok || got != want {
		t.Errorf("%v, want %s", err, want)
	}
	if professional != (assertion.Professional{}) {
		t.Error("a professional came with the refusal")
	}
}

func expectAccepted(t *testing.T, token string, opts assertion.Options) assertion.Professional {
	t.Helper()
	professional, err := assertion.Verify(token, opts)
	if err != nil {
		t.Error(err)
	}
	return professional
}
