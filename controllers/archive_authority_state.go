// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/authority"
	"github.com/valtuus/valtuus/internal/pki"
)

// authoritiesOf reads from an archive's status which authorities it has. What a former version wrote has one, which issues.
func authoritiesOf(archive *v1alpha1.Archive) authority.State {
	var state authority.State
	for _, certificate := range certificatesIn(archive.Status.CABundle) {
		state.Bundle = append(state.Bundle, authorityFacts(certificate))
	}
	if len(state.Bundle) == 0 {
		return authority.State{}
	}
	told := archive.Status.Authority
	if told == nil {
		state.Stage, state.Issuing = authority.Stable, state.Bundle[0].Fingerprint
		return state
	}
	state.Stage, state.Rotation = authority.Stage(told.Stage), ptr.Deref(told.Rotation, 0)
	state.Issuing, state.Next = told.Fingerprint, told.NextFingerprint
	state.Since, state.PublishedAt = told.StageSince.UTC(), instant(told.PublishedAt).UTC()
	return state
}

// setAuthorities writes a state into the status. Certificates holds what the bundle names.
func (s *archiveScope) setAuthorities(state authority.State, certificates map[string]*x509.Certificate) {
	status := &s.archive.Status
	var bundle strings.Builder
	for _, known := range state.Bundle {
		_ = pem.Encode(&bundle, &pem.Block{Type: "CERTIFICATE", Bytes: certificates[known.Fingerprint].Raw})
	}
	status.CABundle = bundle.String()
	status.Authority = &v1alpha1.AuthorityStatus{
		Stage: v1alpha1.AuthorityStage(state.Stage), Rotation: ptr.To(state.Rotation),
		Fingerprint: state.Issuing, NotAfter: metav1.NewTime(state.IssuingUntil()), NextFingerprint: state.Next,
		StageSince: metav1.NewTime(state.Since), PublishedAt: moment(state.PublishedAt),
	}
	s.authorities = authoritiesOf(s.archive)
}

func authorityFacts(certificate *x509.Certificate) authority.Certificate {
	return authority.Certificate{
		Fingerprint: pki.FingerprintOf(certificate).String(), NotBefore: certificate.NotBefore, NotAfter: certificate.NotAfter,
	}
}

// certificatesIn reads the certificates of a bundle in PEM, and passes over what is none.
func certificatesIn(bundle string) []*x509.Certificate { return pki.CertificatesIn([]byte(bundle)) }

// bundleHash stands for an archive's bundle in the status of those who were given it.
func bundleHash(archive *v1alpha1.Archive) string {
	sum := sha256.Sum256([]byte(archive.Status.CABundle))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
