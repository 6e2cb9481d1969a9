// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/authority"
	"github.com/valtuus/valtuus/internal/ledger"
	"github.com/valtuus/valtuus/internal/pki"
)

// serverLifetime is the lifetime of a server certificate.
const serverLifetime = 90 * 24 * time.Hour

// serverCertificate keeps the Secret that the archive mounts. Its key is made anew with each certificate; the authorities
// of clients change without that.
func (r *ArchiveReconciler) serverCertificate(ctx context.Context, s *archiveScope) error {
	ref := serverSecret(s.archive)
	secret, err := readSecret(ctx, r, ref)
	if err != nil {
		return err
	}
	if secret != nil && !madeFor(secret, s.archive.UID) {
		s.stop(v1alpha1.SecretConflictReason, "Secret %s/%s exists and was not made for this Archive: delete or rename it.", ref.Namespace, ref.Name)
		return nil
	}
	s.archive.Status.ServerSecretRef = &ref
	leaf := serverLeaf(secret)
	seen := authority.ServerSeen{Present: secret != nil, Serves: leaf != nil && s.serves(leaf), CanIssue: !s.issuing.IsZero()}
	if seen.Serves {
		s.record(leaf)
	}
	seen.Told = seen.Present && string(secret.Data[caCertificateKey]) == s.archive.Status.CABundle
	switch authority.NextOfServer(seen) {
	case authority.ServerIssue:
		return r.issueServer(ctx, s, ref, secret)
	case authority.ServerTell:
		if secret.Data == nil {
			secret.Data = map[string][]byte{}
		}
		secret.Data[caCertificateKey] = []byte(s.archive.Status.CABundle)
		return r.Update(ctx, secret)
	case authority.ServerLeave:
	}
	return nil
}

func (r *ArchiveReconciler) issueServer(ctx context.Context, s *archiveScope, ref v1alpha1.SecretReference, secret *corev1.Secret) error {
	key, err := pki.NewKey()
	if err != nil {
		return err
	}
	dnsNames, addresses := serverNames(s.archive)
	request := pki.ServerRequest{
		PublicKey: key.Public(), Serial: pki.NewSerial(), DNSNames: dnsNames,
		NotBefore: s.now.Add(-backdate), NotAfter: s.now.Add(serverLifetime),
	}
	if until := s.authorities.IssuingUntil(); until.Before(request.NotAfter) {
		request.NotAfter = until
	}
	for _, address := range addresses {
		request.IPs = append(request.IPs, net.ParseIP(address))
	}
	issued, err := pki.NewBuiltIn(s.issuing).IssueServer(ctx, request)
	if errors.Is(err, pki.ErrNoName) {
		s.stop("NameMissing", "spec.external must list dnsNames or ipAddresses for the server certificate.")
		return nil
	}
	if err != nil {
		return err
	}
	fresh := &corev1.Secret{
		ObjectMeta: secretMeta(ref, s.archive.UID, nil), Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{
			corev1.TLSCertKey: issued.PEM, corev1.TLSPrivateKeyKey: key.PEM(), caCertificateKey: []byte(s.archive.Status.CABundle),
		},
	}
	if secret == nil {
		err = r.Create(ctx, fresh)
	} else {
		fresh.ResourceVersion, fresh.UID = secret.ResourceVersion, secret.UID
		err = r.Update(ctx, fresh)
	}
	if err == nil {
		s.record(issued.Certificate)
	}
	return err
}

func serverLeaf(secret *corev1.Secret) *x509.Certificate {
	if secret == nil {
		return nil
	}
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return nil
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil
	}
	return leaf
}

// serves tells whether a certificate is of the authority that issues, for the right names and not due for renewal.
func (s *archiveScope) serves(leaf *x509.Certificate) bool {
	if !issuedBy(leaf, s) || !s.now.Before(s.renewal(leaf)) {
		return false
	}
	dnsNames, addresses := serverNames(s.archive)
	if len(leaf.DNSNames) != len(dnsNames) || len(leaf.IPAddresses) != len(addresses) {
		return false
	}
	for _, name := range slices.Concat(dnsNames, addresses) {
		if leaf.VerifyHostname(name) != nil {
			return false
		}
	}
	return true
}

// issuedBy tells whether the authority that issues has issued a certificate that serves now. It takes no key.
func issuedBy(leaf *x509.Certificate, s *archiveScope) bool {
	roots := x509.NewCertPool()
	for _, certificate := range certificatesIn(s.archive.Status.CABundle) {
		if pki.FingerprintOf(certificate).String() == s.authorities.Issuing {
			roots.AddCert(certificate)
		}
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: s.now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	return err == nil
}

// renewal is a function of the certificate and the archive, so it is the same at each look.
func (s *archiveScope) renewal(leaf *x509.Certificate) time.Time {
	return ledger.RenewAt(string(s.archive.UID), pki.FingerprintOf(leaf).String(), leaf.NotBefore.Add(backdate), leaf.NotAfter)
}

func (s *archiveScope) record(leaf *x509.Certificate) {
	s.wakeAt = s.renewal(leaf)
	s.archive.Status.ServerCertificate = &v1alpha1.ServerCertificate{
		Fingerprint: pki.FingerprintOf(leaf).String(), NotAfter: metav1.NewTime(leaf.NotAfter), RenewAt: metav1.NewTime(s.wakeAt),
	}
}
