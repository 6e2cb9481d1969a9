// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"testing"

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
