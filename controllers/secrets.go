// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/pki"
)

// Labels and annotations of the Secrets that the controllers make.
const (
	managedByLabel     = "app.kubernetes.io/managed-by"
	managedByValue     = "valtuus"
	ownerAnnotation    = "valtuus.io/owner-uid"
	endpointAnnotation = "valtuus.io/archive-endpoint"
	registryAnnotation = "valtuus.io/registry-oid"
	caCertificateKey   = "ca.crt"
)

// secretMeta is the metadata by which a Secret is known as made for an owner.
func secretMeta(ref v1alpha1.SecretReference, owner types.UID, annotations map[string]string) metav1.ObjectMeta {
	all := map[string]string{ownerAnnotation: string(owner)}
	maps.Copy(all, annotations)
	return metav1.ObjectMeta{
		Namespace: ref.Namespace, Name: string(ref.Name),
		Labels: map[string]string{managedByLabel: managedByValue}, Annotations: all,
	}
}

// madeFor tells whether a Secret was made here for the owner. Another is never adopted, changed or deleted.
func madeFor(secret *corev1.Secret, owner types.UID) bool {
	return secret.Labels[managedByLabel] == managedByValue && secret.Annotations[ownerAnnotation] == string(owner)
}

// readSecret reads a Secret from the API server; nil when there is none. Secrets are never cached.
func readSecret(ctx context.Context, reader client.Reader, ref v1alpha1.SecretReference) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := reader.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: string(ref.Name)}, secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Secret %s/%s: %w", ref.Namespace, ref.Name, err)
	}
	return secret, nil
}

// deleteSecret deletes a Secret that was made for the owner, and leaves any other alone. One that is out of reach stays: no
// archive takes what is in it any more. One whose namespace ends goes with that.
func (b *base) deleteSecret(ctx context.Context, ref v1alpha1.SecretReference, owner types.UID) error {
	if !b.reach.Includes(ref.Namespace) {
		return nil
	}
	secret, err := readSecret(ctx, b, ref)
	if apierrors.IsForbidden(err) {
		if ends, endsErr := b.ends(ctx, ref.Namespace); ends || endsErr != nil {
			return endsErr
		}
	}
	if err != nil || secret == nil || !madeFor(secret, owner) {
		return err
	}
	// Only the one that was looked at: another may have taken its name since.
	err = b.Delete(ctx, secret, client.Preconditions{UID: &secret.UID})
	if apierrors.IsConflict(err) {
		return nil
	}
	return client.IgnoreNotFound(err)
}

// errNoIssuer says that an archive's certificate authority cannot be used.
var errNoIssuer = errors.New("the archive's certificate authority cannot be read")

// issuers holds the issuer of each archive, so that its key is read once.
type issuers struct {
	reader client.Reader
	mutex  sync.Mutex
	known  map[string]pki.Issuer // by the fingerprint of the authority
}

// of returns the issuer of an archive: of the authority that its status names.
func (i *issuers) of(ctx context.Context, archive *v1alpha1.Archive) (pki.Issuer, error) {
	fingerprint := authoritiesOf(archive).Issuing
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if issuer, ok := i.known[fingerprint]; ok {
		return issuer, nil
	}
	ca, err := loadCA(ctx, i.reader, archive, fingerprint)
	if err != nil {
		return nil, err
	}
	if i.known == nil {
		i.known = map[string]pki.Issuer{}
	}
	i.known[fingerprint] = pki.NewBuiltIn(ca)
	return i.known[fingerprint], nil
}

// authoritySecret names the Secret with the certificate authority, spareAuthoritySecret the one with the authority that
// takes its place, which is there only meanwhile.
func authoritySecret(archive *v1alpha1.Archive) v1alpha1.SecretReference {
	return v1alpha1.SecretReference{Namespace: archive.Namespace, Name: v1alpha1.ObjectName(archive.Name + "-ca")}
}

func spareAuthoritySecret(archive *v1alpha1.Archive) v1alpha1.SecretReference {
	return v1alpha1.SecretReference{Namespace: archive.Namespace, Name: v1alpha1.ObjectName(archive.Name + "-ca-next")}
}

func serverSecret(archive *v1alpha1.Archive) v1alpha1.SecretReference {
	return v1alpha1.SecretReference{Namespace: archive.Namespace, Name: v1alpha1.ObjectName(archive.Name + "-server")}
}

// loadCA reads the authority with the fingerprint from the Secret that holds it.
func loadCA(ctx context.Context, reader client.Reader, archive *v1alpha1.Archive, fingerprint string) (pki.CA, error) {
	for _, ref := range []v1alpha1.SecretReference{authoritySecret(archive), spareAuthoritySecret(archive)} {
		secret, err := readSecret(ctx, reader, ref)
		if err != nil {
			return pki.CA{}, err
		}
		if ca := authorityIn(secret, archive); !ca.IsZero() && pki.FingerprintOf(ca.Certificate()).String() == fingerprint {
			return ca, nil
		}
	}
	return pki.CA{}, fmt.Errorf("%w: neither Secret %s-ca nor %s-ca-next in namespace %s holds it", errNoIssuer, archive.Name, archive.Name, archive.Namespace)
}

// authorityIn gives the authority that a Secret made for an archive holds; zero when it holds none.
func authorityIn(secret *corev1.Secret, archive *v1alpha1.Archive) pki.CA {
	if secret == nil || !madeFor(secret, archive.UID) {
		return pki.CA{}
	}
	ca, err := pki.LoadCA(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return pki.CA{}
	}
	return ca
}
