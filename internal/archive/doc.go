// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package archive is the archive's server: it lets an organizer and its producers store, find and
// read client documents, each request decided on by internal/access and recorded in the use log.
//
// The path of a request is always the same. Who sends it comes from the client certificate, who acts
// from the professional assertion. The input is checked, the facts of a named document are read, the
// decision is made, and for data that leave it is made again just before. Then the use log's row is
// made durable, and only then is anything answered. handler is the shape of an operation in that
// path: it returns what to answer and never writes, so that no operation can leave out a step.
//
// What comes in as a version of a document, the first or a later one, comes in by intake. Whatever is
// about a stored document begins with open, which hides a document from those who may not read it.
//
// openapi.yaml describes the interface; it was written first, and the tests hold every exchange to it.
package archive
