// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/controllers"
	"github.com/valtuus/valtuus/internal/pki"
)

// issueRow is how fast credentials are issued.
type issueRow struct{}

func (issueRow) name() string { return "issue" }
func (issueRow) measures() string {
	return "credentials issued in a burst of 1,000: grants applied until every ledger entry is Active and its Secret is there"
}

func (issueRow) floor() string {
	return "a bare P-256 key and certificate, and the writes that the flow needs (grant, finalizer, Issuing, Secret, Active), 32 workers, no manager running"
}

func (issueRow) goal() string {
	return "at least 0.8 of the floor, at least 100/s, at most five writes each (a well-known certificate operator reached 14/s on such a machine, with 24 requests each)"
}

func (issueRow) run(ctx context.Context, b *bench) ([]figure, error) {
	n := b.size(1000, 100)
	c, err := b.newCluster(ctx, n+1)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	model, err := c.modelGrant(ctx, n)
	if err != nil {
		return nil, err
	}
	var bare, product tally
	counts := map[string]int{}
	for turn := range 3 { // bare, product, bare
		if turn%2 == 0 {
			c.stopManager()
			took, err := c.issueBarely(ctx, n, model)
			if err != nil {
				return nil, err
			}
			bare.add(n, took)
			b.progress("bare: %d in %s", n, took.Round(time.Millisecond))
		} else {
			took, err := c.issueByManager(ctx, n, counts)
			if err != nil {
				return nil, err
			}
			product.add(n, took)
			b.progress("with the manager: %d in %s", n, took.Round(time.Millisecond))
		}
		if err := c.clearGrants(ctx); err != nil {
			return nil, err
		}
	}
	rate := figure{What: "credentials issued, beside the floor", Value: product.rate(), Unit: "/s"}.over(bare.rate())
	events := counts["post events"] + counts["patch events"]
	per := float64(sum(counts)-events) / float64(product.n)
	return []figure{
		rate.want(rate.Ratio >= .8, "≥ 0.8"),
		figure{What: "credentials issued", Value: product.rate(), Unit: "/s"}.want(product.rate() >= 100, "≥ 100/s").
			noted("a well-known certificate operator reached 14/s on such a machine; the bare writes alone allow %s/s here", number(bare.rate())),
		figure{What: "API writes of the manager per credential", Value: per}.want(per <= 5, "≤ 5").
			noted("%s; events are not counted in, the apply itself is the caller's", perEach(counts, product.n)),
	}, nil
}

// issued is what a finished grant and its Secret look like.
type issued struct {
	status v1alpha1.RegistryAccessGrantStatus
	secret *corev1.Secret
}

// modelGrant has one grant issued, to see what is written.
func (c *cluster) modelGrant(ctx context.Context, unit int) (*issued, error) {
	grant := c.describeGrant(unit)
	if err := c.Create(ctx, grant); err != nil {
		return nil, err
	}
	err := until(ctx, "a first grant", 20*time.Millisecond, func() (bool, error) {
		err := c.Get(ctx, client.ObjectKeyFromObject(grant), grant)
		return isIssued(grant), err
	})
	if err != nil {
		return nil, err
	}
	ref := grant.Status.SecretRef
	secret, err := c.secret(ctx, ref.Namespace, string(ref.Name))
	return &issued{grant.Status, secret}, err
}

func (c *cluster) describeGrant(unit int) *v1alpha1.RegistryAccessGrant {
	return &v1alpha1.RegistryAccessGrant{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.Organizer, Name: fmt.Sprintf("grant-%d", unit), Labels: map[string]string{"bench": "yes"}},
		Spec: v1alpha1.RegistryAccessGrantSpec{
			RegistryRef:  v1alpha1.RegistryReference{Name: v1alpha1.ObjectName(c.Registry.Name)},
			ProducerUnit: c.units[unit].Spec.OID, Extent: v1alpha1.ExtentBasic,
		},
	}
}

func isIssued(g *v1alpha1.RegistryAccessGrant) bool {
	return meta.IsStatusConditionTrue(g.Status.Conditions, v1alpha1.ReadyCondition) && len(g.Status.Credentials) == 1 &&
		g.Status.Credentials[0].State == v1alpha1.CredentialActive
}

// issueBarely makes n credentials as a client without a manager.
func (c *cluster) issueBarely(ctx context.Context, n int, model *issued) (time.Duration, error) {
	ca, err := pki.NewCA("bench", time.Now(), 24*time.Hour)
	if err != nil {
		return 0, err
	}
	issuer := pki.NewBuiltIn(ca)
	return each(ctx, writers, n, func(ctx context.Context, i int) error {
		key, err := pki.NewKey()
		if err != nil {
			return err
		}
		identity := pki.Identity{TrustDomain: c.Archive.Spec.TrustDomain, Registry: string(c.Registry.Spec.OID), Unit: string(c.units[i].Spec.OID)}
		certificate, err := issuer.Issue(ctx, pki.ClientRequest{
			Identity: identity, PublicKey: key.Public(), Serial: pki.NewSerial(), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour),
		})
		if err != nil {
			return err
		}
		return c.writeBarely(ctx, i, model, certificate.PEM, key.PEM())
	})
}

