// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import (
	"os"
	"time"
)

// dataSync makes what was written durable.
func dataSync(f *os.File) error { return f.Sync() }

// processorTime is not known here.
func processorTime() time.Duration { return 0 }

// residentOf is not known here.
func residentOf(int) float64 { return 0 }
