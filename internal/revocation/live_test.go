// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/enforcement"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// endedGrant is a grant that opens nothing any more.
func endedGrant() *v1alpha1.RegistryAccessGrant {
	return &v1alpha1.RegistryAccessGrant{
		ObjectMeta: metav1.ObjectMeta{Namespace: "area", Name: "grant", Generation: 2},
		Spec:       v1alpha1.RegistryAccessGrantSpec{Suspend: ptr.To(true)},
		Status: v1alpha1.RegistryAccessGrantStatus{ObservedGeneration: 2, Conditions: []metav1.Condition{
			{Type: v1alpha1.RevocationEnforcedCondition, Status: metav1.ConditionTrue},
		}},
	}
}

func TestAGrantIsLiveUntilAllOfItHasEnded(t *testing.T) {
	for _, c := range []struct {
		name, why string
		change    func(*v1alpha1.RegistryAccessGrant)
	}{
		{"all ended", "", func(*v1alpha1.RegistryAccessGrant) {}},
		{"never had access", "", func(o *v1alpha1.RegistryAccessGrant) { o.Status.Conditions = nil }},
		{"not suspended", "is not suspended", func(o *v1alpha1.RegistryAccessGrant) { o.Spec.Suspend = ptr.To(false) }},
		{"in the ledger", "1 credentials are in its ledger", func(o *v1alpha1.RegistryAccessGrant) { o.Status.Credentials = make([]v1alpha1.Credential, 1) }},
		{"not looked at", "the controllers have not yet looked at it", func(o *v1alpha1.RegistryAccessGrant) { o.Generation = 3 }},
		{"not enforced", "a replica of the archive has not yet applied its end", func(o *v1alpha1.RegistryAccessGrant) { o.Status.Conditions[0].Status = metav1.ConditionFalse }},
		{"a Secret", "Secret home/key is not yet deleted", func(o *v1alpha1.RegistryAccessGrant) {
			o.Status.SecretRef = &v1alpha1.SecretReference{Namespace: "home", Name: "key"}
		}},
		{"being deleted", "is being deleted, and the controllers have not yet taken its credential back", func(o *v1alpha1.RegistryAccessGrant) {
			o.DeletionTimestamp = ptr.To(metav1.NewTime(now))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			grant := endedGrant()
			c.change(grant)
			NewWithT(t).Expect(grantLive(grant)).To(Equal(c.why))
		})
	}
}

func lease(archive string, applied uint64, renewed time.Time) coordinationv1.Lease {
	return coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "platform", Name: archive + ".a", Labels: map[string]string{enforcement.ArchiveLabel: archive},
			Annotations: map[string]string{enforcement.AppliedAnnotation: enforcement.Revisions{"registries": applied}.String()},
		},
		Spec: coordinationv1.LeaseSpec{RenewTime: ptr.To(metav1.NewMicroTime(renewed))},
	}
}

func TestARegistryIsLiveUntilEveryReplicaThatMayServeHasAppliedItsEnd(t *testing.T) {
	const hour = time.Hour + enforcement.SilenceLimit + clockSkew
	for _, c := range []struct {
		name   string
		leases []coordinationv1.Lease
		change func(*v1alpha1.Registry, *v1alpha1.Archive)
		live   bool
	}{
		{name: "no replica has ever registered"},
		{name: "applied", leases: []coordinationv1.Lease{lease("national", 7, now)}},
		{name: "not applied", leases: []coordinationv1.Lease{lease("national", 6, now)}, live: true},
		{name: "one of two", leases: []coordinationv1.Lease{lease("national", 7, now), lease("national", 6, now)}, live: true},
		{name: "another archive's replica", leases: []coordinationv1.Lease{lease("other", 1, now)}},
		{name: "silent, and within the organizer's bound", leases: []coordinationv1.Lease{lease("national", 6, now.Add(-hour))}, live: true},
		{name: "silent, and past the organizer's bound", leases: []coordinationv1.Lease{lease("national", 6, now.Add(-hour-time.Second))}},
		{name: "the registry's own bound", leases: []coordinationv1.Lease{lease("national", 6, now.Add(-2*time.Minute))},
			change: func(o *v1alpha1.Registry, _ *v1alpha1.Archive) {
				o.Spec.Policies.Staleness = &v1alpha1.Staleness{OrganizerSeconds: ptr.To(int32(5))}
			}},
		{name: "the archive's longer bound", leases: []coordinationv1.Lease{lease("national", 6, now.Add(-2*time.Hour))}, live: true,
			change: func(_ *v1alpha1.Registry, a *v1alpha1.Archive) {
				a.Spec.Staleness = &v1alpha1.Staleness{OrganizerSeconds: ptr.To(int32(86400))}
			}},
		{name: "a credential in the ledger", live: true,
			change: func(o *v1alpha1.Registry, _ *v1alpha1.Archive) { o.Status.Credentials = make([]v1alpha1.Credential, 1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			registry := v1alpha1.Registry{
				ObjectMeta: metav1.ObjectMeta{Namespace: "area", Name: "clients", ResourceVersion: "7"},
				Spec:       v1alpha1.RegistrySpec{ArchiveName: "national"},
			}
			archive := v1alpha1.Archive{ObjectMeta: metav1.ObjectMeta{Namespace: "platform", Name: "national"}}
			if c.change != nil {
				c.change(&registry, &archive)
			}
			found := &cluster{registries: []v1alpha1.Registry{registry}, archives: []v1alpha1.Archive{archive}, leases: c.leases}
			left := stillLive(found, now)
			if c.live {
				NewWithT(t).Expect(texts(left)).To(ConsistOf(HavePrefix("registry area/clients: ")))
			} else {
				NewWithT(t).Expect(left).To(BeEmpty())
			}
		})
	}
}
