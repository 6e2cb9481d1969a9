// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/index"
	"github.com/valtuus/valtuus/internal/index/indextest"
	"github.com/valtuus/valtuus/internal/pki"
)

func TestCertificateOfAnotherArchivesAuthorityDoesNotConnect(t *testing.T) {
	a := newArena(t)
	otherCA := must(pki.NewCA("another archive", indextest.Now.Add(-time.Hour), 30*24*time.Hour))(t)
	stranger := a.newCaller(otherCA, pki.Identity{TrustDomain: trustDomain, Registry: registryOID, Unit: unitOID})
	if got, err := stranger.try("GET", "/openapi.json", "", nil); err == nil {
		t.Errorf("it was answered: %s", got)
	}
	nobody := a.callerOf(tls.Certificate{}, pki.Fingerprint{})
	nobody.http.Transport.(*http.Transport).TLSClientConfig.Certificates = nil
	if got, err := nobody.try("GET", "/openapi.json", "", nil, header(assertion.Header, "")); err == nil {
		t.Errorf("without a certificate it was answered: %s", got)
	}
	old := a.newCaller(a.ca, pki.Identity{TrustDomain: trustDomain, Registry: registryOID, Unit: unitOID})
	old.http.Transport.(*http.Transport).TLSClientConfig.MaxVersion = tls.VersionTLS12
	if got, err := old.try("GET", "/openapi.json", "", nil); err == nil {
		t.Errorf("over TLS 1.2 it was answered: %s", got)
	}
}

func TestWithoutAClientAuthorityNobodyConnects(t *testing.T) {
	a := newArena(t)
	a.server.opts.ClientCAs = func() *x509.CertPool { return nil }
	// Asked directly, because the system's authorities would refuse the test's certificates as well.
	if config, err := a.server.tlsConfig().GetConfigForClient(nil); err == nil {
		t.Errorf("the handshake would go on with the authorities %v", config.ClientCAs)
	}
	fresh := a.newCaller(a.ca, pki.Identity{TrustDomain: trustDomain, Registry: registryOID, Unit: unitOID})
	if got, err := fresh.try("GET", "/openapi.json", "", nil); err == nil {
		t.Errorf("it was answered: %s", got)
	}
}

func TestInvariant1_OnlyListedCertificatesOpen(t *testing.T) {
	a := newArena(t)
	unlisted := a.newCaller(a.ca, pki.Identity{TrustDomain: trustDomain, Registry: registryOID, Unit: unitOID})
	a.check("not in the ledger", unlisted.search(map[string]any{}), 403, "credential-not-listed")
	foreign := a.newCaller(a.ca, pki.Identity{TrustDomain: "elsewhere.test", Registry: registryOID, Unit: unitOID})
	got := foreign.search(map[string]any{})
	a.check("another trust domain", got, 403, "certificate-unrecognized")
	if row := a.row(got); row.CertificateThumbprint != foreign.fingerprint.String() || row.Caller != "" {
		t.Errorf("the row is %+v", row)
	}
	other := a.newCaller(a.ca, pki.Identity{TrustDomain: trustDomain, Registry: "1.2.246.10.7.19.0", Unit: unitOID})
	a.check("another registry", other.search(map[string]any{}), 403, "registry-mismatch")
	a.check("unknown registry", a.unit.post("/v1/registries/1.2.246.10.9.19.0/documents/_search", map[string]any{"client": a.client},
		func(r *http.Request) {
			c := a.unit.claims()
			c.Audience = assertion.AudienceOf("1.2.246.10.9.19.0")
			r.Header.Set(assertion.Header, a.unit.assert(c))
		}), 404, "registry-unknown")
}

func TestSupersededCertificateIsRefused(t *testing.T) {
	a := newArena(t)
	if got := a.unit.search(map[string]any{}); got.status != http.StatusOK {
		t.Fatalf("before: %s", got)
	}
	newer := a.newCaller(a.ca, pki.Identity{TrustDomain: trustDomain, Registry: registryOID, Unit: unitOID})
	grant := a.world.Grants[0]
	grant.Revision = 7000
	grant.Credentials = []index.Credential{
		{
			Fingerprint: access.Fingerprint(a.unit.fingerprint), NotBefore: indextest.Now.Add(-time.Hour),
			NotAfter: indextest.Now.Add(24 * time.Hour), AcceptUntil: a.clock.Now().Add(time.Second),
		},
		{Fingerprint: access.Fingerprint(newer.fingerprint), NotBefore: indextest.Now.Add(-time.Hour), NotAfter: indextest.Now.Add(24 * time.Hour)},
	}
	if _, err := a.index.UpsertGrant(grant); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*caller{"old, still accepted": a.unit, "new": newer} {
		if got := c.search(map[string]any{}); got.status != http.StatusOK {
			t.Errorf("%s: %s", name, got)
		}
	}
	a.advance(time.Second)
	a.check("old", a.unit.search(map[string]any{}), 403, "credential-superseded")
	if got := newer.search(map[string]any{}); got.status != http.StatusOK {
		t.Errorf("new: %s", got)
	}
}

