// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"slices"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// archivePort is where the Service of an archive and its pods serve the HTTP API.
const archivePort = 8443

// endpointOf is the base URL of an archive's HTTP API.
func endpointOf(archive *v1alpha1.Archive) string {
	if external := archive.Spec.External; external != nil {
		return external.Endpoint
	}
	return fmt.Sprintf("https://%s.%s.svc:%d", archive.Name, archive.Namespace, archivePort)
}

// serverNames are the DNS names and the IP addresses of an archive's server certificate. A workload's are those of its
// Service, as pods resolve them, and those that its spec adds.
func serverNames(archive *v1alpha1.Archive) (dnsNames, addresses []string) {
	if external := archive.Spec.External; external != nil {
		return external.DNSNames, external.IPAddresses
	}
	service := archive.Name + "." + archive.Namespace
	names := []string{archive.Name, service, service + ".svc", service + ".svc.cluster.local"}
	for _, name := range archive.Spec.Workload.DNSNames {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}
