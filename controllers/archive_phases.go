// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/ledger"
	"github.com/valtuus/valtuus/internal/pki"
	"github.com/valtuus/valtuus/internal/workload"
)

const (
	// authorityLifetime is long because the ledger, not the authority, decides what is accepted.
	authorityLifetime = 10 * 365 * 24 * time.Hour
	// serverLifetime is the lifetime of a server certificate.
	serverLifetime = 90 * 24 * time.Hour
)

// archiveScope is what one pass over an archive knows.
type archiveScope struct {
	archive *v1alpha1.Archive
	before  *v1alpha1.Archive // as it was last written
	now     time.Time
	wakeAt  time.Time
	// reason and message tell what stands in the way; empty when nothing does.
	reason, message string
	stalled         bool
	// users are the registries that a deletion waits for.
	users []string
	// ending is how many pods a deletion waits for.
	ending int
	// verdict is how a workload is; nil before it was looked at.
	verdict *workload.Verdict
	// lookAt is when what nobody tells of is looked at again.
	lookAt time.Time
}

// stop says what a person must change.
func (s *archiveScope) stop(reason, format string, args ...any) {
	s.reason, s.message, s.stalled = reason, fmt.Sprintf(format, args...), true
}

// wait says what is in the way and may pass by itself.
func (s *archiveScope) wait(reason, format string, args ...any) {
	s.stop(reason, format, args...)
	s.stalled = false
}

func (r *ArchiveReconciler) ensure(ctx context.Context, s *archiveScope) error {
	var namesakes v1alpha1.ArchiveList
	if err := r.List(ctx, &namesakes, in("", byName, s.archive.Name)...); err != nil {
		return err
	}
	if first := oldestArchive(pointers(namesakes.Items)); first != nil && first.UID != s.archive.UID {
		s.stop(v1alpha1.NameTakenReason, "Archive %s has the same name and is older: registries refer to an archive by name. Choose another name.", fullName(first))
		return nil
	}
	s.archive.Status.Endpoint = endpointOf(s.archive)
	if !holdsCertificate(s.archive.Spec.Professionals.TrustAnchors) {
		s.stop(v1alpha1.TrustAnchorsInvalidReason, "spec.professionals.trustAnchors must hold at least one CA certificate in PEM.")
		return nil
	}
	ca, err := r.authority(ctx, s)
	if err != nil || s.reason != "" {
		return err
	}
	if err := r.serverCertificate(ctx, s, ca); err != nil || s.reason != "" || s.archive.Spec.Workload == nil {
		return err
	}
	return r.run(ctx, s)
}

func holdsCertificate(text string) bool {
	found := false
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return found
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err != nil || !cert.IsCA {
			return false
		}
		found = true
	}
}

// authority reads the archive's certificate authority, or makes it once. One that was made and is lost is not
// made again: every credential in use rests on it, so a person must restore the Secret.
func (r *ArchiveReconciler) authority(ctx context.Context, s *archiveScope) (pki.CA, error) {
	ca, err := loadCA(ctx, r, s.archive)
	if err == nil {
		s.archive.Status.CABundle = string(ca.CertificatePEM())
		return ca, nil
	}
	if !errors.Is(err, errNoIssuer) {
		return ca, err
	}
	ref := authoritySecret(s.archive)
	if s.archive.Status.CABundle != "" {
		s.stop(v1alpha1.AuthorityLostReason, "Secret %s/%s with the certificate authority is missing or damaged: restore it from a backup, or delete the Archive and make it anew.", ref.Namespace, ref.Name)
		return ca, nil
	}
	if ca, err = pki.NewCA("Valtuus archive "+s.archive.Name, s.now, authorityLifetime); err != nil {
		return ca, err
	}
	err = r.Create(ctx, &corev1.Secret{
		ObjectMeta: secretMeta(ref, s.archive.UID, nil), Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: ca.CertificatePEM(), corev1.TLSPrivateKeyKey: ca.KeyPEM()},
	})
	if apierrors.IsAlreadyExists(err) {
		s.stop(v1alpha1.SecretConflictReason, "Secret %s/%s exists and was not made for this Archive: delete or rename it.", ref.Namespace, ref.Name)
		return ca, nil
	}
	s.archive.Status.CABundle = string(ca.CertificatePEM())
	return ca, err
}

// serverCertificate keeps the Secret that the archive mounts. Its key is made anew with each certificate.
func (r *ArchiveReconciler) serverCertificate(ctx context.Context, s *archiveScope, ca pki.CA) error {
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
	if leaf := serverLeaf(secret); leaf != nil && r.serves(leaf, s, ca) {
		s.record(leaf)
		return nil
	}
	key, err := pki.NewKey()
	if err != nil {
		return err
	}
	dnsNames, addresses := serverNames(s.archive)
	request := pki.ServerRequest{
		PublicKey: key.Public(), Serial: pki.NewSerial(), DNSNames: dnsNames,
		NotBefore: s.now.Add(-backdate), NotAfter: s.now.Add(serverLifetime),
	}
	for _, address := range addresses {
		request.IPs = append(request.IPs, net.ParseIP(address))
	}
	issued, err := pki.NewBuiltIn(ca).IssueServer(ctx, request)
	if errors.Is(err, pki.ErrNoName) {
		s.stop("NameMissing", "spec.external must list dnsNames or ipAddresses for the server certificate.")
		return nil
	}
	if err != nil {
		return err
	}
	fresh := &corev1.Secret{
		ObjectMeta: secretMeta(ref, s.archive.UID, nil), Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: issued.PEM, corev1.TLSPrivateKeyKey: key.PEM(), caCertificateKey: ca.CertificatePEM()},
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

// serves tells whether a certificate is of the authority, for the right names and not due for renewal.
func (r *ArchiveReconciler) serves(leaf *x509.Certificate, s *archiveScope, ca pki.CA) bool {
	roots := x509.NewCertPool()
	roots.AddCert(ca.Certificate())
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: s.now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	if err != nil || !s.now.Before(s.renewal(leaf)) {
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