func TestAssertionsThatAreRefused(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, secretBody, task)
	with := func(change func(*assertion.Claims)) string {
		c := a.unit.claims()
		change(&c)
		return a.unit.assert(c)
	}
	strangers := must(testcard.New(indextest.Now, time.Hour))(t)
	forged := must(strangers.Issue("T-4711", indextest.Now.Add(-time.Hour), indextest.Now.Add(time.Minute)))(t)
	signed := func(key crypto.Signer, chain []*x509.Certificate) string {
		return must(assertion.Sign(a.unit.claims(), key, chain))(t)
	}
	good := a.unit.assert(a.unit.claims())
	if got := a.unit.get("/documents/"+id, header(assertion.Header, good)); got.status != http.StatusOK {
		t.Fatalf("the good one: %s", got)
	}
	for name, c := range map[string]struct{ token, reason string }{
		"missing":          {"", "professional-missing"},
		"garbage":          {"garbage", "assertion-malformed"},
		"alg none":         {unsigned(good), "assertion-algorithm-refused"},
		"alg none, bare":   {unsigned(good)[:strings.LastIndex(unsigned(good), ".")+1], "assertion-malformed"},
		"wrong x5c":        {signed(forged.Key, forged.Chain), "assertion-chain-refused"},
		"signature":        {good[:len(good)-8] + "AAAAAAAA", "assertion-signature-invalid"},
		"replayed":         {good, "assertion-replayed"},
		"unbound":          {with(func(c *assertion.Claims) { c.ClientCertificate = a.otherUnit.fingerprint }), "assertion-not-bound"},
		"another registry": {with(func(c *assertion.Claims) { c.Audience = assertion.AudienceOf("1.2.3") }), "assertion-wrong-audience"},
		"too long":         {with(func(c *assertion.Claims) { c.ExpiresAt = c.IssuedAt.Add(6 * time.Minute) }), "assertion-lifetime-too-long"},
		"expired":          {with(func(c *assertion.Claims) { c.IssuedAt, c.ExpiresAt = c.IssuedAt.Add(-time.Minute), c.IssuedAt }), "assertion-expired"},
		"early": {with(func(c *assertion.Claims) {
			c.IssuedAt, c.ExpiresAt = c.IssuedAt.Add(time.Minute), c.IssuedAt.Add(2*time.Minute)
		}), "assertion-not-yet-valid"},
		"other subject": {with(func(c *assertion.Claims) { c.Subject = "T-1" }), "assertion-subject-refused"},
	} {
		got := a.unit.get("/documents/"+id, header(assertion.Header, c.token))
		a.check(name, got, http.StatusUnauthorized, c.reason)
		if got.header.Get("WWW-Authenticate") != assertion.Header {
			t.Errorf("%s: WWW-Authenticate %q", name, got.header.Get("WWW-Authenticate"))
		}
		if strings.Contains(string(got.body), "only for those") {
			t.Errorf("%s: the document left", name)
		}
	}
	got := a.unit.get("/documents/"+id, func(r *http.Request) { r.Header.Add(assertion.Header, a.unit.assert(a.unit.claims())) })
	a.check("two at once", got, http.StatusUnauthorized, "assertion-malformed")
	a.anchors.SetPEM("")
	a.check("no anchors", a.unit.get("/documents/"+id), http.StatusServiceUnavailable, "trust-anchors-missing")
}

// unsigned is the token with the algorithm none in its header.
func unsigned(token string) string {
	parts := strings.Split(token, ".")
	raw, _ := base64.RawURLEncoding.DecodeString(parts[0])
	var head map[string]any
	_ = json.Unmarshal(raw, &head)
	head["alg"] = "none"
	raw, _ = json.Marshal(head)
	return base64.RawURLEncoding.EncodeToString(raw) + "." + parts[1] + "." + parts[2]
}

func TestAnAssertionIsNotReplayedAcrossARestart(t *testing.T) {
	a := newArena(t)
	id := a.put(a.unit, secretBody, task)
	token := a.unit.assert(a.unit.claims())
	if got := a.unit.get("/documents/"+id, header(assertion.Header, token)); got.status != http.StatusOK {
		t.Fatalf("got %s", got)
	}
	a.restart()
	a.check("after a restart", a.unit.get("/documents/"+id, header(assertion.Header, token)), http.StatusUnauthorized, "assertion-replayed")
	if rows := a.rows(store.LogQuery{}); rows[len(rows)-1].AssertionKey != "" {
		t.Error("a refused assertion was recorded as accepted")
	}
}
