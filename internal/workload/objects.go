// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Child is an object of an archive, or one that it has no more.
type Child struct {
	// Object has the kind, name and namespace of the child, and nothing else.
	Object client.Object
	// Wanted is what it should be; nil when it should not be.
	Wanted runtime.ApplyConfiguration
	// Only is the UID of the one object that is meant, whoever made it; empty when it may be made.
	Only types.UID
	// Outlives says that it stays when the Archive goes, for the next of that name.
	Outlives bool
}

// Kinds are the kinds of an archive's objects that are watched, its pods with them.
func Kinds() []client.Object {
	return []client.Object{
		&corev1.ServiceAccount{}, &rbacv1.RoleBinding{}, &rbacv1.ClusterRoleBinding{}, &corev1.Service{},
		&networkingv1.NetworkPolicy{}, &policyv1.PodDisruptionBudget{}, &corev1.PersistentVolumeClaim{},
		&appsv1.StatefulSet{}, &appsv1.Deployment{}, &batchv1.CronJob{}, &batchv1.Job{}, &corev1.Pod{},
	}
}

// Kind names the kind of the child, as a person says it.
func (c *Child) Kind() string { return kindOf(c.Object) }

func kindOf(o client.Object) string {
	switch o.(type) {
	case *corev1.PersistentVolumeClaim:
		return "PersistentVolumeClaim"
	case *corev1.ServiceAccount:
		return "ServiceAccount"
	case *rbacv1.RoleBinding:
		return "RoleBinding"
	case *rbacv1.ClusterRoleBinding:
		return "ClusterRoleBinding"
	case *corev1.Service:
		return "Service"
	case *networkingv1.NetworkPolicy:
		return "NetworkPolicy"
	case *policyv1.PodDisruptionBudget:
		return "PodDisruptionBudget"
	case *appsv1.StatefulSet:
		return "StatefulSet"
	case *appsv1.Deployment:
		return "Deployment"
	case *batchv1.CronJob:
		return "CronJob"
	default:
		return fmt.Sprintf("%T", o)
	}
}

// Children are an archive's objects, in the order in which they are made: what a pod needs before the pods.
func (p *Plan) Children() []Child {
	in := metav1.ObjectMeta{Namespace: p.namespace(), Name: p.name()}
	account := metav1.ObjectMeta{Namespace: p.namespace(), Name: ServiceAccountName(p.name())}
	policy := Child{Object: &networkingv1.NetworkPolicy{ObjectMeta: in}}
	if p.Settings.NetworkPolicies {
		policy.Wanted = p.networkPolicy()
	}
	children := []Child{
		{Object: &corev1.ServiceAccount{ObjectMeta: account}, Wanted: p.serviceAccount()},
		{Object: &rbacv1.RoleBinding{ObjectMeta: account}, Wanted: p.roleBinding()},
		{Object: ClusterRoleBinding(p.namespace(), p.name()), Wanted: p.clusterRoleBinding()},
		{Object: &corev1.Service{ObjectMeta: in}, Wanted: p.service()},
		policy,
	}
	if p.Embedded() {
		claim := metav1.ObjectMeta{Namespace: p.namespace(), Name: ClaimName(p.name())}
		children = append(children,
			Child{Object: &corev1.PersistentVolumeClaim{ObjectMeta: claim}, Wanted: p.claim(), Outlives: true, Only: p.Volume.Only},
			Child{Object: &appsv1.StatefulSet{ObjectMeta: in}, Wanted: p.statefulSet()},
		)
		return append(children, p.backups()...)
	}
	budget := Child{Object: &policyv1.PodDisruptionBudget{ObjectMeta: in}}
	if p.Replicas() > 1 {
		budget.Wanted = p.disruptionBudget()
	}
	children = append(children, budget, Child{Object: &appsv1.Deployment{ObjectMeta: in}, Wanted: p.deployment()})
	return append(children, p.backups()...)
}

// ClusterRoleBinding names the one object of an archive that is in no namespace, and so does not go with it by itself.
func ClusterRoleBinding(namespace, archive string) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: ClusterRoleBindingName(namespace, archive)}}
}

func (p *Plan) claim() *corev1ac.PersistentVolumeClaimApplyConfiguration {
	embedded := p.spec().Storage.Embedded
	spec := corev1ac.PersistentVolumeClaimSpec().WithAccessModes(corev1.ReadWriteOnce).
		WithResources(corev1ac.VolumeResourceRequirements().WithRequests(corev1.ResourceList{corev1.ResourceStorage: *embedded.Size}))
	if class := embedded.StorageClassName; class != "" {
		spec.WithStorageClassName(string(class))
	}
	return corev1ac.PersistentVolumeClaim(ClaimName(p.name()), p.namespace()).
		WithLabels(p.labels()).WithAnnotations(p.annotations()).WithSpec(spec)
}

