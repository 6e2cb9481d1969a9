// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logaudit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
}

// ErrTooMany says that there are more records than one extract may have.
var ErrTooMany = errors.New("too many records")

// Extraction is an extract of which the places of the records are known, and not yet the records.
type Extraction struct {
	head Extract
	from store.LogProofs
	// sizes are those of the trees that the proofs lead to.
	sizes  map[string]int64
	places []extractPlace
}

// extractPlace is where a record is, and the client's number of it.
type extractPlace struct {
	row      store.LogPosition
	sequence int64
}

// Begin finds the records of a client, so many at most. ErrTooMany.
func Begin(ctx context.Context, from store.LogProofs, registry string, client uuid.UUID, most int, now time.Time) (*Extraction, error) {
	e := &Extraction{from: from, sizes: map[string]int64{}, head: Extract{
		Format: formatExtract, Registry: registry, Client: client, Made: now.UTC(),
		Checkpoints: map[logproof.Month]string{}, Records: []ExtractRecord{},
	}}
	// The checkpoints first: what they cover stays as it is.
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
		e.sizes[month.Month], notes[month.Month] = last.Size, string(last.Note)
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
				e.head.Before++
			case one.Leaf == nil || one.Leaf.Index >= e.sizes[one.Leaf.Month]:
				e.head.Waiting++
			case len(e.places) == most:
				return nil, ErrTooMany
			default:
				e.places = append(e.places, extractPlace{one.Position, one.Leaf.ClientSequence})
				e.head.Checkpoints[logproof.Month(one.Leaf.Month)] = notes[one.Leaf.Month]
			}
		}
		if query.After = page.Next; query.After == nil {
			break
		}
	}
	slices.SortStableFunc(e.places, func(a, b extractPlace) int { return cmp.Compare(a.sequence, b.sequence) })
	return e, nil
}

// Rows is how many rows there are about the client, with or without a proof.
func (e *Extraction) Rows() int { return len(e.places) + e.head.Waiting + e.head.Before }

// recordsAtOnce is how many records are read and proven together.
const recordsAtOnce = 64

// each reads and proves the records in their order.
func (e *Extraction) each(ctx context.Context, take func(*ExtractRecord) error) error {
	for batch := range slices.Chunk(e.places, recordsAtOnce) {
		places := make([]store.LogPosition, len(batch))
		for i := range batch {
			places[i] = batch[i].row
		}
		leaves, err := e.from.LeavesAt(ctx, places)
		if err != nil {
			return err
		}
		trees := map[string]*logproof.Tree{} // which keep what they read
		for i := range leaves {
			one := &leaves[i]
			if one.Row == nil || one.Leaf == nil {
				return store.Unavailable("proving a row of the log", errors.New("it was destroyed meanwhile"))
			}
			month := one.Leaf.Month
			if trees[month] == nil {
				trees[month] = sequencer.TreeOf(ctx, e.from, month)
			}
			record, err := extractOf(one, trees[month], e.sizes[month])
			if err != nil {
				return err
			}
			if err := take(&record); err != nil {
				return err
			}
		}
	}
	return nil
}

// Write writes the extract as JSON, a record at a time. Its errors are the store's, or those of the writer.
func (e *Extraction) Write(ctx context.Context, to io.Writer) error {
	head, err := json.Marshal(&e.head)
	if err != nil {
		return err
	}
	before, after, _ := bytes.Cut(head, []byte(noRecords))
	if _, err := fmt.Fprintf(to, "%s%s", before, noRecords[:len(noRecords)-1]); err != nil {
		return err
	}
	comma := ""
	if err := e.each(ctx, func(record *ExtractRecord) error {
		text, err := json.Marshal(record)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(to, "%s\n%s", comma, text)
		comma = ","
		return err
	}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(to, "]%s\n", after)
	return err
}

// noRecords is what stands for the records where there are none.
const noRecords = `"records":[]`

// Take makes the extract of a client, of so many records at most. ErrTooMany.
func Take(ctx context.Context, from store.LogProofs, registry string, client uuid.UUID, most int, now time.Time) (*Extract, error) {
	e, err := Begin(ctx, from, registry, client, most, now)
	if err != nil {
		return nil, err
	}
	all := e.head
	return &all, e.each(ctx, func(record *ExtractRecord) error {
		all.Records = append(all.Records, *record)
		return nil
	})
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
		Month: logproof.Month(one.Leaf.Month), Index: one.Leaf.Index, Salt: one.Leaf.Salt[:], Record: string(record), Proof: proof,
	}, nil
}
