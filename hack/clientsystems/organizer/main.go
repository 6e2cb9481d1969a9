// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Organizer is a client information system of an organizer, as small as one can be: it plays the organizer's part of a
// deployment test with the organizer's credential and a card, and stores its documents as JSON. It reads both formats.
package main

import (
	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/hack/clientsystems/system"
	"github.com/valtuus/valtuus/internal/deploymenttest/play"
)

func main() { system.Main("organizer", archiveclient.JSON, (*play.Party).Organizer) }
