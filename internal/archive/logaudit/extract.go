// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logaudit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// formatExtract names the form of an extract.
const formatExtract = "valtuus.io/log-extract/v1"

// Extract is all that a registry's log has about one client, with the proof that it has it.
type Extract struct {
	Format   string    `json:"format"`
	Registry string    `json:"registry"`
	Client   uuid.UUID `json:"client"`
	Made     time.Time `json:"made"`
	// Checkpoints are the newest ones of the trees that the records are in, by month.
	Checkpoints map[logproof.Month]string `json:"checkpoints"`
	// Records are in the order of the client's numbers.
	Records []ExtractRecord `json:"records"`
	// Waiting rows are not covered by a checkpoint yet; those Before are older than the log and have no proof.
	Waiting int `json:"waiting"`
	Before  int `json:"before"`
}

// ExtractRecord is one record and its proof.
type ExtractRecord struct {
	Month logproof.Month `json:"month"`
	Index int64          `json:"index"`
	Salt  []byte         `json:"salt"`
	// Record is the canonical record, byte for byte.
	Record string `json:"record"`
	// Proof are the hashes from the leaf to the root.
	Proof tlog.RecordProof `json:"proof"`
	// sequence is the client's number.
	sequence int64
}

// ErrTooMany says that there are more records than one extract may have.
var ErrTooMany = errors.New("too many records")

// Take makes the extract of a client, of so many records at most. ErrTooMany.
func Take(ctx context.Context, from store.LogProofs, registry string, client uuid.UUID, most int, now time.Time) (*Extract, error) {
	e := &Extract{
		Format: formatExtract, Registry: registry, Client: client, Made: now.UTC(),
		Checkpoints: map[logproof.Month]string{}, Records: []ExtractRecord{},
	}
	// The checkpoints first: what they cover stays as it is.
	trees, sizes := map[string]*logproof.Tree{}, map[string]int64{}
	months, err := from.LogTrees(ctx)
	if err != nil {
		return nil, err
	}
	notes := map[string]string{}
	for _, month := range months {
		last, err := from.LogCheckpoint(ctx, month.Month)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		trees[month.Month] = sequencer.TreeOf(ctx, from, month.Month)
		sizes[month.Month], notes[month.Month] = last.Size, string(last.Note)
	}
	query := store.LogQuery{Registry: registry, ClientID: client, Limit: store.MaxPage}
	for {
		page, err := from.LeavesOf(ctx, query)
		if err != nil {
			return nil, err
		}
		for i := range page.Rows {
			one := &page.Rows[i]
			switch {
			case one.Leaf == nil && !one.Pending:
				e.Before++
			case one.Leaf == nil || one.Leaf.Index >= sizes[one.Leaf.Month]:
				e.Waiting++
			case len(e.Records) == most:
				return nil, ErrTooMany
			default:
				record, err := extractOf(one, trees[one.Leaf.Month], sizes[one.Leaf.Month])
				if err != nil {
					return nil, err
				}
				e.Records = append(e.Records, record)
				e.Checkpoints[record.Month] = notes[one.Leaf.Month]
			}
		}
		if query.After = page.Next; query.After == nil {
			break
		}
	}
	slices.SortStableFunc(e.Records, func(a, b ExtractRecord) int { return int(a.sequence - b.sequence) })
	return e, nil
}

func extractOf(one *store.LoggedLeaf, tree *logproof.Tree, size int64) (ExtractRecord, error) {
	record, err := logproof.Encode(one.Row, link(one.Leaf))
	if err != nil {
		return ExtractRecord{}, fmt.Errorf("%w: %w", store.ErrCorrupt, err)
	}
	proof, err := tree.Inclusion(size, one.Leaf.Index)
	if err != nil {
		return ExtractRecord{}, fmt.Errorf("prove a row of the log: %w", err)
	}
	return ExtractRecord{
		Month: logproof.Month(one.Leaf.Month), Index: one.Leaf.Index, Salt: one.Leaf.Salt[:], Record: string(record),
		Proof: proof, sequence: one.Leaf.ClientSequence,
	}, nil
}
