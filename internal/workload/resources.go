// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// What a pod asks for and may use where its Archive does not say. There is no limit of processor time: it only makes
// answers late.
var (
	defaultCPU         = resource.MustParse("100m")
	defaultMemory      = resource.MustParse("256Mi")
	defaultMemoryLimit = resource.MustParse("1Gi")
)

// resourcesOf gives the resources of a container, and the memory, in bytes, at which Go collects garbage harder: nine
// tenths of the limit.
func resourcesOf(asked *v1alpha1.WorkloadResources) (*corev1ac.ResourceRequirementsApplyConfiguration, string) {
	var requests, limits v1alpha1.ResourceAmounts
	if asked != nil && asked.Requests != nil {
		requests = *asked.Requests
	}
	if asked != nil && asked.Limits != nil {
		limits = *asked.Limits
	}
	if requests.CPU == nil {
		requests.CPU = smaller(defaultCPU, limits.CPU)
	}
	// What is left out fits what is not: a request is never above its limit.
	switch {
	case requests.Memory == nil:
		if limits.Memory == nil {
			limits.Memory = &defaultMemoryLimit
		}
		requests.Memory = smaller(defaultMemory, limits.Memory)
	case limits.Memory == nil:
		limits.Memory = larger(defaultMemoryLimit, requests.Memory)
	}
	return corev1ac.ResourceRequirements().WithRequests(listOf(requests)).WithLimits(listOf(limits)),
		strconv.FormatInt(limits.Memory.Value()/10*9, 10)
}

func listOf(amounts v1alpha1.ResourceAmounts) corev1.ResourceList {
	list := corev1.ResourceList{corev1.ResourceMemory: *amounts.Memory}
	if amounts.CPU != nil {
		list[corev1.ResourceCPU] = *amounts.CPU
	}
	return list
}

func smaller(a resource.Quantity, b *resource.Quantity) *resource.Quantity {
	if b != nil && b.Cmp(a) < 0 {
		return b
	}
	return &a
}

func larger(a resource.Quantity, b *resource.Quantity) *resource.Quantity {
	if b != nil && b.Cmp(a) > 0 {
		return b
	}
	return &a
}
