// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import (
	"context"
	"errors"
)

var errLinux = errors.New("a node runs on Linux only: point KUBECONFIG at a cluster of your own instead")

// up can only see whether a cluster answers already.
func up(ctx context.Context, at place) error {
	if answering(ctx, at) {
		return nil
	}
	return errLinux
}

func down(context.Context, place) error           { return errLinux }
func check(place) error                           { return errLinux }
func load(context.Context, place, []string) error { return errLinux }
func execIn(place, []string) error                { return errLinux }
func launch(place) error                          { return errLinux }
func node(place) error                            { return errLinux }
func provision(context.Context, place) error      { return errLinux }
