// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import "os/exec"

// endWithParent has no counterpart here: a killed demo leaves its processes.
func endWithParent(*exec.Cmd) {}
