// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// What a Follower finds.
var (
	// ErrForked: the tree does not begin with what it was before, or a leaf is not in it.
	ErrForked = errors.New("the log is another one")
	// ErrGap: a client's rows are not numbered one after the other.
	ErrGap = errors.New("a client's chain has a gap")
	// ErrNoRow: a leaf has no row, or not the one that it commits to.
	ErrNoRow = errors.New("a leaf without its row")
)

// Follower reads a log as it grows, and holds each part to what it is to be: the trees begin with what they were, each
// entry is the commitment to its row and in the tree, the clients' chains are without a gap. The zero value has
// read nothing.
type Follower struct {
	// Leaves is how many it has read.
	Leaves int

	trees map[string]tlog.Tree
	heads map[store.LogSubject]store.LogHead
}

// Follow reads what is new, and gives what is wrong with it; err tells that it cannot be read.
func (f *Follower) Follow(ctx context.Context, s store.LogProofs) (found []error, err error) {
	if f.trees == nil {
		f.trees, f.heads = map[string]tlog.Tree{}, map[store.LogSubject]store.LogHead{}
	}
	months, err := s.LogTrees(ctx)
	if err != nil {
		return nil, err
	}
	for _, month := range months {
		wrong, err := f.followMonth(ctx, s, month)
		if err != nil {
			return nil, err
		}
		found = append(found, wrong...)
	}
	heads, err := s.LogHeads(ctx, slices.Collect(maps.Keys(f.heads)))
	if err == nil && !reflect.DeepEqual(heads, f.heads) {
		found = append(found, fmt.Errorf("%w: the clients' last leaves are %v, want %v", ErrGap, heads, f.heads))
	}
	return found, err
}

func (f *Follower) followMonth(ctx context.Context, s store.LogProofs, month store.LogTree) (found []error, err error) {
	former := f.trees[month.Month]
	if month.Size < former.N {
		return []error{fmt.Errorf("%w: %s had %d leaves, and has %d", ErrForked, month.Month, former.N, month.Size)}, nil
	}
	tree := sequencer.TreeOf(ctx, s, month.Month)
	root, err := tree.Root(month.Size)
	if err != nil {
		return nil, err
	}
	now := tlog.Tree{N: month.Size, Hash: root}
	proof, err := tree.Consistency(now.N, former.N)
	if err != nil {
		return nil, err
	}
	if former.N > 0 && logproof.CheckConsistency(proof, now, former) != nil {
		found = append(found, fmt.Errorf("%w: %s does not begin with the %d leaves it had", ErrForked, month.Month, former.N))
	}
	for from := former.N; from < now.N; {
		page, err := s.Leaves(ctx, month.Month, from, int(min(store.MaxPage, now.N-from)))
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return append(found, fmt.Errorf("%w: leaf %d and those after it", ErrNoRow, from)), nil
		}
		for i := range page {
			if err := f.leaf(tree, now, &page[i], from+int64(i)); err != nil {
				found = append(found, fmt.Errorf("leaf %d of %s: %w", from+int64(i), month.Month, err))
			}
		}
		from, f.Leaves = from+int64(len(page)), f.Leaves+len(page)
	}
	f.trees[month.Month] = now
	return found, nil
}

func (f *Follower) leaf(tree *logproof.Tree, root tlog.Tree, one *store.LoggedLeaf, index int64) error {
	if one.Leaf.Index != index || one.Row == nil {
		return fmt.Errorf("%w: it has index %d", ErrNoRow, one.Leaf.Index)
	}
	record, err := logproof.Encode(one.Row, logproof.Link{
		Sequenced: one.Leaf.Sequenced, ClientSequence: one.Leaf.ClientSequence, ClientPrevious: one.Leaf.ClientPrevious,
	})
	if err != nil {
		return err
	}
	entry := logproof.Commit(one.Leaf.Salt[:], record)
	proof, err := tree.Inclusion(root.N, index)
	if err != nil {
		return err
	}
	if logproof.CheckInclusion(proof, root, index, entry) != nil {
		return ErrForked
	}
	if one.Row.ClientID == uuid.Nil {
		return nil
	}
	head := f.heads[one.Row.Subject()]
	f.heads[one.Row.Subject()] = store.LogHead{Sequence: one.Leaf.ClientSequence, Entry: entry}
	if one.Leaf.ClientSequence != head.Sequence+1 || one.Leaf.ClientPrevious != head.Entry {
		return fmt.Errorf("%w: it is the client's %d, after its %d", ErrGap, one.Leaf.ClientSequence, head.Sequence)
	}
	return nil
}
