// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/archive/signature"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/pki"
)

// sign signs a body with a card as of now.
func (a *arena) sign(card testcard.Card, contentType, body string) string {
	a.t.Helper()
	return must(signature.Sign([]byte(body), contentType, card.Key, card.Chain, a.clock.Now()))(a.t)
}

// signed puts signatures into a request, each on a line of its own.
func signed(signatures ...string) option {
	return func(r *http.Request) { r.Header[signatureHeader] = signatures }
}

// verifies verifies a signature as one does who has nothing but the bytes and the authorities.
func (a *arena) verifies(jws, contentType, body string) {
	a.t.Helper()
	found, err := new(signature.Verifier).Verify(jws, []byte(body), contentType, signature.Options{Anchors: a.cards.Anchors(), At: a.clock.Now()})
	if err != nil || found.Signer != "T-4711" {
		a.t.Errorf("the signature that was stored: %+v, %v", found, err)
	}
}

func TestASignatureIsVerifiedAndKept(t *testing.T) {
	a := newArena(t)
	jws := a.sign(a.card, store.ContentJSON, note("x"))
	stored := a.expect("storing", a.unit.send("POST", storePath(a.client, task), store.ContentJSON, []byte(note("x")), signed(jws)), http.StatusCreated)
	metadata := a.expect("metadata", a.organizer.get("/documents/"+stored.id()+"/metadata"), http.StatusOK)
	for name, got := range map[string]reply{"store": stored, "metadata": metadata} {
		all, _ := got.json["signatures"].([]any)
		if len(all) != 1 {
			t.Fatalf("%s: %s", name, got)
		}
		one := all[0].(map[string]any)
		if one["contentType"] != store.ContentJSON || one["signer"] != "T-4711" || one["signedAt"] != "2026-11-21T12:00:00Z" ||
			one["cardThumbprint"] != pki.FingerprintOf(a.card.Chain[0]).String() {
			t.Errorf("%s: %v", name, one)
		}
	}
	path := "/documents/" + stored.id() + "/versions/1/signature"
	got := a.expect("the signature", a.organizer.get(path), http.StatusOK)
	if string(got.body) != jws || got.header.Get("Content-Type") != "application/jose" {
		t.Errorf("got %s %v", got, got.header)
	}
	a.verifies(string(got.body), store.ContentJSON, string(a.organizer.get("/documents/"+stored.id()).body))
	row := a.row(got)
	if row.Operation != "ReadSignature" || row.DocumentCount != 1 || row.DocumentIDs[0].String() != stored.id() || row.ClientID != a.client {
		t.Errorf("the row is %+v", row)
	}
	if head := a.unit.send("HEAD", path, "", nil); head.status != http.StatusOK || len(head.body) != 0 {
		t.Errorf("HEAD: %s", head)
	}
	if strings.Contains(a.logText(), jws[:40]) {
		t.Error("the signature is in the log")
	}
}

func TestEachFormatMayBeSigned(t *testing.T) {
	a := newArena(t)
	ofNote, ofPage := a.sign(a.card, store.ContentJSON, note("x")), a.sign(a.card, store.ContentXHTML, page("x"))
	body := []byte(both(note("x"), page("x")))
	store2 := func(signatures ...string) reply {
		return a.unit.send("POST", storePath(a.client, task), typeOfBoth, body, signed(signatures...))
	}
	id := a.expect("both signed", store2(ofPage, ofNote), http.StatusCreated).id()
	path := "/documents/" + id + "/versions/1/signature"
	for query, want := range map[string]string{"": ofNote, "?format=json": ofNote, "?format=xhtml": ofPage} {
		if got := a.unit.get(path + query); string(got.body) != want {
			t.Errorf("%q: %s", query, got)
		}
	}
	id = a.expect("one signed", store2(ofPage), http.StatusCreated).id()
	path = "/documents/" + id + "/versions/1/signature"
	if got := a.unit.get(path); string(got.body) != ofPage {
		t.Errorf("the only one: %s", got)
	}
	a.check("the other", a.unit.get(path+"?format=json"), 404, "signature-not-found")
	a.check("twice", store2(ofPage, a.sign(a.card, store.ContentXHTML, page("x"))), 400, "invalid-parameter")
}

