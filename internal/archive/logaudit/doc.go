// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package logaudit checks an access log without the archive that wrote it: a downloaded copy of the whole log, or the
// extract of one client. What it needs to be told is the verifier key of the log, and of the witnesses that are
// believed.
//
// A copy is a directory:
//
//	manifest.json          what was copied, and when
//	unproven               rows without a leaf: a state, a tab and the record
//	<month>/checkpoint     the newest checkpoint of the month's tree
//	<month>/checkpoints    all that are kept, one JSON object a line
//	<month>/tile/…         the tree, in the layout of https://c2sp.org/tlog-tiles
//	<month>/records        index, salt and record of each leaf, with tabs between
package logaudit

import "time"

// formatCopy names the form of a copy.
const formatCopy = "valtuus.io/log-copy/v1"

// Names of the files.
const (
	manifestFile    = "manifest.json"
	unprovenFile    = "unproven"
	checkpointFile  = "checkpoint"
	checkpointsFile = "checkpoints"
	recordsFile     = "records"
)

// Manifest says what a copy holds. Nothing of it is believed where the log itself says it.
type Manifest struct {
	Format string `json:"format"`
	// Registry narrows the records to those of one registry; empty: all records are there.
	Registry string    `json:"registry,omitempty"`
	Copied   time.Time `json:"copied"`
	// Months are those that the log has, Sizes how many leaves of each the newest checkpoint covers.
	Months []CopiedMonth `json:"months"`
}

// CopiedMonth is one tree.
type CopiedMonth struct {
	Month string `json:"month"`
	Size  int64  `json:"size"`
}

// The states of a row without a leaf.
const (
	// statePending: it waits for its leaf.
	statePending = "pending"
	// stateNone: it has none and waits for none.
	stateNone = "none"
	// stateLost: it waits for its leaf and is not there; a time and an id stand in the place of the record.
	stateLost = "lost"
)

// Progress is told of what is being done, and how far it is.
type Progress func(doing string, done, total int64)

// keptCheckpoint is a line of the checkpoints.
type keptCheckpoint struct {
	Made time.Time `json:"made"`
	Note string    `json:"note"`
}
