// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion_test

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
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/pki"
)

func TestAccepted(t *testing.T) {
	f := newFixture()
	token, err := assertion.Sign(assertion.Claims{
		Subject: registration, Role: "socialWorker", Audience: registryURN, TokenID: tokenID,
		IssuedAt: now, ExpiresAt: now.Add(5 * time.Minute), ClientCertificate: client,
	}, f.card.Key, f.card.Chain)
	if err != nil {
		t.Fatal(err)
	}
	got := expectAccepted(t, token, f.opts)
	want := assertion.Professional{
		ID: registration, Role: "socialWorker", CardThumbprint: pki.FingerprintOf(f.card.Chain[0]),
		TokenID: tokenID, ExpiresAt: now.Add(5 * time.Minute),
	}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestMissing(t *testing.T) {
	expectProblem(t, "", newFixture().opts, assertion.Missing)
}

func TestMalformedToken(t *testing.T) {
	f := newFixture()
	good := raw(goodHeader(f.card.Chain...), goodClaims(), ecdsaSigner(f.card.Key))
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"one part":          parts[0],
		"two parts":         parts[0] + "." + parts[1],
		"four parts":        good + "." + parts[2],
		"no signature":      parts[0] + "." + parts[1] + ".",
		"JSON form":         `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"line break":        good + "\n",
		"leading space":     " " + good,
		"padding":           parts[0] + "=." + parts[1] + "." + parts[2],
		"header no JSON":    raw("hello", goodClaims(), ecdsaSigner(f.card.Key)),
		"header null":       raw("null", goodClaims(), ecdsaSigner(f.card.Key)),
		"header array":      raw("[]", goodClaims(), ecdsaSigner(f.card.Key)),
		"oversized":         raw(goodHeader(f.card.Chain...), goodClaims().With(fields{"x": strings.Repeat("x", assertion.MaxTokenSize)}), ecdsaSigner(f.card.Key)),
		"oversized rubbish": strings.Repeat("a", assertion.MaxTokenSize+1),
	} {
		t.Run(name, func(t *testing.T) { expectProblem(t, token, f.opts, assertion.Malformed) })
	}
	expectAccepted(t, good, f.opts)
}

func TestMalformedHeader(t *testing.T) {
	f := newFixture()
	header := goodHeader(f.card.Chain...)
	text := string(must(json.Marshal(header)))
	jwk := must(json.Marshal(jose.JSONWebKey{Key: f.card.Key.Public()}))
	for name, h := range map[string]any{
		"no typ":         header.With(fields{"typ": nil}),
		"typ JWT":        header.With(fields{"typ": "JWT"}),
		"jku":            header.With(fields{"jku": "https://attacker.example/keys"}),
		"x5u":            header.With(fields{"x5u": "https://attacker.example/card"}),
		"jwk":            header.With(fields{"jwk": json.RawMessage(jwk)}),
		"crit":           header.With(fields{"crit": []string{"exp"}, "exp": 1}),
		"b64 by crit":    header.With(fields{"crit": []string{"b64"}, "b64": true}),
		"unknown":        header.With(fields{"x": 1}),
		"x5c a string":   header.With(fields{"x5c": "x"}),
		"x5c of numbers": header.With(fields{"x5c": []int{1}}),
		"doubled alg":    `{"alg":"none",` + text[1:],
		"doubled x5c":    text[:len(text)-1] + `,"x5c":[]}`,
		"other case":     header.With(fields{"JKU": "https://attacker.example/keys"}),
		"text after":     text + "{}",
	} {
		t.Run(name, func(t *testing.T) {
			expectProblem(t, raw(h, goodClaims(), ecdsaSigner(f.card.Key)), f.opts, assertion.Malformed)
		})
	}
	hints := header.With(fields{"kid": "card", "cty": "json", "x5t": "x", "x5t#S256": "x"})
	expectAccepted(t, raw(hints, goodClaims(), ecdsaSigner(f.card.Key)), f.opts)
}

func TestMalformedClaims(t *testing.T) {
	f := newFixture()
	good := goodClaims()
	text := string(must(json.Marshal(good)))
	for name, claims := range map[string]any{
		"no JSON":            "hello",
		"null":               "null",
		"array":              "[]",
		"doubled sub":        `{"sub":"someone else",` + text[1:],
		"doubled exp":        text[:len(text)-1] + `,"exp":9999999999}`,
		"doubled thumbprint": strings.Replace(text, `"cnf":{`, `"cnf":{"x5t#S256":"x",`, 1),
		"text after":         text + "{}",
		"sub in other case":  good.With(fields{"sub": nil, "Sub": registration}),
		"no sub":             good.With(fields{"sub": nil}),
		"empty sub":          good.With(fields{"sub": ""}),
		"sub a number":       good.With(fields{"sub": 1}),
		"no role":            good.With(fields{"role": nil}),
		"no aud":             good.With(fields{"aud": nil}),
		"empty aud":          good.With(fields{"aud": []string{}}),
		"long aud":           good.With(fields{"aud": make([]string, 17)}),
		"aud a number":       good.With(fields{"aud": 1}),
		"no iat":             good.With(fields{"iat": nil}),
		"no exp":             good.With(fields{"exp": nil}),
		"exp a string":       good.With(fields{"exp": "9999999999"}),
		"exp a fraction":     good.With(fields{"exp": 1.5}),
		"exp too large":      good.With(fields{"exp": int64(1) << 62}),
		"iat negative":       good.With(fields{"iat": -1}),
		"exp before iat":     good.With(fields{"exp": now.Unix() - 1}),
		"exp at iat":         good.With(fields{"exp": now.Unix()}),
		"nbf negative":       good.With(fields{"nbf": -1}),
		"no jti":             good.With(fields{"jti": nil}),
		"short jti":          good.With(fields{"jti": tokenID[1:]}),
		"long jti":           good.With(fields{"jti": strings.Repeat("x", 129)}),
		"jti with a space":   good.With(fields{"jti": "0123456789 abcdef"}),
		"no cnf":             good.With(fields{"cnf": nil}),
		"cnf null":           good.With(fields{"cnf": json.RawMessage("null")}),
		"empty cnf":          good.With(fields{"cnf": fields{}}),
		"cnf of DPoP":        good.With(fields{"cnf": fields{"jkt": client.String()}}),
		"short thumbprint":   good.With(fields{"cnf": fields{"x5t#S256": "x"}}),
	} {
		t.Run(name, func(t *testing.T) {
			expectProblem(t, raw(goodHeader(f.card.Chain...), claims, ecdsaSigner(f.card.Key)), f.opts, assertion.Malformed)
		})
	}
}

func TestAlgorithmRefused(t *testing.T) {
	f := newFixture()
	spki := must(x509.MarshalPKIXPublicKey(f.card.Key.Public()))
	withPublicKey := func(input []byte) []byte {
		mac := hmac.New(sha256.New, spki)
		mac.Write(input)
		return mac.Sum(nil)
	}
	nothing := func([]byte) []byte { return []byte{0} }
	for name, c := range map[string]struct {
		alg  any
		sign func([]byte) []byte
	}{
		"none":                      {"none", nothing},
		"None":                      {"None", nothing},
		"missing":                   {nil, nothing},
		"empty":                     {"", nothing},
		"a number":                  {1, nothing},
		"HS256 with the public key": {"HS256", withPublicKey},
		"EdDSA":                     {"EdDSA", nothing},
		"ES512":                     {"ES512", nothing},
		"RS512":                     {"RS512", nothing},
		"lower case":                {"es256", ecdsaSigner(f.card.Key)},
		"RS256 with a P-256 card":   {"RS256", nothing},
		"ES384 with a P-256 card":   {"ES384", ecdsaSigner(f.card.Key)},
	} {
		t.Run(name, func(t *testing.T) {
			header := goodHeader(f.card.Chain...).With(fields{"alg": c.alg})
			expectProblem(t, raw(header, goodClaims(), c.sign), f.opts, assertion.AlgorithmRefused)
		})
	}
}

// The list counts by itself, before any certificate is looked at.
func TestAlgorithmIsLookedAtFirst(t *testing.T) {
	f := newFixture()
	for _, alg := range []string{"none", "HS256", "ES512", "PS384"} {
		header := goodHeader().With(fields{"alg": alg})
		expectProblem(t, raw(header, goodClaims(), func([]byte) []byte { return []byte{0} }), f.opts, assertion.AlgorithmRefused)
	}
}

func TestSignatureInvalid(t *testing.T) {
	f := newFixture()
	other := must(f.authority.Issue(registration, now.Add(-time.Hour), now.Add(time.Hour)))
	header := goodHeader(f.card.Chain...)
	good := strings.Split(raw(header, goodClaims(), ecdsaSigner(f.card.Key)), ".")
	changed := strings.Split(raw(header, goodClaims().With(fields{"role": "manager"}), ecdsaSigner(f.card.Key)), ".")
	for name, token := range map[string]string{
		"another card's key":  raw(header, goodClaims(), ecdsaSigner(other.Key)),
		"another's x5c":       raw(goodHeader(other.Chain...), goodClaims(), ecdsaSigner(f.card.Key)),
		"other claims":        good[0] + "." + changed[1] + "." + good[2],
		"signature of zeros":  raw(header, goodClaims(), func([]byte) []byte { return make([]byte, 64) }),
		"signature too short": raw(header, goodClaims(), func([]byte) []byte { return []byte{1} }),
	} {
		t.Run(name, func(t *testing.T) { expectProblem(t, token, f.opts, assertion.SignatureInvalid) })
	}
}

func TestNotBound(t *testing.T) {
	f := newFixture()
	token := raw(goodHeader(f.card.Chain...), goodClaims(), ecdsaSigner(f.card.Key))
	opts := f.opts
	opts.ClientCertificate = pki.Fingerprint{9}
	expectProblem(t, token, opts, assertion.NotBound)
	expectAccepted(t, token, f.opts) // and the refusal has not used the token up
}

func TestWrongAudience(t *testing.T) {
	f := newFixture()
	for name, aud := range map[string]any{
		"another registry": "urn:oid:1.2.246.10.99999999.19.1",
		"longer":           registryURN + ".1",
		"upper case":       strings.ToUpper(registryURN),
		"others":           []string{"a", "b"},
	} {
		t.Run(name, func(t *testing.T) {
			claims := goodClaims().With(fields{"aud": aud})
			expectProblem(t, raw(goodHeader(f.card.Chain...), claims, ecdsaSigner(f.card.Key)), f.opts, assertion.WrongAudience)
		})
	}
	claims := goodClaims().With(fields{"aud": []string{"a", registryURN}})
	expectAccepted(t, raw(goodHeader(f.card.Chain...), claims, ecdsaSigner(f.card.Key)), f.opts)
}

func TestTimes(t *testing.T) {
	f := newFixture()
	second := func(n int) int64 { return now.Unix() + int64(n) }
	for name, c := range map[string]struct {
		claims fields
		want   assertion.Problem
	}{
		"expired long ago":          {fields{"iat": second(-300), "exp": second(-200)}, assertion.Expired},
		"expires now":               {fields{"iat": second(-300), "exp": second(0)}, assertion.Expired},
		"expires in a second":       {fields{"iat": second(-299), "exp": second(1)}, ""},
		"five minutes":              {fields{"exp": second(300)}, ""},
		"five minutes and a second": {fields{"exp": second(301)}, assertion.LifetimeTooLong},
		"a year":                    {fields{"exp": second(365 * 24 * 3600)}, assertion.LifetimeTooLong},
		"old and long":              {fields{"iat": second(-3600)}, assertion.LifetimeTooLong},
		"clock ahead by 30 s":       {fields{"iat": second(30)}, ""},
		"clock ahead by 31 s":       {fields{"iat": second(31)}, assertion.NotYetValid},
		"iat ahead, nbf not":        {fields{"iat": second(31), "nbf": second(0)}, assertion.NotYetValid},
		"nbf ahead by 30 s":         {fields{"nbf": second(30)}, ""},
		"nbf ahead by 31 s":         {fields{"nbf": second(31)}, assertion.NotYetValid},
	} {
		t.Run(name, func(t *testing.T) {
			claims := goodClaims().With(c.claims).With(fields{"jti": assertion.NewTokenID()})
			token := raw(goodHeader(f.card.Chain...), claims, ecdsaSigner(f.card.Key))
			if c.want == "" {
				expectAccepted(t, token, f.opts)
				return
			}
			expectProblem(t, token, f.opts, c.want)
		})
	}
}

func TestSubjectRefused(t *testing.T) {
	f := newFixture()
	nameless := must(f.authority.Issue("", now.Add(-time.Hour), now.Add(time.Hour)))
	for name, claims := range map[string]fields{
		"identity code":         {"sub": "020516C903K"},
		"identity code inside":  {"sub": "worker 020516c903k"},
		"identity code as role": {"role": "020516C903K"},
		"identity code as jti":  {"jti": "jti:020516C903K:1"},
		"129 characters":        {"sub": strings.Repeat("x", 129)},
		"role of 65":            {"role": strings.Repeat("x", 65)},
		"line break":            {"sub": "a\nb"},
		"line break in role":    {"role": "a\u2028b"},
		"reversed text":         {"sub": "a\u202eb"},
	} {
		t.Run(name, func(t *testing.T) {
			token := raw(goodHeader(nameless.Chain...), goodClaims().With(claims), ecdsaSigner(nameless.Key))
			expectProblem(t, token, f.opts, assertion.SubjectRefused)
		})
	}
	t.Run("not the one on the card", func(t *testing.T) {
		token := raw(goodHeader(f.card.Chain...), goodClaims().With(fields{"sub": "00099999999"}), ecdsaSigner(f.card.Key))
		expectProblem(t, token, f.opts, assertion.SubjectRefused)
	})
	t.Run("limits", func(t *testing.T) {
		claims := goodClaims().With(fields{"sub": strings.Repeat("ä", 128), "role": strings.Repeat("ö", 64)})
		expectAccepted(t, raw(goodHeader(nameless.Chain...), claims, ecdsaSigner(nameless.Key)), f.opts)
	})
}

func TestReplayed(t *testing.T) {
	f := newFixture()
	other := must(f.authority.Issue(registration, now.Add(-time.Hour), now.Add(time.Hour)))
	token := raw(goodHeader(f.card.Chain...), goodClaims(), ecdsaSigner(f.card.Key))
	expectAccepted(t, token, f.opts)
	expectProblem(t, token, f.opts, assertion.Replayed)
	// Another token with the same jti is a replay; another card's jti is its own.
	again := raw(goodHeader(f.card.Chain...), goodClaims().With(fields{"role": "x"}), ecdsaSigner(f.card.Key))
	expectProblem(t, again, f.opts, assertion.Replayed)
	expectAccepted(t, raw(goodHeader(other.Chain...), goodClaims(), ecdsaSigner(other.Key)), f.opts)
}

func TestReplayGuardFull(t *testing.T) {
	f := newFixture()
	f.opts.Replay = assertion.NewReplayCache(0)
	expectProblem(t, raw(goodHeader(f.card.Chain...), goodClaims(), ecdsaSigner(f.card.Key)), f.opts, assertion.Replayed)
}

func TestIncompleteOptions(t *testing.T) {
	f := newFixture()
	token := raw(goodHeader(f.card.Chain...), goodClaims(), ecdsaSigner(f.card.Key))
	for name, change := range map[string]func(*assertion.Options){
		"no anchors":     func(o *assertion.Options) { o.Anchors = nil },
		"no time":        func(o *assertion.Options) { o.Now = time.Time{} },
		"no audience":    func(o *assertion.Options) { o.Audience = "" },
		"no certificate": func(o *assertion.Options) { o.ClientCertificate = pki.Fingerprint{} },
		"no guard":       func(o *assertion.Options) { o.Replay = nil },
	} {
		t.Run(name, func(t *testing.T) {
			opts := f.opts
			change(&opts)
			if _, err := assertion.Verify(token, opts); !errors.Is(err, assertion.ErrOptions) {
				t.Error(err)
			}
			if _, err := assertion.Verify("", opts); !errors.Is(err, assertion.ErrOptions) {
				t.Error(err)
			}
		})
	}
	if _, ok := assertion.ProblemOf(assertion.ErrOptions); ok {
		t.Error("the archive's fault is told as the caller's")
	}
}

// Every refusal is made of fixed texts.
func TestErrorsHoldNothingOfTheToken(t *testing.T) {
	f := newFixture()
	const marker = "MARKER-8f3c"
	header := goodHeader(f.card.Chain...)
	for _, token := range []string{
		marker,
		raw(header.With(fields{marker: 1}), goodClaims(), ecdsaSigner(f.card.Key)),
		raw(header.With(fields{"alg": marker}), goodClaims(), ecdsaSigner(f.card.Key)),
		raw(header.With(fields{"typ": marker}), goodClaims(), ecdsaSigner(f.card.Key)),
		raw(header.With(fields{"kid": []string{marker}}), goodClaims(), ecdsaSigner(f.card.Key)),
		raw(header.With(fields{"x5c": []string{marker}}), goodClaims(), ecdsaSigner(f.card.Key)),
		raw(header, `{"`+marker+`":1,"`+marker+`":1}`, ecdsaSigner(f.card.Key)),
		raw(header, goodClaims().With(fields{"sub": marker}), ecdsaSigner(f.card.Key)),
		raw(header, goodClaims().With(fields{"aud": marker}), ecdsaSigner(f.card.Key)),
		raw(header, goodClaims().With(fields{"exp": marker}), ecdsaSigner(f.card.Key)),
		raw(header, goodClaims().With(fields{"jti": marker}), ecdsaSigner(f.card.Key)),
	} {
		_, err := assertion.Verify(token, f.opts)
		if _, ok := assertion.ProblemOf(err); !ok || strings.Contains(err.Error(), marker) {
			t.Errorf("error %v", err)
		}
	}
}

func TestProblemsAreDistinct(t *testing.T) {
	seen := map[assertion.Problem]bool{}
	for _, p := range assertion.Problems() {
		if p == "" || seen[p] {
			t.Errorf("problem %q", p)
		}
		seen[p] = true
	}
	if len(seen) != 12 {
		t.Errorf("%d problems", len(seen))
	}
}

// Whatever is accepted says what was signed, however the text was bent.
func FuzzVerify(f *testing.F) {
	x := newFixture()
	good := raw(goodHeader(x.card.Chain...), goodClaims(), ecdsaSigner(x.card.Key))
	f.Add(good)
	f.Add(raw(goodHeader(x.card.Chain...).With(fields{"alg": "none"}), goodClaims(), ecdsaSigner(x.card.Key)))
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJFUzI1NiJ9..")
	want := expectedOf(x)
	f.Fuzz(func(t *testing.T, token string) {
		opts := x.opts
		opts.Replay = assertion.NewReplayCache(1)
		got, err := assertion.Verify(token, opts)
		if err == nil && got != want {
			t.Fatalf("accepted %+v", got)
		}
		if _, ok := assertion.ProblemOf(err); err != nil && !ok {
			t.Fatalf("an error without a problem: %v", err)
		}
	})
}

// FuzzClaims signs whatever it is given, to reach what lies behind the signature.
func FuzzClaims(f *testing.F) {
	x := newFixture()
	f.Add(string(must(json.Marshal(goodClaims()))))
	f.Add(`{"sub":null,"cnf":null}`)
	f.Add(`{"exp":1e400}`)
	want := expectedOf(x)
	f.Fuzz(func(t *testing.T, claims string) {
		opts := x.opts
		opts.Replay = assertion.NewReplayCache(1)
		got, err := assertion.Verify(raw(goodHeader(x.card.Chain...), claims, ecdsaSigner(x.card.Key)), opts)
		if err != nil {
			if _, ok := assertion.ProblemOf(err); !ok {
				t.Fatalf("an error without a problem: %v", err)
			}
			return
		}
		if got.ID != want.ID || got.CardThumbprint != want.CardThumbprint || !got.ExpiresAt.After(now) ||
			got.ExpiresAt.Sub(now) > assertion.MaxLifetime+assertion.ClockSkew {
			t.Fatalf("accepted %+v", got)
		}
	})
}

func expectedOf(x fixture) assertion.Professional {
	return assertion.Professional{
		ID: registration, Role: "socialWorker", CardThumbprint: pki.FingerprintOf(x.card.Chain[0]),
		TokenID: tokenID, ExpiresAt: now.Add(time.Minute),
	}
}

// everFree accepts every key, so that a benchmark can verify one token again and again.
type everFree struct{}

func (everFree) Claim(string, time.Time, time.Time) bool { return true }

func BenchmarkVerify(b *testing.B) {
	f := newFixture()
	f.opts.Replay = everFree{}
	b.Run("ES256", func(b *testing.B) {
		benchmark(b, raw(goodHeader(f.card.Chain...), goodClaims(), ecdsaSigner(f.card.Key)), f.opts)
	})
	b.Run("RS256", func(b *testing.B) {
		root := certificate(caTemplate("root"), nil, rsaKey().Public(), rsaKey())
		leaf := certificate(leafTemplate(), root, rsaKey().Public(), rsaKey())
		opts := f.opts
		opts.Anchors = x509.NewCertPool()
		opts.Anchors.AddCert(root)
		token := raw(goodHeader(leaf).With(fields{"alg": "RS256"}), goodClaims(), rsaSigner(rsaKey(), false))
		benchmark(b, token, opts)
	})
	b.Run("refused/HS256", func(b *testing.B) {
		token := raw(goodHeader(f.card.Chain...).With(fields{"alg": "HS256"}), goodClaims(), ecdsaSigner(f.card.Key))
		b.ReportAllocs()
		for b.Loop() {
			_, _ = assertion.Verify(token, f.opts)
		}
	})
}

func benchmark(b *testing.B, token string, opts assertion.Options) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := assertion.Verify(token, opts); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkECDSAVerifyAlone(b *testing.B) {
	f := newFixture()
	digest := sha256.Sum256(nil)
	signature := must(f.card.Key.Sign(rand.Reader, digest[:], nil))
	public := f.card.Key.Public().(*ecdsa.PublicKey)
	if public.Curve != elliptic.P256() {
		b.Fatal("curve")
	}
	for b.Loop() {
		if !ecdsa.VerifyASN1(public, digest[:], signature) {
			b.Fatal("refused")
		}
	}
}

func TestX5CEncoding(t *testing.T) {
	f := newFixture()
	der := f.card.Chain[0].Raw
	for name, text := range map[string]string{
		"base64url":   base64.RawURLEncoding.EncodeToString(der),
		"with PEM":    "-----BEGIN CERTIFICATE-----",
		"empty":       "",
		"not a cert":  base64.StdEncoding.EncodeToString([]byte("hello")),
		"cert and on": base64.StdEncoding.EncodeToString(append(append([]byte{}, der...), 0)),
	} {
		t.Run(name, func(t *testing.T) {
			header := goodHeader().With(fields{"x5c": []string{text}})
			expectProblem(t, raw(header, goodClaims(), ecdsaSigner(f.card.Key)), f.opts, assertion.ChainRefused)
		})
	}
}
