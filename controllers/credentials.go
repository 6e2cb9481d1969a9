// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/authority"
	"github.com/valtuus/valtuus/internal/ledger"
	"github.com/valtuus/valtuus/internal/pki"
)

// backdate lets a certificate be used by peers whose clock is behind.
const backdate = 5 * time.Minute

// credentialFlow keeps a ledger in step with what was delivered. The order of writes is: finalizer,
// ledger entry Issuing, Secret, ledger entry Active; each prefix can be replayed.
type credentialFlow struct {
	base
	issuers *issuers
}

// holder is whom a credential is for, and where its ledger is.
type holder struct {
	object   client.Object // whose status holds the ledger
	ledger   *[]v1alpha1.Credential
	ref      **v1alpha1.SecretReference
	expires  **metav1.Time
	bundle   *string // hash of the authorities that the holder was told of
	archive  *v1alpha1.Archive
	identity pki.Identity

	secret  *v1alpha1.SecretReference // where to deliver; nil when the holder has its own key
	owners  []metav1.OwnerReference   // of the Secret, where it is in the holder's namespace
	ownKey  crypto.PublicKey
	keyHash string // of ownKey

	// most bounds the lifetime of what is issued; zero where the archive's policy alone does.
	most time.Duration

	// persist writes the status as it stands in the middle of the flow.
	persist func(ctx context.Context) error
}

// issuance is how the flow ended.
type issuance struct {
	delivered bool
	reason    string
	message   string
	wakeAt    time.Time
	// revoked tells that the flow had to revoke what was there.
	revoked bool
	issued  int
}

// run takes as many steps as it can. The last change to the ledger may be left for the caller to write.
func (f *credentialFlow) run(ctx context.Context, h *holder) (issuance, error) {
	var out issuance
	if err := f.leaveFormerSecret(ctx, h, &out); err != nil {
		return out, err
	}
	lifetime, overlap := policyOf(h.archive)
	if h.most > 0 {
		lifetime = min(lifetime, h.most)
	}
	authorities := authoritiesOf(h.archive)
	policy := ledger.Policy{
		Lifetime: lifetime, Overlap: overlap, Backdate: backdate,
		Until: authorities.IssuingUntil(), Authorities: authorities.Fingerprints(),
	}
	observed, current, err := f.observe(ctx, h)
	if err != nil {
		return out, err
	}
	if current, err = f.makeKnown(ctx, h, current); err != nil {
		return out, err
	}
	var held *delivery
	const mostSteps = 8 // a fresh issue takes four
	for range mostSteps {
		entries := entriesOf(h)
		step := ledger.Next(entries, observed, policy, string(h.object.GetUID()), f.clock.Now())
		switch step.Action {
		case ledger.StepNone:
			out.wakeAt = step.WakeAt
			f.summarize(h, &out)
			return out, nil
		case ledger.StepConflict:
			out.reason = v1alpha1.SecretConflictReason
			out.message = fmt.Sprintf("Secret %s/%s exists and was not made by Valtuus: delete or rename it.", h.secret.Namespace, h.secret.Name)
			out.wakeAt = f.clock.Now().Add(secretsEvery)
			return out, nil
		case ledger.StepIssue, ledger.StepReissue:
			if held, err = f.issue(ctx, h, step); err != nil {
				return out, err
			}
			out.issued++
			if err := h.persist(ctx); err != nil {
				return out, err
			}
			if held != nil {
				observed.HeldFingerprint = held.issued.Fingerprint.String()
			}
		case ledger.StepDeliver:
			err := f.deliver(ctx, h, held, current)
			switch {
			case err == nil:
				// What the API server took is seen; only a write that failed needs another look.
				observed.SecretFingerprint = held.issued.Fingerprint.String()
				*h.bundle = bundleHash(h.archive)
			case apierrors.IsAlreadyExists(err):
				if observed, current, err = f.observe(ctx, h); err != nil {
					return out, err
				}
			case undeliverable(err):
				out.reason = v1alpha1.SecretUndeliverableReason
				out.message = fmt.Sprintf("Secret %s/%s cannot be written: its namespace is gone or being deleted.", h.secret.Namespace, h.secret.Name)
				out.wakeAt = f.clock.Now().Add(secretsEvery)
				return out, nil
			default:
				return out, err
			}
			held, observed.HeldFingerprint = nil, ""
		case ledger.StepRevoke:
			setEntries(h, step.Ledger)
			out.revoked = true
			if err := h.persist(ctx); err != nil {
				return out, err
			}
		case ledger.StepActivate, ledger.StepPrune:
			setEntries(h, step.Ledger)
		}
	}
	return out, &retrySoon{what: "the credential flow took too many steps"}
}

