// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package feed keeps an archive's index in step with the API server, proves how
// old the index is, and tells the controllers which revisions it has applied.
//
// # The proof of freshness
//
// An open watch proves nothing: it looks the same when events are stuck. So each
// stream asks the API server, about once a second, for the present revision R of
// its kind with a consistent read begun at the instant T. When the stream itself,
// by an event or a bookmark, has reached R, the view holds everything that was
// committed before T. Both halves are promises of the Kubernetes API: a read with
// no resourceVersion is at least as new as every write acknowledged before it, and
// a bookmark says that everything up to its revision has been sent. That bookmarks
// come often is not promised; a server sends one shortly before the time limit of
// a watch, so each watch asks for a short one. Where no bookmark comes, the view
// grows old and the archive closes: the proof may fail, it cannot lie.
package feed
