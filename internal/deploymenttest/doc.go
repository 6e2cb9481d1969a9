// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package deploymenttest knows how a deployment test (käyttöönottokoe) is scheduled, what its two parties have to do, and
// whether what the archive saw of them is that.
//
// It is pure: no client and no clock. A controller asks Schedule until the window opens and Judge until it has closed, and
// makes the objects that Registry, Grant and Job describe. The archive tells facts (TestObservation); only this package
// judges them.
//
// A test passes when there is one client for whom every step was seen in its order. Parties may try a step again for as
// long as the window is open, also with another client: what came too early, was refused or was not understood counts
// for nothing and is told. One professional's card on both sides fails the test whatever else was seen: then one system
// played both parts.
package deploymenttest
