// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/x509"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/authority"
	"github.com/valtuus/valtuus/internal/pki"
)

// authorityLifetime is long because the ledger, not the authority, decides what is accepted.
const authorityLifetime = 10 * 365 * 24 * time.Hour

// authoritySlots are the two Secrets for authorities as they are in the cluster.
type authoritySlots struct {
	main, spare     *corev1.Secret
	mainCA, spareCA pki.CA
}

// authority takes the steps of package authority. What changes the status ends the pass: it is persisted before anything
// rests on it.
func (r *ArchiveReconciler) authority(ctx context.Context, s *archiveScope) error {
	s.authorities = authoritiesOf(s.archive)
	const mostSteps = 4
	for range mostSteps {
		slots, err := r.authoritySlots(ctx, s)
		if err != nil {
			return err
		}
		seen, err := r.observeAuthorities(ctx, s, slots)
		if err != nil {
			return err
		}
		step := authority.Next(s.authorities, seen, s.now)
		s.authorityAt, s.waits = step.WakeAt, step.Waits
		switch step.Action {
		case authority.Make:
			err = r.makeAuthority(ctx, s, slots, step.Spare)
		case authority.Move:
			err = r.moveAuthority(ctx, s, slots)
		case authority.Drop:
			err = r.dropAuthority(ctx, slots)
		case authority.Write:
			first := s.authorities.Stage == ""
			s.setAuthorities(step.State, slots.certificates(s.archive))
			if !first { // the first has nobody to wait for
				s.again = true
				return nil
			}
		case authority.Conflict:
			ref := authorityRef(s.archive, step.Spare)
			s.stop(v1alpha1.SecretConflictReason, "Secret %s/%s exists and was not made for this Archive: delete or rename it.", ref.Namespace, ref.Name)
			s.issuing = slots.holding(s.authorities.Issuing)
			return nil
		case authority.Lost:
			ref := authorityRef(s.archive, step.Spare)
			s.stop(v1alpha1.AuthorityLostReason, "Secret %s/%s with the certificate authority is missing or damaged: %s.", ref.Namespace, ref.Name, step.Remedy)
			s.issuing = slots.holding(s.authorities.Issuing)
			return nil
		case authority.None:
			if s.archive.Status.Authority == nil { // a former version made it
				s.authorities.Since = s.now
				s.setAuthorities(s.authorities, slots.certificates(s.archive))
			}
			s.issuing = slots.holding(s.authorities.Issuing)
			return nil
		}
		if err != nil || s.stalled {
			return err
		}
	}
	s.again = true
	return nil
}

func authorityRef(archive *v1alpha1.Archive, spare bool) v1alpha1.SecretReference {
	if spare {
		return spareAuthoritySecret(archive)
	}
	return authoritySecret(archive)
}

// authoritySlots reads the main Secret, and the spare one where it can matter.
func (r *ArchiveReconciler) authoritySlots(ctx context.Context, s *archiveScope) (slots authoritySlots, err error) {
	if slots.main, err = readSecret(ctx, r, authoritySecret(s.archive)); err != nil {
		return slots, err
	}
	slots.mainCA = authorityIn(slots.main, s.archive)
	// A settled archive has none.
	if state := &s.authorities; state.Stage == authority.Stable && rotationOf(s.archive) <= state.Rotation && !state.Due(s.now) {
		return slots, nil
	}
	slots.spare, err = readSecret(ctx, r, spareAuthoritySecret(s.archive))
	slots.spareCA = authorityIn(slots.spare, s.archive)
	return slots, err
}

func rotationOf(archive *v1alpha1.Archive) int32 {
	if policy := archive.Spec.Authority; policy != nil {
		return policy.Rotation
	}
	return 0
}

func (s *authoritySlots) holding(fingerprint string) pki.CA {
	for _, ca := range []pki.CA{s.mainCA, s.spareCA} {
		if !ca.IsZero() && pki.FingerprintOf(ca.Certificate()).String() == fingerprint {
			return ca
		}
	}
	return pki.CA{}
}

// certificates gives all that a bundle may be made of.
func (s *authoritySlots) certificates(archive *v1alpha1.Archive) map[string]*x509.Certificate {
	out := map[string]*x509.Certificate{}
	for _, certificate := range append(certificatesIn(archive.Status.CABundle), s.mainCA.Certificate(), s.spareCA.Certificate()) {
		if certificate != nil {
			out[pki.FingerprintOf(certificate).String()] = certificate
		}
	}
	return out
}

// makeAuthority makes an authority in a Secret that is not there, or holds nothing that can be used.
func (r *ArchiveReconciler) makeAuthority(ctx context.Context, s *archiveScope, slots authoritySlots, spare bool) error {
	ca, err := pki.NewCA("Valtuus archive "+s.archive.Name, s.now, authorityLifetime)
	if err != nil {
		return err
	}
	current := slots.main
	if spare {
		current = slots.spare
	}
	return r.writeAuthority(ctx, s, authorityRef(s.archive, spare), current, ca)
}

// moveAuthority puts the authority that issues where the former one was, whose key is destroyed by that.
func (r *ArchiveReconciler) moveAuthority(ctx context.Context, s *archiveScope, slots authoritySlots) error {
	return r.writeAuthority(ctx, s, authoritySecret(s.archive), slots.main, slots.spareCA)
}

func (r *ArchiveReconciler) writeAuthority(ctx context.Context, s *archiveScope, ref v1alpha1.SecretReference, current *corev1.Secret, ca pki.CA) error {
	fresh := &corev1.Secret{
		ObjectMeta: secretMeta(ref, s.archive.UID, nil), Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: ca.CertificatePEM(), corev1.TLSPrivateKeyKey: ca.KeyPEM()},
	}
	if current == nil {
		err := r.Create(ctx, fresh)
		if apierrors.IsAlreadyExists(err) {
			s.stop(v1alpha1.SecretConflictReason, "Secret %s/%s exists and was not made for this Archive: delete or rename it.", ref.Namespace, ref.Name)
			return nil
		}
		return err
	}
	fresh.ResourceVersion, fresh.UID = current.ResourceVersion, current.UID
	return r.Update(ctx, fresh)
}

// dropAuthority deletes the spare Secret, if it still holds what was looked at.
func (r *ArchiveReconciler) dropAuthority(ctx context.Context, slots authoritySlots) error {
	return client.IgnoreNotFound(r.Delete(ctx, slots.spare, client.Preconditions{UID: &slots.spare.UID, ResourceVersion: ptr.To(slots.spare.ResourceVersion)}))
}
