// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package relationship keeps client relationship documents (asiakkuusasiakirja) and ServiceRelationships in step.
//
// The organizer's system stores a document, and the archive makes or changes the object from it; or the organizer
// applies the object with kubectl, and the archive makes or changes the document from it. Which side has moved is told
// by a third state: the version of the document on which both agreed last. If both have moved, each in another way,
// that is a conflict: it is shown on both sides, nothing is overwritten, and the earlier end holds.
//
// Plan decides what is to be done next, and knows neither the store nor the API server. The Keeper carries it out, one
// write at a time, and plans anew after each from what is there then. So a crash between any two writes needs no
// repair, and neither does an API server that is away: the store remembers what has not been carried out.
//
// An end that a document says does not wait for any of this. It goes to the index, which refuses at once, and stays
// there until the API server has come to say it too.
package relationship
