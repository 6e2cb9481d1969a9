// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// Names of the cache's indexes.
const (
	byOID          = "oid"
	byMainJoiner   = "mainJoiner"
	byOrganization = "organization"
	byArchive      = "archive"
	bySystem       = "system"
	byName         = "name"
	byRegistry     = "registry"
	byUnit         = "unit"
	byPair         = "pair"
	byClientUnit   = "clientUnit"
)

// pairKey is the key of a pair of registry and unit within a namespace.
func pairKey(registry v1alpha1.ObjectName, unit v1alpha1.OID) string {
	return string(registry) + "|" + string(unit)
}

func clientUnitKey(o *v1alpha1.ServiceRelationship) string {
	return o.Spec.ClientID + "|" + string(o.Spec.ProducerUnit)
}

func addIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	for _, index := range []struct {
		object client.Object
		name   string
		key    func(client.Object) string
	}{
		{&v1alpha1.Archive{}, byName, func(o client.Object) string { return o.GetName() }},
		{&v1alpha1.Organization{}, byOID, func(o client.Object) string { return string(o.(*v1alpha1.Organization).Spec.OID) }},
		{&v1alpha1.Organization{}, byMainJoiner, func(o client.Object) string {
			return string(o.(*v1alpha1.Organization).Spec.Joining.MainJoiner)
		}},
		{&v1alpha1.Registry{}, byOID, func(o client.Object) string { return string(o.(*v1alpha1.Registry).Spec.OID) }},
		{&v1alpha1.Registry{}, byOrganization, func(o client.Object) string { return string(o.(*v1alpha1.Registry).Spec.Organization) }},
		{&v1alpha1.Registry{}, byArchive, func(o client.Object) string { return string(o.(*v1alpha1.Registry).Spec.ArchiveName) }},
		{&v1alpha1.Registry{}, bySystem, func(o client.Object) string { return string(o.(*v1alpha1.Registry).Spec.ClientSystem) }},
		{&v1alpha1.ProducerUnit{}, byOID, func(o client.Object) string { return string(o.(*v1alpha1.ProducerUnit).Spec.OID) }},
		{&v1alpha1.ProducerUnit{}, byOrganization, func(o client.Object) string {
			return string(o.(*v1alpha1.ProducerUnit).Spec.Organization)
		}},
		{&v1alpha1.ProducerUnit{}, bySystem, func(o client.Object) string { return string(o.(*v1alpha1.ProducerUnit).Spec.ClientSystem) }},
		{&v1alpha1.RegistryAccessGrant{}, byUnit, func(o client.Object) string {
			return string(o.(*v1alpha1.RegistryAccessGrant).Spec.ProducerUnit)
		}},
		{&v1alpha1.RegistryAccessGrant{}, byRegistry, func(o client.Object) string {
			return string(o.(*v1alpha1.RegistryAccessGrant).Spec.RegistryRef.Name)
		}},
		{&v1alpha1.RegistryAccessGrant{}, byPair, func(o client.Object) string {
			g := o.(*v1alpha1.RegistryAccessGrant)
			return pairKey(g.Spec.RegistryRef.Name, g.Spec.ProducerUnit)
		}},
		{&v1alpha1.DeploymentTest{}, byRegistry, func(o client.Object) string {
			if run := o.(*v1alpha1.DeploymentTest).Spec.Run; run != nil {
				return string(run.Registry.Name)
			}
			return ""
		}},
		{&v1alpha1.DeploymentTest{}, byUnit, func(o client.Object) string {
			if run := o.(*v1alpha1.DeploymentTest).Spec.Run; run != nil {
				return string(run.ProducerUnit)
			}
			return ""
		}},
		{&v1alpha1.DeploymentTest{}, byPair, func(o client.Object) string {
			if run := o.(*v1alpha1.DeploymentTest).Spec.Run; run != nil {
				return pairKey(run.Registry.Name, run.ProducerUnit)
			}
			return ""
		}},
		{&v1alpha1.ServiceRelationship{}, byUnit, func(o client.Object) string {
			return string(o.(*v1alpha1.ServiceRelationship).Spec.ProducerUnit)
		}},
		{&v1alpha1.ServiceRelationship{}, byRegistry, func(o client.Object) string {
			return string(o.(*v1alpha1.ServiceRelationship).Spec.RegistryRef.Name)
		}},
		{&v1alpha1.ServiceRelationship{}, byPair, func(o client.Object) string {
			s := o.(*v1alpha1.ServiceRelationship)
			return pairKey(s.Spec.RegistryRef.Name, s.Spec.ProducerUnit)
		}},
		{&v1alpha1.ServiceRelationship{}, byClientUnit, func(o client.Object) string {
			return clientUnitKey(o.(*v1alpha1.ServiceRelationship))
		}},
	} {
		err := indexer.IndexField(ctx, index.object, index.name, func(o client.Object) []string {
			if key := index.key(o); key != "" {
				return []string{key}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
