// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// writeKubeconfigs makes one for each of the cluster's own components, which reach the
// API server in the cluster's network, and the person's, who reaches it on the loopback.
func writeKubeconfigs(at place, outside string) error {
	for _, user := range []string{"kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "volumes"} {
		if err := writeKubeconfig(at, at.path("kubeconfigs", user), user, apiAddress); err != nil {
			return err
		}
	}
	return writeKubeconfig(at, at.kubeconfig(), "admin", outside)
}

// writeKubeconfig holds the certificates themselves, so that the file can be copied.
func writeKubeconfig(at place, file, user, address string) error {
	var contents [3][]byte
	for i, name := range []string{"ca.crt", user + ".crt", user + ".key"} {
		content, err := os.ReadFile(at.path("pki", name))
		if err != nil {
			return err
		}
		contents[i] = content
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["valtuus"] = &clientcmdapi.Cluster{Server: "https://" + address, CertificateAuthorityData: contents[0]}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: contents[1], ClientKeyData: contents[2]}
	config.Contexts["valtuus"] = &clientcmdapi.Context{Cluster: "valtuus", AuthInfo: user}
	config.CurrentContext = "valtuus"
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return clientcmd.WriteToFile(*config, file)
}