// leaveFormerSecret takes leave of a Secret in a place that is not the present one: its credentials are revoked first.
func (f *credentialFlow) leaveFormerSecret(ctx context.Context, h *holder, out *issuance) error {
	former := *h.ref
	if former == nil || (h.secret != nil && *former == *h.secret) {
		return nil
	}
	if len(*h.ledger) > 0 {
		setEntries(h, nil)
		out.revoked = true
		if err := h.persist(ctx); err != nil {
			return err
		}
	}
	if err := f.deleteSecret(ctx, *former, h.object.GetUID()); err != nil {
		return err
	}
	*h.ref = nil
	return nil
}

// observe reads what has been delivered, from the API server and not from a cache.
func (f *credentialFlow) observe(ctx context.Context, h *holder) (ledger.Observed, *corev1.Secret, error) {
	if h.secret == nil {
		return ledger.Observed{PublicKeyHash: h.keyHash}, nil, nil
	}
	var observed ledger.Observed
	secret, err := readSecret(ctx, f, *h.secret)
	if err != nil || secret == nil {
		return observed, nil, err
	}
	if !madeFor(secret, h.object.GetUID()) {
		observed.SecretForeign = true
		return observed, nil, nil
	}
	if pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey]); err == nil {
		if leaf, err := x509.ParseCertificate(pair.Certificate[0]); err == nil {
			observed.SecretFingerprint = pki.FingerprintOf(leaf).String()
		}
	}
	return observed, secret, nil
}

// makeKnown gives a holder the authorities that the archive is verified against, when they are others than before. The
// certificate and its key stay. A Secret that is not there is told of nothing: what is delivered next carries them. It
// returns the Secret as it then is.
func (f *credentialFlow) makeKnown(ctx context.Context, h *holder, current *corev1.Secret) (*corev1.Secret, error) {
	bundle := h.archive.Status.CABundle
	if bundle == "" || len(*h.ledger) == 0 {
		return current, nil
	}
	if h.secret != nil && current != nil && string(current.Data[caCertificateKey]) != bundle {
		current = current.DeepCopy()
		current.Data[caCertificateKey] = []byte(bundle)
		if err := f.Update(ctx, current); err != nil {
			return nil, err
		}
	} else if *h.bundle == "" && authoritiesOf(h.archive).Stage == authority.Stable {
		// What a former version delivered is looked at only when somebody asks.
		return current, nil
	}
	*h.bundle = bundleHash(h.archive)
	return current, nil
}

// delivery is a key and certificate on their way to a Secret. It lives for one pass and is never logged.
type delivery struct {
	key    pki.Key
	issued pki.Issued
}

// issue makes a certificate in memory and records it in the ledger.
func (f *credentialFlow) issue(ctx context.Context, h *holder, step ledger.Step) (*delivery, error) {
	issuer, err := f.issuers.of(ctx, h.archive)
	if err != nil {
		return nil, err
	}
	if !step.NotAfter.After(f.clock.Now()) {
		return nil, fmt.Errorf("%w: it has expired, and is being replaced", errNoIssuer)
	}
	held := &delivery{}
	public := h.ownKey
	if h.secret != nil {
		if held.key, err = pki.NewKey(); err != nil {
			return nil, err
		}
		public = held.key.Public()
	}
	held.issued, err = issuer.Issue(ctx, pki.ClientRequest{
		Identity: h.identity, PublicKey: public, Serial: pki.NewSerial(), NotBefore: step.NotBefore, NotAfter: step.NotAfter,
	})
	if err != nil {
		return nil, fmt.Errorf("issue a credential: %w", err)
	}
	record := ledger.Issued{
		ID: held.issued.Certificate.SerialNumber.Text(16), Fingerprint: held.issued.Fingerprint.String(),
		NotBefore: held.issued.Certificate.NotBefore, NotAfter: held.issued.Certificate.NotAfter, PublicKeyHash: h.keyHash,
		Authority: pki.FingerprintOf(issuer.Authority()).String(),
	}
	if h.secret == nil {
		record.Certificate = string(held.issued.PEM)
		setEntries(h, step.Add(record))
		return nil, nil
	}
	record.SecretNamespace, record.SecretName = h.secret.Namespace, string(h.secret.Name)
	setEntries(h, step.Add(record))
	*h.ref = ptr.To(*h.secret)
	return held, nil
}

