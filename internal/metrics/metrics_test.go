// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// gathered returns every value by name and labels.
func gathered(g *WithT, registry *prometheus.Registry) map[string]float64 {
	families, err := registry.Gather()
	g.Expect(err).NotTo(HaveOccurred())
	out := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				name += fmt.Sprintf(" %s=%s", label.GetName(), label.GetValue())
			}
			switch {
			case metric.GetCounter() != nil:
				out[name] = metric.GetCounter().GetValue()
			case metric.GetHistogram() != nil:
				out[name] = float64(metric.GetHistogram().GetSampleCount())
			default:
				out[name] = metric.GetGauge().GetValue()
			}
		}
	}
	return out
}

func grant(name string, ready metav1.ConditionStatus, reason string, expires time.Time) *v1alpha1.RegistryAccessGrant {
	o := &v1alpha1.RegistryAccessGrant{ObjectMeta: metav1.ObjectMeta{Namespace: "area", Name: name}}
	if ready != "" {
		o.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ReadyCondition, Status: ready, Reason: reason}}
	}
	if !expires.IsZero() {
		o.Status.CredentialExpiresAt = &metav1.Time{Time: expires}
	}
	return o
}

// waiting is a grant that waits for a deployment test.
func waiting(name string, registry v1alpha1.OID) *v1alpha1.RegistryAccessGrant {
	o := grant(name, metav1.ConditionFalse, "DeploymentTestMissing", time.Time{})
	o.Status.RegistryOID = registry
	return o
}

func TestGrantsAreCountedByStateAndTheirExpiryIsTold(t *testing.T) {
	g := NewWithT(t)
	scheme := runtime.NewScheme()
	g.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	var failure error
	reader := fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		grant("a", metav1.ConditionTrue, "GrantReady", now), grant("b", metav1.ConditionTrue, "GrantReady", now.Add(time.Hour)),
		grant("c", metav1.ConditionFalse, "Suspended", time.Time{}), grant("d", "", "", time.Time{}),
		waiting("e", "1.2.3"), waiting("f", "1.2.3"), waiting("g", "1.2.4"),
	).WithInterceptorFuncs(interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
		if failure != nil {
			return failure
		}
		return c.List(ctx, list, options...)
	}}).Build()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(NewGrants(reader))
	g.Expect(gathered(g, registry)).To(Equal(map[string]float64{
		"valtuus_grants ready=True reason=GrantReady":                        2,
		"valtuus_grants ready=False reason=Suspended":                        1,
		"valtuus_grants ready=False reason=DeploymentTestMissing":            3,
		"valtuus_grants_blocked_by_test registry=1.2.3":                      2,
		"valtuus_grants_blocked_by_test registry=1.2.4":                      1,
		"valtuus_grants ready=Unknown reason=Progressing":                    1,
		"valtuus_credential_expiry_timestamp_seconds grant=a namespace=area": float64(now.Unix()),
		"valtuus_credential_expiry_timestamp_seconds grant=b namespace=area": float64(now.Add(time.Hour).Unix()),
	}))
	failure = errors.New("no cache")
	_, err := registry.Gather()
	g.Expect(err).To(MatchError(ContainSubstring("no cache")), "a failure is told, not counted as nothing")
}

func TestTheManagerCountsWhatItIssuesAndEnforces(t *testing.T) {
	g := NewWithT(t)
	registry := prometheus.NewPedanticRegistry()
	m := NewManager(registry)
	clock := clocktesting.NewFakePassiveClock(now)
	oldest := time.Time{}
	m.OldestUnenforced(func() time.Time { return oldest }, clock)
	m.CredentialsIssued(2)
	m.CredentialsIssued(0)
	m.Enforced(40 * time.Millisecond)
	g.Expect(gathered(g, registry)).To(Equal(map[string]float64{
		"valtuus_credentials_issued_total": 2, "valtuus_end_to_enforced_seconds": 1, "valtuus_oldest_unenforced_end_seconds": 0,
	}))
	oldest = now.Add(-30 * time.Second)
	g.Expect(gathered(g, registry)).To(HaveKeyWithValue("valtuus_oldest_unenforced_end_seconds", 30.0))
}

func TestWithoutARegistryNothingIsMeasured(*testing.T) {
	var m *Manager
	m.CredentialsIssued(1)
	m.Enforced(time.Second)
	m.OldestUnenforced(func() time.Time { return now }, clocktesting.NewFakePassiveClock(now))
}
