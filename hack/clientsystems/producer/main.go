// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Producer is a client information system of a producer, as small as one can be: it plays the producer's part of a deployment
// test with the unit's credential and a card, and stores its documents as XHTML. It reads both formats.
package main

import (
	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/hack/clientsystems/system"
	"github.com/valtuus/valtuus/internal/deploymenttest/play"
)

func main() { system.Main("producer", archiveclient.XHTML, (*play.Party).Producer) }