// deliver writes the Secret: a new one, or new contents in the one that was looked at.
func (f *credentialFlow) deliver(ctx context.Context, h *holder, held *delivery, current *corev1.Secret) error {
	secret := current.DeepCopy()
	if secret == nil {
		secret = &corev1.Secret{Type: corev1.SecretTypeTLS}
	}
	resourceVersion, uid := secret.ResourceVersion, secret.UID
	secret.ObjectMeta = secretMeta(*h.secret, h.object.GetUID(), map[string]string{
		endpointAnnotation: endpointOf(h.archive), registryAnnotation: h.identity.Registry,
	})
	secret.OwnerReferences = h.owners
	secret.ResourceVersion, secret.UID = resourceVersion, uid
	secret.Data = map[string][]byte{
		corev1.TLSCertKey: held.issued.PEM, corev1.TLSPrivateKeyKey: held.key.PEM(), caCertificateKey: []byte(h.archive.Status.CABundle),
	}
	if current == nil {
		return f.Create(ctx, secret)
	}
	err := f.Update(ctx, secret)
	if apierrors.IsNotFound(err) {
		return &retrySoon{what: "the deletion of the Secret"}
	}
	return err
}

// undeliverable tells that the namespace to deliver to is gone or going.
func undeliverable(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
}

// revoke empties the ledger. The caller writes the status, and deletes the Secret after that.
func (f *credentialFlow) revoke(h *holder) (revoked bool) {
	revoked = len(*h.ledger) > 0
	setEntries(h, ledger.Revoke(entriesOf(h)))
	*h.expires, *h.bundle = nil, ""
	return revoked
}

func (f *credentialFlow) summarize(h *holder, out *issuance) {
	current, ok := ledger.Current(entriesOf(h))
	if !ok {
		out.reason, out.message = v1alpha1.CredentialPendingReason, "The credential is being issued."
		return
	}
	out.delivered, out.reason = true, v1alpha1.CredentialActiveReason
	*h.expires = moment(current.NotAfter)
	if h.secret != nil {
		out.message = fmt.Sprintf("The credential is in Secret %s/%s.", h.secret.Namespace, h.secret.Name)
	} else {
		out.message = "The certificate for the unit's own key is in the status."
	}
}

func policyOf(archive *v1alpha1.Archive) (lifetime, overlap time.Duration) {
	lifetime, overlap = 8*time.Hour, 2*time.Minute
	if policy := archive.Spec.Credentials; policy != nil {
		lifetime = time.Duration(ptr.Deref(policy.LifetimeSeconds, int32(lifetime/time.Second))) * time.Second
		overlap = time.Duration(ptr.Deref(policy.OverlapSeconds, int32(overlap/time.Second))) * time.Second
	}
	return lifetime, overlap
}

func entriesOf(h *holder) []ledger.Entry {
	entries := make([]ledger.Entry, 0, len(*h.ledger))
	for i := range *h.ledger {
		c := &(*h.ledger)[i]
		entry := ledger.Entry{
			ID: c.ID, State: ledger.State(c.State), Fingerprint: c.Fingerprint,
			NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), RenewAt: c.RenewAt.UTC(),
			PublicKeyHash: c.PublicKeyHash, Certificate: c.Certificate, Authority: c.Authority,
		}
		if c.AcceptUntil != nil {
			entry.AcceptUntil = c.AcceptUntil.UTC()
		}
		if c.PublicKeyHash == "" && *h.ref != nil {
			entry.SecretNamespace, entry.SecretName = (*h.ref).Namespace, string((*h.ref).Name)
		}
		entries = append(entries, entry)
	}
	return entries
}

func setEntries(h *holder, entries []ledger.Entry) {
	var out []v1alpha1.Credential
	for _, entry := range entries {
		out = append(out, v1alpha1.Credential{
			ID: entry.ID, State: v1alpha1.CredentialState(entry.State), Fingerprint: entry.Fingerprint,
			NotBefore: metav1.NewTime(entry.NotBefore), NotAfter: metav1.NewTime(entry.NotAfter), RenewAt: metav1.NewTime(entry.RenewAt),
			AcceptUntil: moment(entry.AcceptUntil), PublicKeyHash: entry.PublicKeyHash, Certificate: entry.Certificate,
			Authority: entry.Authority,
		})
	}
	*h.ledger = out
}

// hashOf is the SHA-256 of a public key in base64url, by which a change of the key is noticed.
func hashOf(public crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", pki.ErrKeyType
	}
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// controllerOf is the owner reference of a Secret in its holder's own namespace.
func controllerOf(o client.Object, kind string) []metav1.OwnerReference {
	return []metav1.OwnerReference{*metav1.NewControllerRef(o, v1alpha1.GroupVersion.WithKind(kind))}
}
