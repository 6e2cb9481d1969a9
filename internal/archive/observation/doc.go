// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package observation tells in the DeploymentTests of an archive what the archive saw in their registries, and destroys
// what is in such a registry when its test is over. Nothing of it is on the way of a request.
//
// What is told are facts out of the access log: which certificate did what, when, and what came of it. Whether that is a
// test well done is judged elsewhere. It holds nothing of a person: a client is a random id, a professional's card a hash
// under a salt that only the store has and that no other test shares.
//
// A registry is a test registry only if its OID is made of the UID of the DeploymentTest that it is made for, and only such
// a one is ever destroyed. The order is: the window has closed, nothing more is taken in; all that was seen is told, with
// its evidence; the data is destroyed, part by part; that is told. Each step is remembered in the store, so that a program
// that is killed goes on where it was. A test that is gone is over as well, once a consistent reading has shown that it is
// gone. A test that is being deleted or was called off takes nothing in from then on, whether or not a controller runs;
// what is in it is destroyed once the controller has closed the window.
//
// Of several replicas the one that gives the log its leaves does this. Should two do it for a moment, both say the same.
package observation
