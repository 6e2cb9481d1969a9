// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"

	"github.com/valtuus/valtuus/internal/workload"
)

// imageVariable names the image of archives where the flag does not.
const imageVariable = "VALTUUS_ARCHIVE_IMAGE"

// archiveSettings are what a person may choose for all archives that run in the cluster.
type archiveSettings struct {
	image, metricsFrom string
	networkPolicies    bool
	apiServerPorts     []int32
}

func (a *archiveSettings) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.image, "archive-image", os.Getenv(imageVariable),
		"image that archives run where their Archive names none (default: $"+imageVariable+")")
	cmd.Flags().BoolVar(&a.networkPolicies, "archive-network-policies", true, "make a NetworkPolicy for each archive that runs in the cluster")
	cmd.Flags().StringVar(&a.metricsFrom, "archive-metrics-from", "",
		"who may read the metrics of archives, as a JSON list of peers of a NetworkPolicy (default: everybody in the cluster)")
	cmd.Flags().Int32SliceVar(&a.apiServerPorts, "api-server-ports", []int32{443, 6443}, "ports of the API server, as archives reach it")
}

func (a *archiveSettings) read() (workload.Settings, error) {
	out := workload.Settings{Image: a.image, NetworkPolicies: a.networkPolicies, APIServerPorts: a.apiServerPorts}
	if a.metricsFrom == "" {
		return out, nil
	}
	var peers []networkingv1.NetworkPolicyPeer
	if err := yaml.UnmarshalStrict([]byte(a.metricsFrom), &peers); err != nil {
		return out, usageError{fmt.Errorf("--archive-metrics-from is no list of peers of a NetworkPolicy: %w", err)}
	}
	for i := range peers {
		if peers[i].PodSelector == nil && peers[i].NamespaceSelector == nil && peers[i].IPBlock == nil {
			return out, usageError{fmt.Errorf("--archive-metrics-from: peer %d names nobody", i+1)}
		}
	}
	out.MetricsFrom = peers
	return out, nil
}
