// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package history keeps what the archive has known of service relationships, for good, and answers from it.
//
// There are two times. Valid time is when a relationship holds: from its start to its end. Recorded time is when the
// archive came to know. Access at an instant is decided by what was recorded by then: an end that is recorded
// afterwards does not make lawful uses unlawful, but calls for a review of them, and a start that is recorded
// afterwards authorizes nothing that was refused.
//
// The Writer records each state of a ServiceRelationship that the feed tells of and that says something new. What it
// could not write, or was not told, it finds by comparing the view with the last recorded states.
//
// An end that a client relationship document says counts from when the version was stored, until the object has come
// to say it too, just as the index holds to it. That is not recorded a second time: the versions of the document tell
// it, and AsOf and BackdatedEnds join the two.
//
// What is recorded is the relationships alone. Whether the grant, its credentials and the organizations were in order
// at that time is not told: without them, less could be seen.
package history