func TestNewVersionsAreSignedByThemselves(t *testing.T) {
	a := newArena(t)
	id := a.expect("storing", a.unit.send("POST", storePath(a.client, task), store.ContentJSON, []byte(note("1")),
		signed(a.sign(a.card, store.ContentJSON, note("1")))), http.StatusCreated).id()
	path := "/documents/" + id
	a.expect("unsigned version", a.unit.revise(id, `"1"`, note("2"), task), http.StatusCreated)
	a.check("the second", a.unit.get(path+"/versions/2/signature"), 404, "signature-not-found")
	jws := a.sign(a.card, store.ContentJSON, note("3"))
	a.expect("correction", a.organizer.send("POST", path+"/corrections?reason=factual-error&"+versionQuery(task), store.ContentJSON, []byte(note("3")),
		matching(`"2"`), signed(jws)), http.StatusCreated)
	if got := a.unit.get(path + "/versions/3/signature"); string(got.body) != jws {
		t.Errorf("the third: %s", got)
	}
	a.verifies(string(a.unit.get(path+"/versions/1/signature").body), store.ContentJSON, note("1"))
	a.check("of the first", a.organizer.send("POST", path+"/versions?"+versionQuery(task), store.ContentJSON, []byte(note("4")),
		matching(`"3"`), signed(a.sign(a.card, store.ContentJSON, note("1")))), 422, "signature-invalid")
	history := a.unit.get(path + "/versions")
	if items := history.json["items"].([]any); len(items) != 3 || items[1].(map[string]any)["signatures"] != nil {
		t.Errorf("the history: %s", history)
	}
}

func TestBadSignaturesStoreNothing(t *testing.T) {
	a := newArena(t)
	now := a.clock.Now()
	issue := func(authority testcard.Authority, id string, from, until time.Duration) testcard.Card {
		return must(authority.Issue(id, now.Add(from), now.Add(until)))(t)
	}
	at := func(card testcard.Card, at time.Time) string {
		return must(signature.Sign([]byte(note("x")), store.ContentJSON, card.Key, card.Chain, at))(t)
	}
	foreign := must(testcard.New(now, time.Hour))(t)
	good := a.sign(a.card, store.ContentJSON, note("x"))
	head, value, _ := strings.Cut(good, "..")
	expired := issue(a.cards, "T-4711", -time.Hour, -time.Minute)
	for name, c := range map[string]struct {
		signatures []string
		status     int
		reason     string
	}{
		"empty":                     {[]string{""}, 422, "signature-invalid"},
		"no JWS":                    {[]string{"x"}, 422, "signature-invalid"},
		"longer than allowed":       {[]string{head + ".." + strings.Repeat("A", signature.MaxSize)}, 422, "signature-invalid"},
		"attached payload":          {[]string{head + ".e30." + value}, 422, "signature-invalid"},
		"another value":             {[]string{head + ".." + strings.Repeat("A", 86)}, 422, "signature-invalid"},
		"over other bytes":          {[]string{a.sign(a.card, store.ContentJSON, note("y"))}, 422, "signature-invalid"},
		"over another media type":   {[]string{a.sign(a.card, store.ContentXHTML, note("x"))}, 422, "signature-invalid"},
		"card expired since":        {[]string{at(expired, now.Add(-2*time.Minute))}, 422, "signature-invalid"},
		"card expired when signed":  {[]string{at(expired, now)}, 422, "signature-invalid"},
		"card not valid yet":        {[]string{at(issue(a.cards, "T-4711", time.Minute, time.Hour), now)}, 422, "signature-invalid"},
		"signed before the card":    {[]string{at(a.card, now.Add(-2*time.Hour))}, 422, "signature-invalid"},
		"signed in the future":      {[]string{at(a.card, now.Add(time.Minute))}, 422, "signature-invalid"},
		"foreign card":              {[]string{at(issue(foreign, "T-4711", -time.Hour, time.Hour), now)}, 422, "signature-invalid"},
		"an assertion":              {[]string{a.unit.assert(a.unit.claims())}, 422, "signature-invalid"},
		"another professional":      {[]string{at(issue(a.cards, "T-9999", -time.Hour, time.Hour), now)}, 422, "signature-other-signer"},
		"another card without name": {[]string{at(issue(a.cards, "", -time.Hour, time.Hour), now)}, 422, "signature-other-signer"},
		"two":                       {[]string{good, good}, 400, "invalid-parameter"},
		"two, one bad":              {[]string{good, "x"}, 422, "signature-invalid"},
		"two in one line":           {[]string{good + "," + good}, 422, "signature-invalid"},
	} {
		got := a.unit.send("POST", storePath(a.client, task), store.ContentJSON, []byte(note("x")), signed(c.signatures...))
		a.check(name, got, c.status, c.reason)
		if c.reason == "signature-invalid" && got.json["hint"] == nil {
			t.Errorf("%s: nothing tells what is wrong: %s", name, got)
		}
	}
	if total := a.total(a.client); total != 0 {
		t.Errorf("%v documents were stored", total)
	}
	renewed := issue(a.cards, "T-4711", -time.Hour, time.Hour)
	a.expect("the professional's other card", a.unit.send("POST", storePath(a.client, task), store.ContentJSON, []byte(note("x")),
		signed(at(renewed, now))), http.StatusCreated)
}

