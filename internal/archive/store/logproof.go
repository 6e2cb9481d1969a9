// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// LogProofs keeps what makes the access log provable: one Merkle tree for each month (YYYY-MM), in which each row has
// a leaf. A row waits for its leaf from the transaction that writes it.
type LogProofs interface {
	// LogState says how far the log has come.
	LogState(ctx context.Context) (LogState, error)

	// TakeLogLease makes the holder the one that gives leaves until the time, if nobody else is; ok says whether
	// it is. It saves work: AppendLeaves is what lets no two fork the log. A lease that has more than MaxLogLease to last
	// counts as none: the clock that it was taken by was wrong.
	TakeLogLease(ctx context.Context, holder string, now, until time.Time) (ok bool, err error)

	// PendingLog gives rows that wait for a leaf, oldest first, limit (1 to MaxPage) at most.
	PendingLog(ctx context.Context, limit int) ([]LogRow, error)

	// LogBacklog says how many rows wait for a leaf, and the time of the oldest.
	LogBacklog(ctx context.Context) (rows int, oldest time.Time, err error)

	// LostLog gives up to MaxPage places of rows that wait for a leaf and are not there: somebody has removed them.
	LostLog(ctx context.Context) ([]LogPosition, error)

	// LogHeads gives the last leaf of each of the subjects that has one.
	LogHeads(ctx context.Context, subjects []LogSubject) (map[LogSubject]LogHead, error)

	// AppendLeaves gives leaves to rows in one transaction: all or nothing. ErrStale if the log is no longer what
	// the batch was made for.
	AppendLeaves(ctx context.Context, batch LeafBatch) error

	// LogTile gives the hashes of a tile, as many as there are. ErrNotFound.
	LogTile(ctx context.Context, month string, level int, index int64) ([]byte, error)

	// LogTrees gives every month that has a tree, oldest first.
	LogTrees(ctx context.Context) ([]LogTree, error)

	// AddLogCheckpoint keeps a checkpoint of a month's tree, in the place of one of the same tree, which stays if it was
	// to be kept. ErrStale if there is one of a larger tree. Of those that are older than the time, it lets go of all that
	// are not to be kept.
	AddLogCheckpoint(ctx context.Context, checkpoint LogCheckpoint, older time.Time) error

	// LogCheckpoint gives the checkpoint of a month's largest tree. ErrNotFound.
	LogCheckpoint(ctx context.Context, month string) (LogCheckpoint, error)

	// LogCheckpoints gives up to MaxPage checkpoints of a month of trees larger than the size, smallest first.
	LogCheckpoints(ctx context.Context, month string, size int64) ([]LogCheckpoint, error)

	// Leaves gives the leaves of a month from an index on with their rows, limit (1 to MaxPage) at most.
	Leaves(ctx context.Context, month string, from int64, limit int) ([]LoggedLeaf, error)

	// LeavesAt gives the rows at the places with their leaves, in the order of the places; the row is nil where there
	// is none.
	LeavesAt(ctx context.Context, places []LogPosition) ([]LoggedLeaf, error)

	// LeavesOf gives the rows that the query selects with their leaves, if they have one, in the order of Log.
	LeavesOf(ctx context.Context, query LogQuery) (LeafPage, error)
}

// MaxLogLease is longer than anybody asks to give leaves.
const MaxLogLease = 10 * time.Minute

// LogState is how far the log has come.
type LogState struct {
	// Batch counts the batches of leaves.
	Batch int64
	// Month is the newest month that has a tree; empty without any. Size is how many leaves it has.
	Month string
	Size  int64
}

// LogTree is the tree of a month.
type LogTree struct {
	Month string
	Size  int64
}

// LogSubject is whom a chain of rows is about: a client, as a registry was asked about it. A caller may name any client
// to any registry, and one registry's chain must be whole without what was asked of another.
type LogSubject struct {
	Registry string
	ClientID uuid.UUID
}

// LogHead is the last leaf of a subject.
type LogHead struct {
	// Sequence numbers the subject's leaves from 1.
	Sequence int64
	Entry    [32]byte
}

// Leaf says how a row is in the log.
type Leaf struct {
	// Month and Index name the place; the index is from 0.
	Month string
	Index int64
	Salt  [32]byte
	// Sequenced is when the row was given the leaf.
	Sequenced time.Time
	// ClientSequence numbers the leaves of the row's subject from 1, and ClientPrevious is the entry of the one before;
	// 0 and nothing without a client.
	ClientSequence int64
	ClientPrevious [32]byte
}

// NewLeaf is a leaf to add, with the place and subject of its row and the entry in the tree.
type NewLeaf struct {
	Row     LogPosition
	Subject LogSubject
	Entry   [32]byte
	Leaf
}

// LogTile is a tile that has become longer.
type LogTile struct {
	Level  int
	Index  int64
	Hashes []byte
}

// LeafBatch adds leaves to the tree of one month.
type LeafBatch struct {
	// After is the state of the log that the batch was made for.
	After LogState
	// Month is After.Month or a later one; the leaves are in the order of their indexes, which go on from its size.
	Month  string
	Leaves []NewLeaf
	Tiles  []LogTile
}

// LogCheckpoint is a signed note about a month's tree.
type LogCheckpoint struct {
	Month string
	Size  int64
	Made  time.Time
	Note  []byte
	// Kept says that it stays when later ones are there.
	Kept bool
}

// Subject gives whom the row is about; the zero value for a row about no client.
func (r *LogRow) Subject() LogSubject {
	if r.ClientID == uuid.Nil {
		return LogSubject{}
	}
	return LogSubject{Registry: r.Registry, ClientID: r.ClientID}
}

// LoggedLeaf is a row and its leaf.
type LoggedLeaf struct {
	// Position is the row's place in the log's order.
	Position LogPosition
	// Row is nil for a leaf whose row is not there.
	Row *LogRow
	// Leaf is nil for a row that has none; Pending says that it waits for one.
	Leaf    *Leaf
	Pending bool
}

// LeafPage is one page of rows with their leaves.
type LeafPage struct {
	Rows []LoggedLeaf
	// Next continues after the last row; nil when there is nothing more.
	Next *LogPosition
}
