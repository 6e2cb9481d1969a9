// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/authority"
	"github.com/valtuus/valtuus/internal/pki"
)

// observeAuthorities looks at what the next step rests on. Who holds which credential is read from the cache, where each
// ledger tells by whom its lines were issued and each holder which bundle it was given: however many Secrets there are,
// none is read here.
func (r *ArchiveReconciler) observeAuthorities(ctx context.Context, s *archiveScope, slots authoritySlots) (authority.Observed, error) {
	seen := authority.Observed{
		Settle: r.settle, Asked: rotationOf(s.archive),
		Main: slotFacts(slots.main, s.archive, slots.mainCA), Spare: slotFacts(slots.spare, s.archive, slots.spareCA),
	}
	if s.authorities.Stage == "" || s.authorities.Stage == authority.Stable {
		return seen, nil
	}
	var err error
	if s.server, err = readSecret(ctx, r, serverSecret(s.archive)); err != nil {
		return seen, err
	}
	seen.ServerGone = s.server == nil
	seen.SecretsCarry = seen.ServerGone || string(s.server.Data[caCertificateKey]) == s.archive.Status.CABundle
	seen.OwnKeysKnow = true
	if err := r.observeReplicas(ctx, s, &seen); err != nil {
		return seen, err
	}
	return seen, r.observeHolders(ctx, s, &seen)
}

func slotFacts(secret *corev1.Secret, archive *v1alpha1.Archive, ca pki.CA) authority.Slot {
	slot := authority.Slot{Present: secret != nil, Foreign: secret != nil && !madeFor(secret, archive.UID)}
	if !ca.IsZero() {
		slot.Holds = authorityFacts(ca.Certificate())
	}
	return slot
}

// replicaMemory is how long a replica that has fallen silent is still reckoned with. One that is cut off from the API server
// may serve the organizer's own workers for that long; one that has gone delays a replacement, which takes hours anyway.
const replicaMemory = time.Hour

// observeReplicas asks the replicas' Leases what they serve and trust. One that does not say is believed to have its
// files updated within authority.Settle.
func (r *ArchiveReconciler) observeReplicas(ctx context.Context, s *archiveScope, seen *authority.Observed) error {
	leaf := serverLeaf(s.server)
	seen.Served = leaf != nil && issuedBy(leaf, s) && !s.now.Before(leaf.NotBefore.Add(backdate+r.settle))
	seen.ReplicasTrust = true
	replicas, err := r.tracker.Recent(ctx, client.ObjectKeyFromObject(s.archive), replicaMemory)
	if err != nil {
		return err
	}
	for _, replica := range replicas {
		if len(replica.Trusts) > 0 && !slices.Contains(replica.Trusts, s.authorities.Next) {
			seen.ReplicasTrust = false
		}
		if replica.Serves != "" && (leaf == nil || replica.Serves != pki.FingerprintOf(leaf).String()) {
			seen.Served = false
		}
	}
	return nil
}

// observeHolders looks at the ledgers of an archive's registries and of their grants.
func (r *ArchiveReconciler) observeHolders(ctx context.Context, s *archiveScope, seen *authority.Observed) error {
	hash := bundleHash(s.archive)
	var registries v1alpha1.RegistryList
	if err := r.List(ctx, &registries, append(in("", byArchive, s.archive.Name), client.UnsafeDisableDeepCopy)...); err != nil {
		return err
	}
	for i := range registries.Items {
		registry := &registries.Items[i]
		s.observeLedger(registry.Status.Credentials, registry.Status.CABundleHash == hash, seen)
		var grants v1alpha1.RegistryAccessGrantList
		if err := r.List(ctx, &grants, append(in(registry.Namespace, byRegistry, registry.Name), client.UnsafeDisableDeepCopy)...); err != nil {
			return err
		}
		for j := range grants.Items {
			if grant := &grants.Items[j]; grant.DeletionTimestamp == nil {
				s.observeLedger(grant.Status.Credentials, grant.Status.CABundleHash == hash, seen)
			}
		}
	}
	return nil
}

// observeLedger looks at the lines of one ledger that are still accepted, or may be. What has run out concerns nobody.
func (s *archiveScope) observeLedger(ledger []v1alpha1.Credential, knows bool, seen *authority.Observed) {
	for i := range ledger {
		c := &ledger[i]
		if !s.now.Before(c.NotAfter.Time) || (c.AcceptUntil != nil && !s.now.Before(c.AcceptUntil.Time)) {
			continue
		}
		if c.Authority != s.authorities.Issuing {
			seen.FormerInUse = true
		}
		switch {
		case c.State != v1alpha1.CredentialActive:
		case c.PublicKeyHash == "" && !knows:
			seen.SecretsCarry = false
		// Its holder reads the bundle when it reads the certificate; when that was is not known.
		case c.PublicKeyHash != "" && !c.NotBefore.Add(backdate).After(s.authorities.Since):
			seen.OwnKeysKnow = false
		}
	}
}
