// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Coredns with the plug-ins that the one-node cluster uses, and no others: the whole of
// it brings the libraries of several clouds.
package main

import (
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
)

func main() { coremain.Run() }