// writeBarely makes the writes of one credential, in their order and size.
func (c *cluster) writeBarely(ctx context.Context, i int, model *issued, certificate, key []byte) error {
	lock := func(before client.Object) client.Patch {
		return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	}
	grant := c.describeGrant(i)
	if err := c.Create(ctx, grant); err != nil {
		return err
	}
	before := grant.DeepCopy()
	grant.Finalizers = []string{controllers.GrantFinalizer}
	if err := c.Patch(ctx, grant, lock(before)); err != nil {
		return err
	}
	before = grant.DeepCopy()
	model.status.DeepCopyInto(&grant.Status)
	grant.Status.Credentials[0].State = v1alpha1.CredentialIssuing
	for i := range grant.Status.Conditions {
		grant.Status.Conditions[i].Status = metav1.ConditionFalse
	}
	if err := c.Status().Patch(ctx, grant, lock(before)); err != nil {
		return err
	}
	secret := &corev1.Secret{Type: model.secret.Type, Data: map[string][]byte{}}
	secret.Namespace, secret.Name = c.Producer, fmt.Sprintf("%s-%s", c.units[i].Name, c.Registry.Spec.OID)
	secret.Labels, secret.Annotations = model.secret.Labels, model.secret.Annotations
	secret.Data["tls.crt"], secret.Data["tls.key"], secret.Data["ca.crt"] = certificate, key, model.secret.Data["ca.crt"]
	if err := c.Create(ctx, secret); err != nil {
		return err
	}
	before = grant.DeepCopy()
	model.status.DeepCopyInto(&grant.Status)
	return c.Status().Patch(ctx, grant, lock(before))
}

// issueByManager applies n grants and waits for the manager. Its writes are added to the counts.
func (c *cluster) issueByManager(ctx context.Context, n int, counts map[string]int) (time.Duration, error) {
	if err := c.startManager(ctx); err != nil {
		return 0, err
	}
	defer c.stopManager()
	if _, err := c.manager.ask("reset", ""); err != nil {
		return 0, err
	}
	end, err := c.bench.profile(c.manager, "issue-manager")
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if _, err := each(ctx, writers, n, func(ctx context.Context, i int) error { return c.Create(ctx, c.describeGrant(i)) }); err != nil {
		return 0, err
	}
	if err := c.written(ctx, "patch registryaccessgrants/status", 2*n); err != nil {
		return 0, err
	}
	took := time.Since(begun)
	end()
	err = until(ctx, "all credentials", 50*time.Millisecond, func() (bool, error) {
		done, err := c.issuedNow(ctx)
		if done < n && err == nil {
			took = time.Since(begun)
		}
		return done >= n, err
	})
	if err != nil {
		return 0, err
	}
	if _, err := c.manager.ask("quiet", ""); err != nil {
		return 0, err
	}
	a, err := c.manager.ask("writes", "")
	for kind, count := range a.Counts {
		counts[kind] += count
	}
	return took, err
}

// issuedNow counts the grants with an active credential and a Secret.
func (c *cluster) issuedNow(ctx context.Context) (int, error) {
	var grants v1alpha1.RegistryAccessGrantList
	var secrets metav1.PartialObjectMetadataList
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	if err := c.List(ctx, &grants, client.InNamespace(c.Organizer)); err != nil {
		return 0, err
	}
	if err := c.List(ctx, &secrets, client.InNamespace(c.Producer)); err != nil {
		return 0, err
	}
	there := map[string]bool{}
	for i := range secrets.Items {
		there[secrets.Items[i].Name] = true
	}
	n := 0
	for i := range grants.Items {
		if g := &grants.Items[i]; isIssued(g) && there[string(g.Status.SecretRef.Name)] {
			n++
		}
	}
	return n, nil
}

// clearGrants deletes all grants and what was delivered.
func (c *cluster) clearGrants(ctx context.Context) error {
	var list v1alpha1.RegistryAccessGrantList
	if err := c.List(ctx, &list, client.InNamespace(c.Organizer)); err != nil {
		return err
	}
	_, err := each(ctx, writers, len(list.Items), func(ctx context.Context, i int) error {
		return c.Patch(ctx, &list.Items[i], noFinalizers)
	})
	if err != nil {
		return err
	}
	if err := c.clear(ctx, &v1alpha1.RegistryAccessGrant{}); err != nil {
		return err
	}
	return c.DeleteAllOf(ctx, &corev1.Secret{}, client.InNamespace(c.Producer))
}
