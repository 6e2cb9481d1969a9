// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import (
	"runtime"
	"time"
)

func nap(time.Duration) { runtime.Gosched() }

func napPrecisely() {}