func (p *Plan) statefulSet() *appsv1ac.StatefulSetApplyConfiguration {
	return appsv1ac.StatefulSet(p.name(), p.namespace()).
		WithLabels(p.labels()).WithAnnotations(p.annotations()).
		WithSpec(appsv1ac.StatefulSetSpec().
			WithReplicas(1).WithServiceName(p.name()).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(p.Selector())).
			// In order, a pod that never becomes ready would not be replaced by a better one.
			WithPodManagementPolicy(appsv1.ParallelPodManagement).
			WithUpdateStrategy(appsv1ac.StatefulSetUpdateStrategy().WithType(appsv1.RollingUpdateStatefulSetStrategyType)).
			WithTemplate(p.template()))
}

func (p *Plan) deployment() *appsv1ac.DeploymentApplyConfiguration {
	return appsv1ac.Deployment(p.name(), p.namespace()).
		WithLabels(p.labels()).WithAnnotations(p.annotations()).
		WithSpec(appsv1ac.DeploymentSpec().
			WithReplicas(p.Replicas()).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(p.Selector())).
			// A new pod serves before an old one goes.
			WithStrategy(appsv1ac.DeploymentStrategy().WithType(appsv1.RollingUpdateDeploymentStrategyType).
				WithRollingUpdate(appsv1ac.RollingUpdateDeployment().
					WithMaxUnavailable(intstr.FromInt32(0)).WithMaxSurge(intstr.FromInt32(1)))).
			WithRevisionHistoryLimit(3).
			WithTemplate(p.template()))
}

// disruptionBudget lets one pod at a time be evicted. There is none for a single pod: it would keep a node from being
// drained for ever.
func (p *Plan) disruptionBudget() *policyv1ac.PodDisruptionBudgetApplyConfiguration {
	return policyv1ac.PodDisruptionBudget(p.name(), p.namespace()).
		WithLabels(p.labels()).WithAnnotations(p.annotations()).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(1)).
			// A pod that does not serve anyway is in nobody's way.
			WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(p.Selector())))
}

func (p *Plan) service() *corev1ac.ServiceApplyConfiguration {
	serve := func(name string, number int32) *corev1ac.ServicePortApplyConfiguration {
		return corev1ac.ServicePort().WithName(name).WithPort(number).WithProtocol(corev1.ProtocolTCP).
			WithTargetPort(intstr.FromString(name)).WithAppProtocol("https")
	}
	return corev1ac.Service(p.name(), p.namespace()).
		WithLabels(p.labels()).WithAnnotations(p.annotations()).
		WithSpec(corev1ac.ServiceSpec().WithType(corev1.ServiceTypeClusterIP).WithSelector(p.Selector()).
			WithPorts(serve("api", APIPort), serve("log", LogPort)))
}

// PortsOf is a patch that sets the ports of a Service to those wanted, whosever the others are.
func PortsOf(wanted runtime.ApplyConfiguration) client.Patch {
	var ports []corev1ac.ServicePortApplyConfiguration
	if service, ok := wanted.(*corev1ac.ServiceApplyConfiguration); ok && service.Spec != nil {
		ports = service.Spec.Ports
	}
	text, err := json.Marshal(map[string]any{"spec": map[string]any{"ports": ports}})
	if err != nil {
		panic(err) // numbers and words
	}
	return client.RawPatch(types.MergePatchType, text)
}

func (p *Plan) serviceAccount() *corev1ac.ServiceAccountApplyConfiguration {
	return corev1ac.ServiceAccount(ServiceAccountName(p.name()), p.namespace()).
		WithLabels(p.labels()).WithAnnotations(p.annotations()).
		WithAutomountServiceAccountToken(false)
}

// Cluster roles that the product's installation brings: what an archive replica may do.
const (
	archiveRole = "valtuus-archive"
	leaseRole   = "valtuus-archive-lease"
)

func (p *Plan) roleBinding() *rbacv1ac.RoleBindingApplyConfiguration {
	return rbacv1ac.RoleBinding(ServiceAccountName(p.name()), p.namespace()).
		WithLabels(p.labels()).WithAnnotations(p.annotations()).
		WithRoleRef(roleRef(leaseRole)).WithSubjects(p.subject())
}

func (p *Plan) clusterRoleBinding() *rbacv1ac.ClusterRoleBindingApplyConfiguration {
	return rbacv1ac.ClusterRoleBinding(ClusterRoleBindingName(p.namespace(), p.name())).
		WithLabels(p.labels()).WithAnnotations(p.annotations()).WithAnnotations(map[string]string{NamespaceAnnotation: p.namespace()}).
		WithRoleRef(roleRef(archiveRole)).WithSubjects(p.subject())
}

func roleRef(name string) *rbacv1ac.RoleRefApplyConfiguration {
	return rbacv1ac.RoleRef().WithAPIGroup(rbacv1.GroupName).WithKind("ClusterRole").WithName(name)
}

func (p *Plan) subject() *rbacv1ac.SubjectApplyConfiguration {
	return rbacv1ac.Subject().WithKind(rbacv1.ServiceAccountKind).WithNamespace(p.namespace()).WithName(ServiceAccountName(p.name()))
}
