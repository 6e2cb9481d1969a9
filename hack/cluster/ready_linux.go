// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// patience is how long each step may take: a busy machine with two cores needs a minute.
const patience = 5 * time.Minute

// waitReady brings a node that has been launched to where pods and services work.
func waitReady(ctx context.Context, at place) error {
	images := []string{at.path("images", "pause.tar"), at.path("images", "coredns.tar")}
	for _, step := range []struct {
		what string
		try  func() error
	}{
		{"the container runtime", func() error { return load(ctx, at, images) }},
		{"the API server", func() error { _, err := answer(ctx, at.kubeconfig()); return err }},
		{"the node", func() error {
			return kubectl(ctx, at, "wait", "--for=condition=Ready", "--timeout=2s", "node/"+nodeName)
		}},
		{"the storage class", func() error { return kubectl(ctx, at, "apply", "-f", at.path("etc", "storage.yaml")) }},
		{"the service account of pods", func() error { return kubectl(ctx, at, "get", "serviceaccount", "default") }},
		{"the name service", func() error { return kubectl(ctx, at, "apply", "-f", at.path("etc", "dns.yaml")) }},
		{"a pod behind a service", func() error {
			return kubectl(ctx, at, "--namespace=kube-system", "wait", "--for=condition=Available", "--timeout=2s", "deployment/coredns")
		}},
	} {
		if err := await(ctx, at, step.what, step.try); err != nil {
			return err
		}
	}
	return nil
}

// await tries until it succeeds, the node has ended, or patience has.
func await(ctx context.Context, at place, what string, try func() error) error {
	started := time.Now()
	for {
		err := try()
		if err == nil {
			say("%s: after %.1f s", what, time.Since(started).Seconds())
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, running := findNode(at); !running {
			log, _ := os.ReadFile(at.log("node"))
			return fmt.Errorf("the node has ended: %s", strings.TrimSpace(string(log)))
		}
		if time.Since(started) > patience {
			return errors.Join(fmt.Errorf("%s: not there after %v", what, patience), err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func kubectl(ctx context.Context, at place, args ...string) error {
	out, err := exec.CommandContext(ctx, at.binary("kubectl"), append([]string{"--kubeconfig", at.kubeconfig()}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}