// A card without an identifier signs for the professional who acts with the same card.
func TestACardWithoutIdentifierSigns(t *testing.T) {
	a := newArena(t)
	a.card = must(a.cards.Issue("", a.clock.Now().Add(-time.Hour), a.clock.Now().Add(time.Hour)))(t)
	got := a.expect("storing", a.unit.send("POST", storePath(a.client, task), store.ContentJSON, []byte(note("x")),
		signed(a.sign(a.card, store.ContentJSON, note("x")))), http.StatusCreated)
	if one := got.json["signatures"].([]any)[0].(map[string]any); one["signer"] != nil {
		t.Errorf("a signer that the card does not name: %v", one)
	}
}

func TestASignatureIsReadByWhoReadsTheDocument(t *testing.T) {
	a := newArena(t)
	id := a.expect("storing", a.unit.send("POST", storePath(a.client, task), store.ContentJSON, []byte(note("x")),
		signed(a.sign(a.card, store.ContentJSON, note("x")))), http.StatusCreated).id()
	path := "/documents/" + id + "/versions/1/signature"
	a.check("another unit", a.otherUnit.get(path), 404, "document-not-found")
	a.check("no such version", a.unit.get("/documents/"+id+"/versions/2/signature"), 404, "version-not-found")
	a.check("unknown format", a.unit.get(path+"?format=pdf"), 400, "invalid-parameter")
	a.check("unknown parameter", a.unit.get(path+"?of=json"), 400, "unknown-parameter")
	a.check("no assertion", a.unit.get(path, header(assertion.Header, "")), 401, "professional-missing")
	a.expect("annulling", a.organizer.annul(id, `"1"`, "wrong-client"), http.StatusOK)
	a.check("annulled", a.unit.get(path), 410, "document-annulled")
	if got := a.organizer.get(path + "?annulled=true"); got.status != http.StatusOK {
		t.Errorf("the evidence: %s", got)
	}
	a.endRelationship()
	a.check("after the end", a.unit.get(path), 403, "relationship-ended")
}

func TestARepetitionIsOneOfTheSignatureToo(t *testing.T) {
	a := newArena(t)
	jws := a.sign(a.card, store.ContentJSON, note("x"))
	send := func(signatures ...string) reply {
		return a.unit.send("POST", storePath(a.client, task), store.ContentJSON, []byte(note("x")),
			header("Idempotency-Key", "key-1"), signed(signatures...))
	}
	first := a.expect("first", send(jws), http.StatusCreated)
	if again := a.expect("again", send(jws), http.StatusOK); again.id() != first.id() {
		t.Errorf("another document: %s", again)
	}
	a.check("unsigned", send(), 422, "idempotency-key-reused")
	a.check("signed anew", send(a.sign(a.card, store.ContentJSON, note("x"))), 422, "idempotency-key-reused")
}

// A card is refused from the moment that the archive knows it to be revoked, to sign with and to act with.
func TestARevokedCardIsRefused(t *testing.T) {
	a := newArena(t)
	now := a.clock.Now()
	second := must(a.cards.Issue("T-4711", now.Add(-time.Hour), now.Add(time.Hour)))(t)
	jws := a.sign(second, store.ContentJSON, note("x"))
	send := func() reply {
		return a.unit.send("POST", storePath(a.client, task), store.ContentJSON, []byte(note("x")), signed(jws))
	}
	id := a.expect("before", send(), http.StatusCreated).id()
	revoke := func(cards ...testcard.Card) {
		a.revoked.Store(must(card.ParseRevocations(must(a.cards.Revoke(now, now.Add(time.Hour), cards...))(t)))(t))
	}
	revoke(second)
	got := send()
	a.check("to sign with", got, 422, "signature-invalid")
	if got.json["hint"] != "certificate has been revoked" {
		t.Errorf("the hint is %v", got.json["hint"])
	}
	if kept := a.unit.get("/documents/" + id + "/versions/1/signature"); string(kept.body) != jws {
		t.Errorf("what it signed before: %s", kept)
	}
	revoke(a.card)
	got = a.unit.get("/documents/" + id)
	a.check("to act with", got, 401, "assertion-chain-refused")
	if got.json["hint"] != "certificate has been revoked" {
		t.Errorf("the hint is %v", got.json["hint"])
	}
}
