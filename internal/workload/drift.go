// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"encoding/json"
	"fmt"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// InStep tells whether applying what is wanted would change nothing of a live object: the field manager owns exactly
// the fields that are wanted, and they have the wanted values. A field that another took over or changed, and one that
// is no longer wanted, are steps apart; what others added is theirs.
func InStep(live client.Object, wanted runtime.ApplyConfiguration, manager string) (bool, error) {
	applied, err := extract(live, manager)
	if err != nil {
		return false, fmt.Errorf("read what was applied of %s %s: %w", kindOf(live), live.GetName(), err)
	}
	a, err := plain(applied)
	if err != nil {
		return false, err
	}
	b, err := plain(wanted)
	if err != nil {
		return false, err
	}
	return reflect.DeepEqual(a, b), nil
}

// plain gives a configuration as JSON has it, in which two that say the same are equal.
func plain(o runtime.ApplyConfiguration) (out map[string]any, err error) {
	text, err := json.Marshal(o)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if meta, ok := out["metadata"].(map[string]any); ok {
		delete(meta, "uid") // names the object that is meant, and is applied to none
	}
	return out, err
}

func extract(live client.Object, manager string) (runtime.ApplyConfiguration, error) {
	switch o := live.(type) {
	case *corev1.PersistentVolumeClaim:
		return corev1ac.ExtractPersistentVolumeClaim(o, manager)
	case *corev1.ServiceAccount:
		return corev1ac.ExtractServiceAccount(o, manager)
	case *rbacv1.RoleBinding:
		return rbacv1ac.ExtractRoleBinding(o, manager)
	case *rbacv1.ClusterRoleBinding:
		return rbacv1ac.ExtractClusterRoleBinding(o, manager)
	case *corev1.Service:
		return corev1ac.ExtractService(o, manager)
	case *networkingv1.NetworkPolicy:
		return networkingv1ac.ExtractNetworkPolicy(o, manager)
	case *policyv1.PodDisruptionBudget:
		return policyv1ac.ExtractPodDisruptionBudget(o, manager)
	case *appsv1.StatefulSet:
		return appsv1ac.ExtractStatefulSet(o, manager)
	case *appsv1.Deployment:
		return appsv1ac.ExtractDeployment(o, manager)
	case *batchv1.CronJob:
		return batchv1ac.ExtractCronJob(o, manager)
	default:
		return nil, fmt.Errorf("no kind of an archive's objects: %T", live)
	}
}

// WithUID makes a configuration apply to the one object that was looked at, and to no other that took its name since.
func WithUID(wanted runtime.ApplyConfiguration, live client.Object) {
	uid := live.GetUID()
	switch o := wanted.(type) {
	case *corev1ac.PersistentVolumeClaimApplyConfiguration:
		o.WithUID(uid)
	case *corev1ac.ServiceAccountApplyConfiguration:
		o.WithUID(uid)
	case *rbacv1ac.RoleBindingApplyConfiguration:
		o.WithUID(uid)
	case *rbacv1ac.ClusterRoleBindingApplyConfiguration:
		o.WithUID(uid)
	case *corev1ac.ServiceApplyConfiguration:
		o.WithUID(uid)
	case *networkingv1ac.NetworkPolicyApplyConfiguration:
		o.WithUID(uid)
	case *policyv1ac.PodDisruptionBudgetApplyConfiguration:
		o.WithUID(uid)
	case *appsv1ac.StatefulSetApplyConfiguration:
		o.WithUID(uid)
	case *appsv1ac.DeploymentApplyConfiguration:
		o.WithUID(uid)
	case *batchv1ac.CronJobApplyConfiguration:
		o.WithUID(uid)
	}
}
