// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/tools/clientcmd"
)

// answering reports, and says, that a cluster answers KUBECONFIG: then none is started.
func answering(ctx context.Context, at place) bool {
	file := os.Getenv("KUBECONFIG")
	if file == "" || file == at.kubeconfig() {
		return false
	}
	version, err := answer(ctx, file)
	if err != nil {
		say("nothing answers KUBECONFIG %s (%v); starting a cluster of its own", file, err)
		return false
	}
	say("a cluster (%s) answers KUBECONFIG %s: it is used, and none is started", version, file)
	return true
}

// answer asks the API server that a kubeconfig names for its version, once it is ready.
func answer(ctx context.Context, kubeconfig string) (version string, err error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return "", err
	}
	config.Timeout = 5 * time.Second
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return "", err
	}
	if _, err := client.RESTClient().Get().AbsPath("/readyz").DoRaw(ctx); err != nil {
		return "", err
	}
	info, err := client.ServerVersion()
	if err != nil {
		return "", err
	}
	return info.GitVersion, nil
}
