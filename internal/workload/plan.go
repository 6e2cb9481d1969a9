// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// Settings are what the manager gives every archive.
type Settings struct {
	// Image is run where an Archive names none.
	Image string
	// NetworkPolicies lets pods be reached, and reach others, only as an archive needs.
	NetworkPolicies bool
	// MetricsFrom says who may read metrics; everybody in the cluster when empty.
	MetricsFrom []networkingv1.NetworkPolicyPeer
	// APIServerPorts are the ports of the API server, as pods reach it.
	APIServerPorts []int32
}

// Plan is what an archive's objects are rendered from. Its Archive has a workload.
type Plan struct {
	Archive  *v1alpha1.Archive
	Settings Settings
	// ServerSecret holds the server certificate, KeysSecret the archive's keys.
	ServerSecret, KeysSecret string
	// Volume is what to think of an embedded archive's volume.
	Volume Volume
	// DatabasePorts are the ports of the PostgreSQL servers.
	DatabasePorts []int32
	// Checksum changes with what a pod reads only when it starts, and tells nothing of it.
	Checksum string
}

// Labels of an archive's objects. ArchiveLabel is also on the Lease of each replica.
const (
	ArchiveLabel    = "valtuus.io/archive"
	ManagedByLabel  = "app.kubernetes.io/managed-by"
	ManagedBy       = "valtuus"
	ComponentLabel  = "app.kubernetes.io/component"
	Component       = "archive"
	nameLabel       = "app.kubernetes.io/name"
	OwnerAnnotation = "valtuus.io/owner-uid"
	// NamespaceAnnotation is on what is in no namespace.
	NamespaceAnnotation = "valtuus.io/archive-namespace"
	// checksumAnnotation is on pods.
	checksumAnnotation = "valtuus.io/checksum"
)

// Names of an archive's objects that are not called as the archive.

// KeysSecretName is the Secret of the keys that are made for an archive.
func KeysSecretName(archive string) string { return archive + "-archive-keys" }

// ClaimName is the PersistentVolumeClaim of the documents of an embedded archive.
func ClaimName(archive string) string { return archive + "-data" }

// ServiceAccountName is the account that an archive's pods act by.
func ServiceAccountName(archive string) string { return archive + "-archive" }

// ClusterRoleBindingName is in no namespace, so it says the archive's.
func ClusterRoleBindingName(namespace, archive string) string {
	return "valtuus-archive:" + namespace + ":" + archive
}

func (p *Plan) name() string                    { return p.Archive.Name }
func (p *Plan) namespace() string               { return p.Archive.Namespace }
func (p *Plan) spec() *v1alpha1.ArchiveWorkload { return p.Archive.Spec.Workload }

// Embedded tells whether documents are on a volume.
func (p *Plan) Embedded() bool { return p.spec().Storage.Embedded != nil }

// Image is what the pods run; empty when neither the Archive nor the manager names one.
func (p *Plan) Image() string {
	if image := p.spec().Image; image != "" {
		return image
	}
	return p.Settings.Image
}

// Replicas is how many pods serve.
func (p *Plan) Replicas() int32 {
	switch replicas := p.spec().Replicas; {
	case p.Embedded():
		return 1
	case replicas != nil:
		return *replicas
	default:
		return 2
	}
}

// Selector selects the pods that serve.
func (p *Plan) Selector() map[string]string {
	return map[string]string{ComponentLabel: Component, ArchiveLabel: p.name()}
}

func (p *Plan) labels() map[string]string {
	labels := p.Selector()
	labels[ManagedByLabel], labels[nameLabel] = ManagedBy, "valtuus"
	return labels
}

// annotations say for which Archive an object was made. None of them has an owner reference: the garbage collector would
// take what serves away while registries use it, where an Archive is deleted in the foreground.
func (p *Plan) annotations() map[string]string {
	return map[string]string{OwnerAnnotation: string(p.Archive.UID)}
}

// MadeFor tells whether an object was made for an Archive. Another is never adopted, changed or deleted.
func MadeFor(o metav1.Object, archive *v1alpha1.Archive) bool {
	controller := metav1.GetControllerOfNoCopy(o)
	return o.GetAnnotations()[OwnerAnnotation] == string(archive.UID) || (controller != nil && controller.UID == archive.UID)
}

// NotOurs says that an object of a name that is needed is somebody else's.
func NotOurs(kind string, o metav1.Object) string {
	name := o.GetName()
	if o.GetNamespace() != "" {
		name = o.GetNamespace() + "/" + name
	}
	return fmt.Sprintf("%s %s exists and was not made for this Archive: delete or rename it, or make the Archive with another name.", kind, name)
}

// LeftBy tells whether an object is what an Archive of this name leaves behind when it is deleted: its volume or its
// keys. The next of the name takes it over.
func LeftBy(o metav1.Object, archive *v1alpha1.Archive) bool {
	return o.GetLabels()[ManagedByLabel] == ManagedBy && o.GetLabels()[ArchiveLabel] == archive.Name && o.GetAnnotations()[OwnerAnnotation] != ""
}
