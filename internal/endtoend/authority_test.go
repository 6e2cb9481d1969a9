// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/archiveclient"
	"github.com/valtuus/valtuus/internal/pki"
)

// TestInvariant1_AnotherArchivesCertificateFailsTheHandshake: what another archive issued does not even get to ask.
func TestInvariant1_AnotherArchivesCertificateFailsTheHandshake(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	ours, theirs := shared.of(t).begin(t, settings{}), shared.of(t).begin(t, settings{})
	theirs.open(theirs.North, nil)
	c := ours.open(ours.North, nil)
	foreign, err := theirs.Credential(background, theirs.UnitSecret(theirs.North))
	g.Expect(err).NotTo(HaveOccurred())
	own, err := ours.Credential(background, ours.UnitSecret(ours.North))
	g.Expect(err).NotTo(HaveOccurred())
	before := len(ours.journal.at(ours.archive.Endpoint))

	stranger := ours.callerWith(ours.archive, archiveclient.Credential{Certificate: foreign.Certificate, Authority: own.Authority})
	_, err = stranger.Read(background, c.decision)
	g.Expect(err).To(HaveOccurred())
	g.Expect(errors.As(err, new(*archiveclient.Problem))).To(BeFalse(), "an answer: %v", err)
	g.Expect(handshake(ours.archive.Endpoint, own.Authority, offering(foreign.Certificate))).
		To(MatchError(ContainSubstring("tls: certificate required")), "a good client does not even offer it")
	g.Expect(handshake(ours.archive.Endpoint, own.Authority, insistingOn(foreign.Certificate))).
		To(MatchError(ContainSubstring("tls: unknown certificate authority")))
	// Nor does an archive of another authority pass for ours.
	deceived := ours.callerWith(theirs.archive, own)
	_, err = deceived.Read(background, c.decision)
	g.Expect(err).To(MatchError(ContainSubstring("certificate signed by unknown authority")))
	g.Expect(ours.journal.at(ours.archive.Endpoint)).To(HaveLen(before), "an answer")
}

// TestInvariant1_AStolenAuthorityOpensNothing: the authority's key makes certificates that pass the handshake, but no
// line of a ledger.
func TestInvariant1_AStolenAuthorityOpensNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := shared.of(t).begin(t, settings{})
	c := s.open(s.North, nil)
	secret := &corev1.Secret{}
	g.Expect(s.Get(background, client.ObjectKey{Namespace: s.Platform, Name: s.Archive.Name + "-ca"}, secret)).To(Succeed())
	stolen, err := pki.LoadCA(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	g.Expect(err).NotTo(HaveOccurred())
	for _, identity := range []pki.Identity{
		{TrustDomain: "archive.example", Registry: string(s.Registry.Spec.OID), Unit: string(s.North.Spec.OID)},
		{TrustDomain: "archive.example", Registry: string(s.Registry.Spec.OID)}, // the organizer itself
	} {
		thief := s.callerWith(s.archive, forge(g, stolen, identity))
		_, err = thief.Read(background, c.decision)
		g.Expect(reasonOf(err)).To(Equal("credential-not-listed"))
		_, err = thief.Search(background, archiveQuery(c.id))
		g.Expect(reasonOf(err)).To(Equal("credential-not-listed"))
		_, err = thief.Store(background, c.document("case-note", "elderly", "forged"))
		g.Expect(reasonOf(err)).To(Equal("credential-not-listed"))
		_, err = thief.FindClient(background, c.code)
		g.Expect(reasonOf(err)).To(Equal("credential-not-listed"))
		_, err = thief.RegisterClient(background, newCode())
		g.Expect(reasonOf(err)).To(BeElementOf("credential-not-listed", "extent-insufficient"))
	}
}

// forge makes a credential that no ledger lists.
func forge(g Gomega, ca pki.CA, identity pki.Identity) archiveclient.Credential {
	key, err := pki.NewKey()
	g.Expect(err).NotTo(HaveOccurred())
	issued, err := pki.NewBuiltIn(ca).Issue(background, pki.ClientRequest{
		Identity: identity, PublicKey: key.Public(), Serial: pki.NewSerial(),
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
	})
	g.Expect(err).NotTo(HaveOccurred())
	credential, err := archiveclient.ReadCredential(issued.PEM, key.PEM(), ca.CertificatePEM())
	g.Expect(err).NotTo(HaveOccurred())
	return credential
}

// offering has a client offer a certificate to a server that names its authority.
func offering(certificate tls.Certificate) func(*tls.Config) {
	return func(config *tls.Config) { config.Certificates = []tls.Certificate{certificate} }
}

// insistingOn has a client offer a certificate though the server did not name its authority.
func insistingOn(certificate tls.Certificate) func(*tls.Config) {
	return func(config *tls.Config) {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }
	}
}

// handshake tells how a handshake ended. In TLS 1.3 the client learns only by reading what the server thinks of its
// certificate. It sends nothing before: the server may have closed the connection by then, and a client that writes hears
// of that in the place of the reason.
func handshake(endpoint string, authority *x509.CertPool, client func(*tls.Config)) error {
	config := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: authority, NextProtos: []string{"http/1.1"}}
	client(config)
	dialer := tls.Dialer{Config: config}
	connection, err := dialer.DialContext(background, "tcp", strings.TrimPrefix(endpoint, "https://"))
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	_, err = connection.Read(make([]byte, 1))
	return err
}
