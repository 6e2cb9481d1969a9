// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package archiveclient is the client of a Valtuus archive for Go: with the credential of a producer unit, or of the
// organizer's own system, it stores, finds and reads the client documents of one registry.
//
// [New] takes the credential as its Secret holds it ([CredentialDir] follows its renewal) and the professional who
// acts ([Card], or any [Professional]). A client system in which many people work makes one client and calls
// [Client.As] for each of them; [Client.In] picks the language of the archive's texts.
//
// # Repeating
//
// The API is made so that sending a request twice is the same as sending it once. A request is sent again, with
// a new assertion, after a broken connection and when the archive answers 503 and says when to come again, as often as
// [Config.Backoff] and the context allow. [Client.StoreDocument] keeps its key over the attempts; give
// [NewDocument].Key to be safe over a restart of the caller as well.
//
// # Errors
//
// What the archive refuses is a [*Problem]:
//
//	var problem *archiveclient.Problem
//	if errors.As(err, &problem) && problem.Reason == "relationship-ended" {
//		...
//	}
//
// Its reason is for programs. Its title and detail are for people, in the language that was asked for. For a document
// that its schema does not allow, Errors tells where and why. [ReasonOf] is short for the reason.
//
// # Digests
//
// The SHA-256 of the bytes is sent with what is stored, and what is read is held against the archive's ([ErrDigest]).
//
// # Below
//
// The package openapi is generated from the API's description, and [Client.Requests] sends what it has by the rules
// above.
package archiveclient
