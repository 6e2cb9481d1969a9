// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of every kind in this package.
var GroupVersion = schema.GroupVersion{Group: "valtuus.io", Version: "v1alpha1"}

// SchemeGroupVersion is GroupVersion under the name that generated code expects.
var SchemeGroupVersion = GroupVersion

var (
	// SchemeBuilder collects the functions that add this package's types to a scheme.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)
	// AddToScheme adds every kind of this package to a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

// Resource returns the group-qualified form of a resource name.
func Resource(resource string) schema.GroupResource {
	return GroupVersion.WithResource(resource).GroupResource()
}

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&Archive{}, &ArchiveList{},
		&Organization{}, &OrganizationList{},
		&ClientSystem{}, &ClientSystemList{},
		&Registry{}, &RegistryList{},
		&ProducerUnit{}, &ProducerUnitList{},
		&ServiceRelationship{}, &ServiceRelationshipList{},
		&RegistryAccessGrant{}, &RegistryAccessGrantList{},
		&DeploymentTest{}, &DeploymentTestList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
