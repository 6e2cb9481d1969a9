// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package testworld

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/conditions"
)

// Objects lists the world's own objects of this product, whatever made them.
func (w *World) Objects(ctx context.Context) ([]conditions.Object, error) {
	var out []conditions.Object
	for _, list := range []client.ObjectList{
		&v1alpha1.ArchiveList{}, &v1alpha1.OrganizationList{}, &v1alpha1.ClientSystemList{}, &v1alpha1.RegistryList{},
		&v1alpha1.ProducerUnitList{}, &v1alpha1.ServiceRelationshipList{}, &v1alpha1.RegistryAccessGrantList{}, &v1alpha1.DeploymentTestList{},
	} {
		if err := w.List(ctx, list); err != nil {
			return nil, err
		}
		_ = meta.EachListItem(list, func(o runtime.Object) error {
			if object := o.(conditions.Object); w.owns(object) {
				out = append(out, object)
			}
			return nil
		})
	}
	return out, nil
}

func (w *World) owns(o conditions.Object) bool {
	switch o.GetNamespace() {
	case w.Platform, w.Organizer, w.Producer:
		return true
	case "":
		name := o.GetName()
		return name == w.Area.Name || name == w.Company.Name || name == w.AreaSystem.Name || name == w.CompanySystem.Name
	}
	return false
}
