// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package testworld

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/archiveclient"
)

// professional is the id on the card of whoever acts in a world.
const professional = "1001"

// Card issues a card that is valid around the world's present.
func (w *World) Card() (testcard.Card, error) {
	now := w.Clock.Now()
	return w.Cards.Issue(professional, now.Add(-time.Hour), now.Add(24*time.Hour))
}

// GrantKey names the grant that is made for a unit.
func (w *World) GrantKey(unit *v1alpha1.ProducerUnit) client.ObjectKey {
	return client.ObjectKey{Namespace: w.Organizer, Name: w.Registry.Name + "-" + string(unit.Spec.OID)}
}

// UnitSecret names the Secret that a unit's credential is delivered to.
func (w *World) UnitSecret(unit *v1alpha1.ProducerUnit) client.ObjectKey {
	return client.ObjectKey{Namespace: unit.Namespace, Name: unit.Name + "-" + string(w.Registry.Spec.OID)}
}

// OrganizerSecret names the Secret that the organizer's own credential is delivered to.
func (w *World) OrganizerSecret() client.ObjectKey {
	return client.ObjectKey{Namespace: w.Organizer, Name: w.Registry.Name + "-organizer"}
}

// Caller makes a client of the archive at the endpoint from the Secret of a credential, once there is one.
func (w *World) Caller(ctx context.Context, endpoint string, secret client.ObjectKey) (*archiveclient.Client, error) {
	credential, err := w.Credential(ctx, secret)
	if err != nil {
		return nil, err
	}
	return w.CallerWith(endpoint, credential)
}

// Credential reads the Secret of a credential, once there is one.
func (w *World) Credential(ctx context.Context, key client.ObjectKey) (archiveclient.Credential, error) {
	secret := &corev1.Secret{}
	if err := w.waitForSecret(ctx, key, secret); err != nil {
		return archiveclient.Credential{}, err
	}
	return archiveclient.ReadCredential(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey], secret.Data["ca.crt"])
}

// CallerWith makes a client of the archive that uses the credential.
func (w *World) CallerWith(endpoint string, credential archiveclient.Credential) (*archiveclient.Client, error) {
	card, err := w.Card()
	if err != nil {
		return nil, err
	}
	return archiveclient.New(endpoint, string(w.Registry.Spec.OID), credential, archiveclient.Professional{
		ID: professional, Role: "social-worker", Key: card.Key, Chain: card.Chain,
	}), nil
}
