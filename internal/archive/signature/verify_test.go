// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package signature_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/signature"
	"github.com/valtuus/valtuus/internal/pki"
)

func TestSignedAndVerified(t *testing.T) {
	f := newFixture()
	jws := must(signature.Sign(body, contentType, f.card.Key, f.card.Chain, now))
	got, err := verify(jws, f.opts)
	if err != nil {
		t.Fatal(err)
	}
	want := signature.Signature{Signer: registration, CardThumbprint: pki.FingerprintOf(f.card.Chain[0]), SignedAt: now}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestSignedByOpenSSL verifies what no code of this program has made: testdata/openssl.sh made it.
func TestSignedByOpenSSL(t *testing.T) {
	read := func(name string) []byte { return must(os.ReadFile("testdata/" + name)) }
	anchors := x509.NewCertPool()
	anchors.AppendCertsFromPEM(read("anchor.pem"))
	got, err := new(signature.Verifier).Verify(strings.TrimSpace(string(read("signature.jws"))), read("body.json"), contentType,
		signature.Options{Anchors: anchors, At: time.Unix(1800000000, 0)})
	if err != nil || got.Signer != "1001" || got.SignedAt.Unix() != 1800000000 {
		t.Errorf("%+v %v", got, err)
	}
}

func TestAcceptedForms(t *testing.T) {
	f := newFixture()
	good := goodHeader(f.card.Chain...)
	for name, header := range map[string]fields{
		"plain":                          good,
		"typ and kid":                    good.With(fields{"typ": "jose", "kid": "1"}),
		"application/ left out":          good.With(fields{"sigD": goodReference().With(fields{"ctys": []string{"json"}})}),
		"a URI":                          good.With(fields{"sigD": goodReference().With(fields{"pars": []string{"urn:uuid:0"}})}),
		"as far ahead as a clock may be": good.With(fields{"iat": now.Add(signature.ClockSkew).Unix()}),
	} {
		t.Run(name, func(t *testing.T) { expectAccepted(t, raw(header, ecdsaSigner(f.card.Key)), f.opts) })
	}
}

// TestRefused is the table of attacks and mistakes. Each case changes one thing of a good signature, and the
// card signs the change as well.
func TestRefused(t *testing.T) {
	f := newFixture()
	good := goodHeader(f.card.Chain...)
	refer := func(changes fields) fields { return good.With(fields{"sigD": goodReference().With(changes)}) }
	digest := sha256.Sum256(body) // of the bare bytes, not of their base64url
	other := must(f.authority.Issue(registration, now.Add(-time.Hour), now.Add(time.Hour)))
	type list = []string
	for name, c := range map[string]struct {
		header any
		want   signature.Problem
	}{
		"header is no JSON":       {"{", signature.Malformed},
		"header is null":          {"null", signature.Malformed},
		"header is an array":      {"[]", signature.Malformed},
		"doubled name":            {`{"alg":"ES256","alg":"ES256"}`, signature.Malformed},
		"key in the header":       {good.With(fields{"jwk": fields{}}), signature.Malformed},
		"address of a key":        {good.With(fields{"jku": "https://example.test"}), signature.Malformed},
		"address of certificates": {good.With(fields{"x5u": "https://example.test"}), signature.Malformed},
		"compressed":              {good.With(fields{"zip": "DEF"}), signature.Malformed},
		"unencoded payload":       {good.With(fields{"b64": false, "crit": list{"sigD", "b64"}}), signature.Malformed},
		"b64 not critical":        {good.With(fields{"b64": false}), signature.Malformed},
		"media type twice":        {good.With(fields{"cty": "json"}), signature.Malformed},
		"policy":                  {good.With(fields{"sigPId": fields{"id": "1"}}), signature.Malformed},
		"old time":                {good.With(fields{"iat": nil, "sigT": "2026-03-01T12:00:00Z"}), signature.Malformed},
		"an assertion's type":     {good.With(fields{"typ": assertion.TokenType}), signature.Malformed},
		"typ null":                {good.With(fields{"typ": json.RawMessage("null")}), signature.Malformed},
		"no crit":                 {good.With(fields{"crit": nil}), signature.Malformed},
		"crit empty":              {good.With(fields{"crit": list{}}), signature.Malformed},
		"crit of another":         {good.With(fields{"crit": list{"exp"}}), signature.Malformed},
		"one more crit":           {good.With(fields{"crit": list{"sigD", "exp"}}), signature.Malformed},
		"crit twice":              {good.With(fields{"crit": list{"sigD", "sigD"}}), signature.Malformed},
		"no time":                 {good.With(fields{"iat": nil}), signature.Malformed},
		"time null":               {good.With(fields{"iat": json.RawMessage("null")}), signature.Malformed},
		"time is text":            {good.With(fields{"iat": "1"}), signature.Malformed},
		"time with a fraction":    {good.With(fields{"iat": 1.5}), signature.Malformed},
		"time before 1970":        {good.With(fields{"iat": -1}), signature.Malformed},
		"time out of range":       {good.With(fields{"iat": 1e300}), signature.Malformed},
		"no thumbprint":           {good.With(fields{"x5t#S256": nil}), signature.Malformed},
		"thumbprint cut":          {good.With(fields{"x5t#S256": "AAAA"}), signature.Malformed},
		"no chain":                {good.With(fields{"x5c": nil}), signature.Malformed},
		"chain is text":           {good.With(fields{"x5c": "x"}), signature.Malformed},
		"no reference":            {good.With(fields{"sigD": nil}), signature.Malformed},
		"reference null":          {good.With(fields{"sigD": json.RawMessage("null")}), signature.Malformed},
		"reference doubled name":  {good.With(fields{"sigD": json.RawMessage(`{"mId":"","mId":""}`)}), signature.Malformed},
		"reference with more":     {refer(fields{"spDSpec": "x"}), signature.Malformed},
		"name in capitals":        {refer(fields{"hashv": list{""}}), signature.Malformed},
		"mechanism without hash":  {refer(fields{"mId": "http://uri.etsi.org/19182/ObjectIdByURI"}), signature.Malformed},
		"mechanism of headers":    {refer(fields{"mId": "http://uri.etsi.org/19182/HttpHeaders"}), signature.Malformed},
		"weak hash":               {refer(fields{"hashM": "S1"}), signature.Malformed},
		"no hash method":          {refer(fields{"hashM": nil}), signature.Malformed},
		"no hash":                 {refer(fields{"hashV": nil}), signature.Malformed},
		"hash cut":                {refer(fields{"hashV": list{"AAAA"}}), signature.Malformed},
		"hash too long":           {refer(fields{"hashV": list{base64.RawURLEncoding.EncodeToString(make([]byte, 33))}}), signature.Malformed},
		"two objects": {refer(fields{"pars": list{"", ""}, "hashV": list{goodReference()["hashV"].(list)[0], goodReference()["hashV"].(list)[0]},
			"ctys": list{contentType, contentType}}), signature.Malformed},
		"no object":            {refer(fields{"pars": list{}, "hashV": list{}, "ctys": list{}}), signature.Malformed},
		"no media type":        {refer(fields{"ctys": nil}), signature.Malformed},
		"no URI":               {refer(fields{"pars": nil}), signature.Malformed},
		"no URI but a text":    {refer(fields{"pars": list{"a b"}}), signature.Malformed},
		"long URI":             {refer(fields{"pars": list{strings.Repeat("a", 257)}}), signature.Malformed},
		"none":                 {good.With(fields{"alg": "none"}), signature.AlgorithmRefused},
		"shared secret":        {good.With(fields{"alg": "HS256"}), signature.AlgorithmRefused},
		"unknown algorithm":    {good.With(fields{"alg": "ES512"}), signature.AlgorithmRefused},
		"no algorithm":         {good.With(fields{"alg": nil}), signature.AlgorithmRefused},
		"algorithm of RSA":     {good.With(fields{"alg": "RS256"}), signature.AlgorithmRefused},
		"algorithm of P-384":   {good.With(fields{"alg": "ES384"}), signature.AlgorithmRefused},
		"other media type":     {refer(fields{"ctys": list{"application/xhtml+xml"}}), signature.OtherContentType},
		"empty media type":     {refer(fields{"ctys": list{""}}), signature.OtherContentType},
		"media type's cousin":  {refer(fields{"ctys": list{"text/json"}}), signature.OtherContentType},
		"digest of bare bytes": {refer(fields{"hashV": list{base64.RawURLEncoding.EncodeToString(digest[:])}}), signature.OtherBytes},
		"in the future":        {good.With(fields{"iat": now.Add(signature.ClockSkew + time.Second).Unix()}), signature.SignedInFuture},
		"before the card":      {good.With(fields{"iat": now.Add(-time.Hour - time.Second).Unix()}), signature.CardNotValid},
		"another's thumbprint": {good.With(fields{"x5t#S256": pki.FingerprintOf(other.Chain[0]).String()}), signature.ChainRefused},
		"another's card":       {goodHeader(other.Chain...), signature.SignatureInvalid},
		"chain empty":          {good.With(fields{"x5c": list{}}), signature.ChainRefused},
		"chain of no base64":   {good.With(fields{"x5c": list{"%"}}), signature.ChainRefused},
		"chain of no cert":     {good.With(fields{"x5c": list{"AAAA"}}), signature.ChainRefused},
	} {
		t.Run(name, func(t *testing.T) { expectProblem(t, raw(c.header, ecdsaSigner(f.card.Key)), f.opts, c.want) })
	}
}

func TestRefusedForms(t *testing.T) {
	f := newFixture()
	good := raw(goodHeader(f.card.Chain...), ecdsaSigner(f.card.Key))
	expectAccepted(t, good, f.opts)
	parts := strings.Split(good, ".")
	attached := parts[0] + "." + base64.RawURLEncoding.EncodeToString(body) + "." + parts[2]
	oneOf := `{"protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`
	for name, jws := range map[string]string{
		"nothing":             "",
		"one part":            parts[0],
		"two parts":           parts[0] + "." + parts[2],
		"four parts":          good + "." + parts[2],
		"no header":           ".." + parts[2],
		"no signature":        parts[0] + "..",
		"attached payload":    attached,
		"JSON form":           oneOf,
		"two signatures":      `{"signatures":[` + oneOf + `,` + oneOf + `]}`,
		"two in a row":        good + "," + good,
		"line break":          good + "\n",
		"line break within":   parts[0] + "..\n" + parts[2],
		"leading space":       " " + good,
		"padding":             good + "==",
		"standard base64":     parts[0] + "..+/" + parts[2],
		"loose bits":          parts[0] + ".." + parts[2][:len(parts[2])-1] + "B",
		"longer than allowed": parts[0] + ".." + strings.Repeat("A", signature.MaxSize),
	} {
		t.Run(name, func(t *testing.T) { expectProblem(t, jws, f.opts, signature.Malformed) })
	}
}

func TestSignatureValueRefused(t *testing.T) {
	f := newFixture()
	header := goodHeader(f.card.Chain...)
	secret := must(x509.MarshalPKIXPublicKey(f.card.Key.Public()))
	for name, sign := range map[string]func([]byte) []byte{
		"zeros":           func([]byte) []byte { return make([]byte, 64) },
		"short":           func(in []byte) []byte { return ecdsaSigner(f.card.Key)(in)[:63] },
		"long":            func(in []byte) []byte { return append(ecdsaSigner(f.card.Key)(in), 0) },
		"over other text": func([]byte) []byte { return ecdsaSigner(f.card.Key)([]byte("x")) },
		"other key":       ecdsaSigner(must(pki.NewKey())),
		"in ASN.1": func(in []byte) []byte {
			digest := sha256.Sum256(in)
			return must(f.card.Key.Sign(rand.Reader, digest[:], nil))
		},
		"public key as secret": func(in []byte) []byte {
			mac := hmac.New(sha256.New, secret)
			mac.Write(in)
			return mac.Sum(nil)
		},
	} {
		t.Run(name, func(t *testing.T) { expectProblem(t, raw(header, sign), f.opts, signature.SignatureInvalid) })
	}
}

// TestItBindsTheDocument verifies a good signature beside what it was not made over.
func TestItBindsTheDocument(t *testing.T) {
	f := newFixture()
	jws := must(signature.Sign(body, contentType, f.card.Key, f.card.Chain, now))
	v := new(signature.Verifier)
	for name, c := range map[string]struct {
		body, contentType string
		want              signature.Problem
	}{
		"one byte more":    {string(body) + " ", contentType, signature.OtherBytes},
		"nothing":          {"", contentType, signature.OtherBytes},
		"its base64url":    {base64.RawURLEncoding.EncodeToString(body), contentType, signature.OtherBytes},
		"other media type": {string(body), "application/xhtml+xml", signature.OtherContentType},
		"no media type":    {string(body), "", signature.OtherContentType},
	} {
		_, err := v.Verify(jws, []byte(c.body), c.contentType, f.opts)
		if refusal, ok := signature.RefusalOf(err); !ok || refusal.Problem != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestOtherKeys(t *testing.T) {
	h := newHierarchy()
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	p521 := must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	rsaCard, p384Card, p521Card := h.leafOf(rsaKey().Public(), nil), h.leafOf(p384.Public(), nil), h.leafOf(p521.Public(), nil)
	jws := func(alg string, leaf *x509.Certificate, sign func([]byte) []byte) string {
		return raw(goodHeader(leaf, h.middle).With(fields{"alg": alg}), sign)
	}
	expectAccepted(t, jws("RS256", rsaCard, rsaSigner(rsaKey(), 0)), h.opts)
	expectAccepted(t, jws("PS256", rsaCard, rsaSigner(rsaKey(), 32)), h.opts)
	expectAccepted(t, jws("ES384", p384Card, ecdsaSigner(p384)), h.opts)
	expectProblem(t, jws("PS256", rsaCard, rsaSigner(rsaKey(), 20)), h.opts, signature.SignatureInvalid)
	expectProblem(t, jws("RS256", rsaCard, rsaSigner(rsaKey(), 32)), h.opts, signature.SignatureInvalid)
	expectProblem(t, jws("PS256", rsaCard, rsaSigner(rsaKey(), 0)), h.opts, signature.SignatureInvalid)
	expectProblem(t, jws("ES256", rsaCard, ecdsaSigner(h.key)), h.opts, signature.AlgorithmRefused)
	expectProblem(t, jws("ES256", p384Card, ecdsaSigner(p384)), h.opts, signature.AlgorithmRefused)
	expectProblem(t, jws("ES256", p521Card, ecdsaSigner(h.key)), h.opts, signature.AlgorithmRefused)
	for _, key := range []struct {
		chain []*x509.Certificate
		sign  func() (string, error)
	}{
		{[]*x509.Certificate{rsaCard, h.middle}, nil},
		{[]*x509.Certificate{p384Card, h.middle}, nil},
	} {
		signer := map[*x509.Certificate]func() (string, error){
			rsaCard:  func() (string, error) { return signature.Sign(body, contentType, rsaKey(), key.chain, now) },
			p384Card: func() (string, error) { return signature.Sign(body, contentType, p384, key.chain, now) },
		}[key.chain[0]]
		expectAccepted(t, must(signer()), h.opts)
	}
}

func TestSignRefuses(t *testing.T) {
	f := newFixture()
	for name, sign := range map[string]func() (string, error){
		"no key":  func() (string, error) { return signature.Sign(body, contentType, nil, f.card.Chain, now) },
		"no card": func() (string, error) { return signature.Sign(body, contentType, f.card.Key, nil, now) },
		"another's key": func() (string, error) {
			return signature.Sign(body, contentType, must(pki.NewKey()), f.card.Chain, now)
		},
	} {
		if _, err := sign(); !errors.Is(err, signature.ErrSigner) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIncompleteOptions(t *testing.T) {
	f := newFixture()
	jws := must(signature.Sign(body, contentType, f.card.Key, f.card.Chain, now))
	for _, opts := range []signature.Options{{}, {Anchors: f.opts.Anchors}, {At: now}} {
		if _, err := verify(jws, opts); !errors.Is(err, signature.ErrOptions) {
			t.Errorf("%v", err)
		}
	}
}

// FuzzVerify looks for signatures that are accepted though the card did not make them.
func FuzzVerify(f *testing.F) {
	x := newFixture()
	good := raw(goodHeader(x.card.Chain...), ecdsaSigner(x.card.Key))
	f.Add(good)
	f.Add(raw(goodHeader(x.card.Chain...).With(fields{"alg": "none"}), ecdsaSigner(x.card.Key)))
	f.Add("a..c")
	f.Add("eyJhbGciOiJFUzI1NiJ9..")
	input, _, _ := strings.Cut(good, ".")
	f.Fuzz(func(t *testing.T, jws string) {
		_, err := verify(jws, x.opts)
		if err == nil && !strings.HasPrefix(jws, input+"..") {
			t.Fatal("accepted what the card did not sign")
		}
		if _, ok := signature.RefusalOf(err); err != nil && !ok {
			t.Fatalf("an error without a problem: %v", err)
		}
	})
}

// FuzzHeader signs whatever it is given, to reach what lies behind the signature.
func FuzzHeader(f *testing.F) {
	x := newFixture()
	f.Add(string(must(json.Marshal(goodHeader(x.card.Chain...)))))
	f.Add(`{"sigD":null,"crit":null}`)
	f.Add(`{"iat":1e400}`)
	thumbprint := pki.FingerprintOf(x.card.Chain[0])
	f.Fuzz(func(t *testing.T, header string) {
		got, err := verify(raw(header, ecdsaSigner(x.card.Key)), x.opts)
		if err != nil {
			if _, ok := signature.RefusalOf(err); !ok {
				t.Fatalf("an error without a problem: %v", err)
			}
			return
		}
		if got.Signer != registration || got.CardThumbprint != thumbprint || got.SignedAt.After(now.Add(signature.ClockSkew)) {
			t.Fatalf("accepted %+v", got)
		}
	})
}
