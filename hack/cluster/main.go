// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Cluster runs a real Kubernetes of one node on a plain Linux machine, as root, from Go
// modules and a few Debian packages: no container engine, no registry, no download.
//
//	cluster up               start it, or say that one already answers KUBECONFIG
//	cluster down [-check]    end it and leave nothing behind; -check only looks
//	cluster load FILE...     give it images, from archives in the OCI layout
//	cluster exec COMMAND...  run a command of this machine in the cluster's network
//
// All that belongs to a running cluster is in the directory CLUSTER_DIR. It lives in
// namespaces of its own (processes, mounts, network, control groups), so that ending its
// first process ends all of it, and this machine's links, firewall and mounts are not touched.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = "usage: cluster up | down [-check] | load FILE... | exec COMMAND [ARGUMENT...]"

// errLeft is the outcome of a look that found something; it has been told already.
var errLeft = errors.New("something of the cluster is left")

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2:]); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, command string, args []string) error {
	at, err := findPlace()
	if err != nil {
		return err
	}
	switch {
	case command == "up" && len(args) == 0:
		return up(ctx, at)
	case command == "down" && len(args) == 0:
		return down(ctx, at)
	case command == "down" && len(args) == 1 && (args[0] == "-check" || args[0] == "--check"):
		return check(at)
	case command == "load" && len(args) > 0:
		return load(ctx, at, args)
	case command == "exec" && len(args) > 0:
		return execIn(at, args)
	case command == "launch" && len(args) == 0: // by up only
		return launch(at)
	case command == "node" && len(args) == 0: // by launch only
		return node(at)
	case command == "provision" && len(args) == 0: // by node only
		return provision(ctx, at)
	}
	return errors.New(usage)
}

// say tells a person what goes on.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "cluster: "+format+"\n", args...) }
