// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/eligibility"
)

// organizationScope is what one pass over an organization knows.
type organizationScope struct {
	org      *v1alpha1.Organization
	now      time.Time
	first    *v1alpha1.Organization // the oldest with the same OID
	standing eligibility.Verdict
}

func (r *OrganizationReconciler) gather(ctx context.Context, org *v1alpha1.Organization) (*organizationScope, error) {
	scope := &organizationScope{org: org, now: r.clock.Now()}
	var err error
	if scope.first, err = r.organizationByOID(ctx, org.Spec.OID); err != nil {
		return nil, err
	}
	scope.standing, err = r.standing(ctx, org, scope.now)
	return scope, err
}

// standing judges an organization together with the main joiner it joined through.
func (b *base) standing(ctx context.Context, org *v1alpha1.Organization, now time.Time) (eligibility.Verdict, error) {
	main, err := b.mainJoiner(ctx, org)
	if err != nil {
		return eligibility.Verdict{}, err
	}
	return eligibility.Standing(organizationFacts(org), organizationFacts(main), now), nil
}

// mainJoiner returns the organization that this one joined through; nil when it joined directly or there is none.
func (b *base) mainJoiner(ctx context.Context, org *v1alpha1.Organization) (*v1alpha1.Organization, error) {
	if org == nil || org.Spec.Joining.MainJoiner == "" {
		return nil, nil
	}
	return b.organizationByOID(ctx, org.Spec.Joining.MainJoiner)
}
