// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"net/url"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"
)

// networkPolicy lets the archive's API and log be reached from the cluster and its metrics by whom the manager says.
// Probes come from the node, which network plug-ins let through. Pods reach name resolution, the API server, the
// database and the log's witnesses; which addresses those have differs, so their ports are what is named.
func (p *Plan) networkPolicy() *networkingv1ac.NetworkPolicyApplyConfiguration {
	everybody := networkingv1ac.NetworkPolicyPeer().WithNamespaceSelector(metav1ac.LabelSelector())
	metrics := networkingv1ac.NetworkPolicyIngressRule().WithPorts(tcp(AdminPort))
	for i := range p.Settings.MetricsFrom {
		metrics.WithFrom(peer(&p.Settings.MetricsFrom[i]))
	}
	if len(p.Settings.MetricsFrom) == 0 {
		metrics.WithFrom(everybody)
	}
	spec := networkingv1ac.NetworkPolicySpec().
		WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(p.Selector())).
		WithPolicyTypes(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress).
		WithIngress(networkingv1ac.NetworkPolicyIngressRule().WithPorts(tcp(APIPort), tcp(LogPort)).WithFrom(everybody), metrics).
		WithEgress(resolution(), egress(p.Settings.APIServerPorts))
	if ports := p.DatabasePorts; len(ports) > 0 {
		spec.WithEgress(egress(ports))
	}
	if ports := p.witnessPorts(); len(ports) > 0 {
		spec.WithEgress(egress(ports))
	}
	return networkingv1ac.NetworkPolicy(p.name(), p.namespace()).
		WithLabels(p.labels()).WithAnnotations(p.annotations()).WithSpec(spec)
}

// BackupPolicyName is the NetworkPolicy of an archive's backups. With a dot in it, it is the name of no archive's own.
func BackupPolicyName(archive string) string { return archive + ".backup" }

// backupPolicy lets nobody reach the pods of backups, and lets them reach the database. Where documents are on a volume,
// they reach nothing.
func (p *Plan) backupPolicy() *networkingv1ac.NetworkPolicyApplyConfiguration {
	spec := networkingv1ac.NetworkPolicySpec().
		WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(p.BackupSelector())).
		WithPolicyTypes(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress)
	if ports := p.DatabasePorts; len(ports) > 0 {
		spec.WithEgress(resolution(), egress(ports))
	}
	return networkingv1ac.NetworkPolicy(BackupPolicyName(p.name()), p.namespace()).
		WithLabels(p.labels()).WithAnnotations(p.annotations()).WithSpec(spec)
}

// resolution is the way to name resolution.
func resolution() *networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration {
	return networkingv1ac.NetworkPolicyEgressRule().WithPorts(tcp(53), networkingv1ac.NetworkPolicyPort().
		WithProtocol(corev1.ProtocolUDP).WithPort(intstr.FromInt32(53)))
}

func egress(ports []int32) *networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration {
	rule := networkingv1ac.NetworkPolicyEgressRule()
	for _, number := range ports {
		rule.WithPorts(tcp(number))
	}
	return rule
}

func tcp(number int32) *networkingv1ac.NetworkPolicyPortApplyConfiguration {
	return networkingv1ac.NetworkPolicyPort().WithProtocol(corev1.ProtocolTCP).WithPort(intstr.FromInt32(number))
}

func peer(from *networkingv1.NetworkPolicyPeer) *networkingv1ac.NetworkPolicyPeerApplyConfiguration {
	out := networkingv1ac.NetworkPolicyPeer()
	if from.PodSelector != nil {
		out.WithPodSelector(selectorOf(from.PodSelector))
	}
	if from.NamespaceSelector != nil {
		out.WithNamespaceSelector(selectorOf(from.NamespaceSelector))
	}
	if block := from.IPBlock; block != nil {
		out.WithIPBlock(networkingv1ac.IPBlock().WithCIDR(block.CIDR).WithExcept(block.Except...))
	}
	return out
}

// witnessPorts are the ports of the witnesses' URLs.
func (p *Plan) witnessPorts() []int32 {
	var ports []int32
	for _, witness := range p.spec().LogWitnesses {
		at, err := url.Parse(witness.URL)
		if err != nil {
			continue
		}
		number, err := strconv.ParseUint(at.Port(), 10, 16)
		switch {
		case err == nil:
		case at.Scheme == "http":
			number = 80
		default:
			number = 443
		}
		ports = append(ports, int32(number))
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}
