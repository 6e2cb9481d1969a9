// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/pki"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// made is a passed test with its report and what it is verified against.
type made struct {
	in     Input
	ca     pki.CA
	log    logproof.Key
	signed Signed
}

func newKey(t testing.TB) logproof.Key {
	t.Helper()
	text, err := logproof.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := logproof.ParseKey(text, uuid.UUID{7})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// input is a test that passed: each step rests on an event of its own, and the log has these and others.
func input(t testing.TB, log logproof.Key) Input {
	t.Helper()
	at := func(i int) metav1.MicroTime {
		return metav1.NewMicroTime(now.Add(time.Duration(i)*time.Second + 123456*time.Microsecond))
	}
	test := &v1alpha1.DeploymentTest{
		ObjectMeta: metav1.ObjectMeta{Namespace: "pirkanmaa", Name: "systems", UID: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
		Spec: v1alpha1.DeploymentTestSpec{Mode: v1alpha1.ModeObserved, Run: &v1alpha1.TestRun{
			Registry: v1alpha1.RegistryReference{Name: "clients"}, ProducerUnit: "1.2.246.10.2.10.1", ServiceTask: "elderly", StartsAt: metav1.NewTime(now),
		}},
	}
	system := func(name string) v1alpha1.TestedSystem {
		return v1alpha1.TestedSystem{Name: v1alpha1.ObjectName(name), Vendor: "Vendor & Sons", Product: "<Product>", Version: "1.0"}
	}
	tiles := logproof.Tiles{}
	var entries []logproof.Commitment
	for i := range 13 {
		entries = append(entries, sha256.Sum256([]byte{byte(i)}))
	}
	if _, err := tiles.Append(0, entries); err != nil {
		t.Fatal(err)
	}
	tree := logproof.NewTree(tiles)
	root, err := tree.Root(13)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := log.Sign("2026-03", tlog.Tree{N: 13, Hash: root})
	if err != nil {
		t.Fatal(err)
	}
	observation := &v1alpha1.TestObservation{
		RegistryOID: "2.25.329800735698586629295641978511506172918", Through: ptr.To(at(60)), Checkpoint: string(checkpoint),
		Destruction: &v1alpha1.TestDestruction{DestroyedAt: metav1.NewTime(now.Add(time.Hour)), Documents: ptr.To(int32(3)), Clients: ptr.To(int32(1))},
	}
	status := v1alpha1.DeploymentTestStatus{
		Result: v1alpha1.ResultPassed, PassedAt: ptr.To(metav1.NewTime(now.Add(8 * time.Second))), Observation: observation,
		Systems: &v1alpha1.TestedSystems{Organizer: system("a"), Producer: system("b")},
		Window: &v1alpha1.TestWindow{
			OpensAt: metav1.NewTime(now), ClosesAt: metav1.NewTime(now.Add(time.Hour)), OpenedAt: ptr.To(metav1.NewTime(now)),
			Extensions: []v1alpha1.TestExtension{{Until: metav1.NewTime(now.Add(time.Hour)), Reason: "The archive was down."}},
		},
	}
	for i, name := range order {
		party := v1alpha1.PartyOrganizer
		if strings.HasPrefix(string(name), "Producer") {
			party = v1alpha1.PartyProducer
		}
		leaf := int64(i + 3)
		proof, err := tree.Inclusion(13, leaf)
		if err != nil {
			t.Fatal(err)
		}
		hash := tlog.RecordHash(entries[leaf][:])
		evidence := &v1alpha1.TestEvidence{LeafIndex: ptr.To(leaf), LeafHash: hash.String()}
		for _, one := range proof {
			evidence.Proof = append(evidence.Proof, one.String())
		}
		event := v1alpha1.TestEvent{Number: int32(i + 1), At: ptr.To(at(i)), Party: party, Operation: v1alpha1.OperationOther, Evidence: evidence}
		if of := operations[name]; len(of) > 0 {
			event.Operation = of[0]
		} else {
			event.Reason = "relationship-ended"
		}
		observation.Events = append(observation.Events, event)
		status.Steps = append(status.Steps, v1alpha1.TestStep{
			Name: name, Party: party, State: v1alpha1.StepSeen, Event: ptr.To(int32(i + 1)), SeenAt: ptr.To(metav1.NewTime(at(i).Truncate(time.Second))),
		})
	}
	test.Status = status
	organization := func(oid v1alpha1.OID, fi, sv string) *v1alpha1.Organization {
		return &v1alpha1.Organization{Spec: v1alpha1.OrganizationSpec{OID: oid, DisplayName: v1alpha1.LocalizedName{Fi: fi, Sv: sv}}}
	}
	return Input{
		Test: test, Registry: &v1alpha1.Registry{Spec: v1alpha1.RegistrySpec{OID: "1.2.246.10.1.19.0"}},
		Organizer: organization("1.2.246.10.1", "Pirkanmaa", "Birkaland"), Producer: organization("1.2.246.10.2", "Yritys", ""),
		SignedAt: now.Add(2 * time.Hour),
	}
}

func newCA(t testing.TB) pki.CA {
	t.Helper()
	ca, err := pki.NewCA("test", now, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func newReport(t testing.TB) made {
	t.Helper()
	m := made{ca: newCA(t), log: newKey(t)}
	m.in = input(t, m.log)
	signed, err := Sign(t.Context(), Compose(m.in), pki.NewBuiltIn(m.ca))
	if err != nil {
		t.Fatal(err)
	}
	m.signed = signed
	return m
}

func (m *made) options() Options {
	pool := x509.NewCertPool()
	pool.AddCert(m.ca.Certificate())
	return Options{Authority: pool, Log: ptr.To(m.log.Verifier())}
}

func TestAReportHolds(t *testing.T) {
	g := NewWithT(t)
	m := newReport(t)
	v, err := Verify(m.signed.JWS, m.options())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(v.Proven).To(Equal(8))
	g.Expect(v.Unproven).To(BeZero())
	g.Expect(v.Digest).To(Equal(m.signed.Digest))
	g.Expect(v.Parties.Producer.Name.Fi).To(Equal("Yritys"))
	g.Expect(v.Times.Extensions).To(HaveLen(1))
	g.Expect(v.Simulated).To(BeFalse())
	without := m.options()
	without.Log = nil
	_, err = Verify(m.signed.JWS, without)
	g.Expect(err).NotTo(HaveOccurred(), "the proofs hold, whether or not the checkpoint is known to be the log's")
}

// TestAForgedReportIsRefused changes a report after it was signed, signs one with what is not for it, and signs what cannot be.
func TestAForgedReportIsRefused(t *testing.T) {
	m := newReport(t)
	parts := strings.Split(m.signed.JWS, ".")
	edited := strings.Join([]string{parts[0], base64url(strings.Replace(decoded(t, parts[1]), `"result":"Passed"`, `"result":"Failed"`, 1)), parts[2]}, ".")
	resigned := func(change func(*Document)) string {
		d := Compose(m.in)
		change(&d)
		signed, err := Sign(t.Context(), d, pki.NewBuiltIn(m.ca))
		if err != nil {
			t.Fatal(err)
		}
		return signed.JWS
	}
	other := made{in: m.in, ca: newCA(t)}
	byOther, err := Sign(t.Context(), Compose(m.in), pki.NewBuiltIn(other.ca))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		jws  string
		want error
		says string
	}{
		"an edited field":       {edited, ErrSignature, "changed, or signed by another key"},
		"another key":           {otherKey(t, &m), ErrSignature, "another key"},
		"another authority":     {byOther.JWS, ErrSigner, "not certified"},
		"a client's credential": {byClient(t, &m), ErrSigner, "not certified"},
		"a proof of another event": {resigned(func(d *Document) {
			e := d.Observation.Events
			e[2].Evidence.Proof, e[3].Evidence.Proof = e[3].Evidence.Proof, e[2].Evidence.Proof
		}), ErrEvidence, "event 3: the proof does not lead"},
		"another leaf":              {resigned(func(d *Document) { d.Observation.Events[0].Evidence.LeafIndex = ptr.To(int64(12)) }), ErrEvidence, "event 1"},
		"no proof":                  {resigned(func(d *Document) { d.Observation.Events[4].Evidence = nil }), ErrEvidence, "OrganizerSearched rests on event 5, which has no proof"},
		"another log":               {resigned(func(d *Document) { d.Observation.Checkpoint = input(t, newKey(t)).Test.Status.Observation.Checkpoint }), ErrEvidence, "checkpoint"},
		"a step less":               {resigned(func(d *Document) { d.Steps = d.Steps[:7] }), ErrContradiction, "7 of 8 steps"},
		"a step that was not seen":  {resigned(func(d *Document) { d.Steps[7].State = v1alpha1.StepPending }), ErrContradiction, "7 of 8 steps"},
		"a step of the other party": {resigned(func(d *Document) { d.Observation.Events[1].Party = v1alpha1.PartyOrganizer }), ErrContradiction, "ProducerSearched"},
		"a step without its event":  {resigned(func(d *Document) { d.Steps[0].Event = ptr.To(int32(9)) }), ErrContradiction, "not there"},
		"an event before the one that it comes after": {resigned(func(d *Document) {
			d.Observation.Events[3].At = ptr.To(metav1.NewMicroTime(d.Observation.Events[2].At.Add(-time.Microsecond)))
		}), ErrContradiction, "event 4 was before"},
		"steps in another order than their events": {resigned(func(d *Document) {
			e := d.Observation.Events
			e[1].Operation, e[2].Operation = e[2].Operation, e[1].Operation
			d.Steps[1].Event, d.Steps[2].Event = d.Steps[2].Event, d.Steps[1].Event
			d.Steps[1].SeenAt, d.Steps[2].SeenAt = d.Steps[2].SeenAt, d.Steps[1].SeenAt
		}), ErrContradiction, "ProducerRead rests on an event that is not after"},
		"two steps of one event": {resigned(func(d *Document) {
			d.Steps[6].Event, d.Steps[6].SeenAt = d.Steps[5].Event, d.Steps[5].SeenAt
		}), ErrContradiction, "RelationshipEnded rests on an event that is not after"},
		"an operation that is not the step": {resigned(func(d *Document) {
			d.Observation.Events[2].Operation = v1alpha1.OperationSearch
		}), ErrContradiction, "ProducerRead rests on a request that is no such step: Search"},
		"a step that was refused": {resigned(func(d *Document) { d.Observation.Events[2].Reason = "not-permitted" }),
			ErrContradiction, "ProducerRead rests on a request that was refused: not-permitted"},
		"a refusal that was none": {resigned(func(d *Document) { d.Observation.Events[7].Reason = "" }), ErrContradiction, "ProducerRefused rests on a request that was allowed"},
		"one place in the log twice": {resigned(func(d *Document) {
			e := d.Observation.Events
			e[5].Evidence = e[4].Evidence.DeepCopy()
		}), ErrContradiction, "event 6 has the place in the log of another event"},
		"a simulation that hides it": {resigned(func(d *Document) { d.Test.Mode = v1alpha1.ModeSimulated }), ErrContradiction, "simulated"},
		"other words":                {resigned(func(d *Document) { d.ResultText = results[v1alpha1.ResultFailed] }), ErrContradiction, "words"},
		"a code":                     {resigned(func(d *Document) { d.Times.Extensions[0].Reason = "131052-308T" }), ErrContradiction, "identity code"},
		"another form":               {resigned(func(d *Document) { d.Format = "other" }), ErrMalformed, "no signed report"},
		"no algorithm":               {base64url(`{"alg":"none","typ":"`+joseType+`","x5c":[]}`) + "." + parts[1] + ".", ErrMalformed, "no signed report"},
		"nothing":                    {"", ErrMalformed, ""},
		"a line break":               {m.signed.JWS + "\n", ErrMalformed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Verify(c.jws, m.options())
			g := NewWithT(t)
			g.Expect(err).To(MatchError(c.want))
			g.Expect(err.Error()).To(ContainSubstring(c.says))
		})
	}
}

func decoded(t *testing.T, part string) string {
	t.Helper()
	raw, err := decodeBase64(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// otherKey puts the certificate of the report's key beside another key's signature.
func otherKey(t *testing.T, m *made) string {
	t.Helper()
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	issued, err := pki.NewBuiltIn(m.ca).IssueSigner(t.Context(), pki.SignerRequest{
		PublicKey: mustKey(t).Public(), Serial: pki.NewSerial(), NotBefore: now, NotAfter: now.Add(3 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return signWith(t, m, key, issued.Certificate)
}

// byClient signs with the credential of a client of the archive.
func byClient(t *testing.T, m *made) string {
	t.Helper()
	key := mustKey(t)
	issued, err := pki.NewBuiltIn(m.ca).Issue(t.Context(), pki.ClientRequest{
		Identity:  pki.Identity{TrustDomain: "archive.example", Registry: "1.2.246.10.1.19.0"},
		PublicKey: key.Public(), Serial: pki.NewSerial(), NotBefore: now, NotAfter: now.Add(3 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return signWith(t, m, key, issued.Certificate)
}

func mustKey(t testing.TB) pki.Key {
	t.Helper()
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func signWith(t testing.TB, m *made, key pki.Key, leaf *x509.Certificate) string {
	t.Helper()
	d := Compose(m.in)
	payload, err := d.encode()
	if err != nil {
		t.Fatal(err)
	}
	options := (&jose.SignerOptions{}).WithType(joseType).WithHeader("x5c", card.Encode([]*x509.Certificate{leaf}))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: cryptosigner.Opaque(key)}, options)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestTheCertificateOfAReportOpensNothing: nobody connects with the key of a report.
func TestTheCertificateOfAReportOpensNothing(t *testing.T) {
	g := NewWithT(t)
	m := newReport(t)
	_, leaf, err := open(m.signed.JWS)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = leaf.Verify(x509.VerifyOptions{Roots: m.options().Authority, CurrentTime: now.Add(2 * time.Hour), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	g.Expect(err).To(HaveOccurred())
	_, err = pki.IdentityOf(leaf)
	g.Expect(err).To(HaveOccurred())
}

// TestASimulatedReportSaysSoEverywhere: in the document and in each view.
func TestASimulatedReportSaysSoEverywhere(t *testing.T) {
	g := NewWithT(t)
	m := newReport(t)
	m.in.Test.Spec.Mode = v1alpha1.ModeSimulated
	d := Compose(m.in)
	signed, err := Sign(context.Background(), d, pki.NewBuiltIn(m.ca))
	g.Expect(err).NotTo(HaveOccurred())
	v, err := Verify(signed.JWS, m.options())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(v.Simulated).To(BeTrue())
	for language, says := range map[string]string{"fi": "SIMULOITU KOE", "sv": "SIMULERAT PROV", "en": "SIMULATED TEST"} {
		page, err := d.View(language)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(page)).To(ContainSubstring(says))
	}
}

// TestTheViewIsXHTML and escapes what others wrote.
// TestTheReportTellsWhatWasAgreedOn: the time that both parties accepted, whatever the organizer's proposal says when it is
// signed, the formats that were judged by, and why a test whose steps were all seen has not passed.
func TestTheReportTellsWhatWasAgreedOn(t *testing.T) {
	g := NewWithT(t)
	in := input(t, newKey(t))
	in.Test.Spec.Run.StartsAt = metav1.NewTime(now.Add(-240 * time.Hour))
	in.Test.Status.Systems.Organizer.Formats = []v1alpha1.DocumentFormat{v1alpha1.FormatXHTML}
	in.Test.Status.Result, in.Test.Status.PassedAt = v1alpha1.ResultFailed, nil
	in.Test.Status.Window.Message = "One of the systems was changed."
	document := Compose(in)
	g.Expect(document.Times.StartsAt.Time).To(Equal(now))
	g.Expect(document.Systems.Organizer.Formats).To(Equal([]v1alpha1.DocumentFormat{v1alpha1.FormatXHTML}))
	g.Expect(document.Message).To(Equal("One of the systems was changed."))
	for _, language := range Languages {
		page, err := document.View(language)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(page)).To(And(ContainSubstring("One of the systems was changed."), ContainSubstring("2026-03-02")))
		g.Expect(string(page)).NotTo(ContainSubstring("2026-02-20"))
	}
}

func TestTheViewIsXHTML(t *testing.T) {
	m := newReport(t)
	d := Compose(m.in)
	for _, language := range Languages {
		g := NewWithT(t)
		page, err := d.View(language)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(page)).To(And(ContainSubstring("&lt;Product&gt;"), ContainSubstring("Vendor &amp; Sons"), Not(ContainSubstring("<Product>"))))
		g.Expect(strictXML(page)).To(Succeed())
		for _, step := range d.Steps {
			g.Expect(string(page)).To(ContainSubstring(strings.ReplaceAll(step.Title.In(language), "'", "&#39;")))
		}
	}
}

// TestEveryStepAndResultHasWords in each language.
func TestEveryStepAndResultHasWords(t *testing.T) {
	g := NewWithT(t)
	all := []Text{title, simulated}
	for _, name := range order {
		all = append(all, stepTitles[name])
	}
	for _, text := range labels {
		all = append(all, text)
	}
	all = append(all, results[v1alpha1.ResultPassed], results[v1alpha1.ResultFailed], states[v1alpha1.StepSeen], states[v1alpha1.StepPending], states[v1alpha1.StepFailed])
	for _, text := range all {
		g.Expect(text.Fi).NotTo(BeEmpty())
		g.Expect(text.Sv).NotTo(BeEmpty())
		g.Expect(text.En).NotTo(BeEmpty())
	}
}

func FuzzVerify(f *testing.F) {
	m := newReport(f)
	f.Add(m.signed.JWS)
	f.Add("e30.e30.AA")
	parts := strings.Split(m.signed.JWS, ".")
	f.Add(parts[0] + "." + base64url("{}") + "." + parts[2])
	opts := m.options()
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Verify(text, opts)
		if err == nil && text != m.signed.JWS {
			t.Fatal("a report passes that was never signed")
		}
		if err != nil && v.Proven+v.Unproven > 0 {
			t.Fatal("a report that is refused tells something")
		}
	})
}
