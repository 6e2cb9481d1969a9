// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/access"
)

func TestWhatAnAgreementBuys(t *testing.T) {
	type sectors = []v1alpha1.CareSector
	for _, c := range []struct {
		buys *v1alpha1.Agreement
		want access.Bought
	}{
		{nil, 0},
		{&v1alpha1.Agreement{}, 0},
		{&v1alpha1.Agreement{Buys: sectors{"Social"}}, access.BuysSocial},
		{&v1alpha1.Agreement{Buys: sectors{"Health"}}, access.BuysHealth},
		{&v1alpha1.Agreement{Buys: sectors{"Health", "Social"}}, access.BuysSocial | access.BuysHealth},
		{&v1alpha1.Agreement{Buys: sectors{"Social", "Unheard of"}}, access.BuysSocial | access.BuysHealth},
	} {
		o := &v1alpha1.RegistryAccessGrant{}
		o.Spec.Agreement = c.buys
		if got := grant(o, 1).Buys; got != c.want {
			t.Errorf("%+v: got %b, want %b", c.buys, got, c.want)
		}
	}
}

// What is not Show in so many words masks, a word of a later version too.
func TestOnlyShowShowsNonDisclosure(t *testing.T) {
	for policy, shows := range map[v1alpha1.NonDisclosurePolicy]bool{
		"": false, v1alpha1.NonDisclosureMask: false, v1alpha1.NonDisclosureShow: true, "show": false, "ShowToSome": false,
	} {
		o := &v1alpha1.Registry{}
		o.Spec.Policies.NonDisclosure = policy
		if got := registry(o, 1, "").ShowNonDisclosure; got != shows {
			t.Errorf("%q: got %v", policy, got)
		}
	}
}

// An OID that is kept for deployment tests is believed with the controller's word only, and for synthetic clients only.
func TestATestRegistryTakesTheControllersWord(t *testing.T) {
	told := &v1alpha1.RegistryTest{Mode: v1alpha1.ModeObserved, RegistryOID: "1.2.3", ProducerUnit: "1.2.4", StartsAt: metav1.Now(), ClosesAt: metav1.Now()}
	for _, c := range []struct {
		oid      v1alpha1.OID
		purpose  v1alpha1.RegistryPurpose
		test     *v1alpha1.RegistryTest
		accepted bool
	}{
		{"1.2.3.4", v1alpha1.PurposeProduction, nil, true},
		{"1.2.3.4", v1alpha1.PurposeTest, nil, true},
		{"2.25.77", v1alpha1.PurposeTest, told, true},
		{"2.25.77", v1alpha1.PurposeTest, nil, false},
		{"2.25.77", v1alpha1.PurposeProduction, told, false},
		{"1.2.3.4", v1alpha1.PurposeTest, told, false},
	} {
		o := &v1alpha1.Registry{}
		o.Spec.OID, o.Spec.Purpose, o.Status.Test = c.oid, c.purpose, c.test
		o.Status.Conditions = []metav1.Condition{{Type: v1alpha1.AcceptedCondition, Status: metav1.ConditionTrue}}
		got := registry(o, 1, "")
		if got.Accepted != c.accepted {
			t.Errorf("%+v: accepted %v", c, got.Accepted)
		}
		if c.accepted && c.test != nil && (got.Test.Unit != "1.2.4" || got.Test.Simulated || got.Test.ClosesAt.IsZero()) {
			t.Errorf("%+v: %+v", c, got.Test)
		}
	}
}
