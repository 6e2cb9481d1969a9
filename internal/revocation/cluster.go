// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"context"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/enforcement"
)

// cluster is what there is, as it was read once.
type cluster struct {
	grants        []v1alpha1.RegistryAccessGrant
	registries    []v1alpha1.Registry
	organizations []v1alpha1.Organization
	archives      []v1alpha1.Archive
	leases        []coordinationv1.Lease
}

// read reads the cluster; the client must not be a cache. A kind that the API server does not know has no objects.
// The leases are read last: a replica that registers later loads what was there before.
func read(ctx context.Context, c client.Client) (*cluster, error) {
	var (
		grants        v1alpha1.RegistryAccessGrantList
		registries    v1alpha1.RegistryList
		organizations v1alpha1.OrganizationList
		archives      v1alpha1.ArchiveList
		leases        coordinationv1.LeaseList
	)
	for _, list := range []client.ObjectList{&grants, &registries, &organizations, &archives} {
		if err := c.List(ctx, list); err != nil && !meta.IsNoMatchError(err) {
			return nil, err
		}
	}
	if err := c.List(ctx, &leases, client.HasLabels{enforcement.ArchiveLabel}); err != nil {
		return nil, err
	}
	return &cluster{
		grants: grants.Items, registries: registries.Items, organizations: organizations.Items,
		archives: archives.Items, leases: leases.Items,
	}, nil
}
