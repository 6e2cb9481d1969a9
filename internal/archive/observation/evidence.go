// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package observation

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
	"k8s.io/utils/ptr"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// maxCheckpoint is the longest checkpoint that a DeploymentTest takes.
const maxCheckpoint = 8192

// prove adds evidence to the events that have a leaf, under the checkpoint that was told before for as long as that serves,
// so that a log that grows with the requests of others changes nothing here. Complete tells that every event is proven.
//
// A checkpoint is of one month's tree. Where the log went over into the next month during the test, the events of the month
// before have none.
func (o *Observer) prove(ctx context.Context, told string, events []listed) (checkpoint string, complete bool, err error) {
	month := ""
	for i := range events {
		if leaf := events[i].leaf; leaf != nil && leaf.Month > month {
			month = leaf.Month
		}
	}
	if month == "" {
		return told, len(events) == 0, nil
	}
	under, found, err := o.checkpoint(ctx, told, month, events)
	if err != nil {
		return "", false, err
	}
	complete = true
	tree := sequencer.TreeOf(ctx, o.Store, month)
	for i := range events {
		e := &events[i]
		if e.leaf == nil {
			complete = false
			continue
		}
		if e.leaf.Month != month {
			continue
		}
		hash, err := o.leafHash(ctx, month, e.leaf.Index)
		if err != nil {
			return "", false, err
		}
		e.Evidence = &v1alpha1.TestEvidence{LeafIndex: ptr.To(e.leaf.Index), LeafHash: encode(hash)}
		if !found || e.leaf.Index >= under.Tree.N {
			complete = false
			continue
		}
		proof, err := tree.Inclusion(under.Tree.N, e.leaf.Index)
		if err != nil {
			return "", false, fmt.Errorf("prove an event: %w", err)
		}
		for _, one := range proof {
			e.Evidence.Proof = append(e.Evidence.Proof, encode(one))
		}
	}
	if !found {
		return "", false, nil
	}
	return string(under.Text), complete, nil
}

// checkpoint gives the one that was told before if every leaf is under it, and else the newest.
func (o *Observer) checkpoint(ctx context.Context, told, month string, events []listed) (logproof.Checkpoint, bool, error) {
	if told != "" {
		under, err := o.Verifier.Open([]byte(told))
		serves := err == nil && string(under.Month) == month
		for i := range events {
			leaf := events[i].leaf
			serves = serves && (leaf == nil || leaf.Month != month || leaf.Index < under.Tree.N)
		}
		if serves {
			return under, true, nil
		}
	}
	newest, err := o.Store.LogCheckpoint(ctx, month)
	if errors.Is(err, store.ErrNotFound) || err == nil && len(newest.Note) > maxCheckpoint {
		return logproof.Checkpoint{}, false, nil
	}
	if err != nil {
		return logproof.Checkpoint{}, false, err
	}
	under, err := o.Verifier.Open(newest.Note)
	return under, err == nil, err
}

// leafHash reads the hash of a leaf.
func (o *Observer) leafHash(ctx context.Context, month string, index int64) (hash tlog.Hash, err error) {
	tile, err := o.Store.LogTile(ctx, month, 0, index/logproof.Width)
	if err != nil {
		return hash, err
	}
	at := index % logproof.Width * logproof.HashSize
	if int64(len(tile)) < at+logproof.HashSize {
		return hash, store.ErrCorrupt
	}
	copy(hash[:], tile[at:])
	return hash, nil
}

func encode(hash tlog.Hash) string { return base64.StdEncoding.EncodeToString(hash[:]) }
