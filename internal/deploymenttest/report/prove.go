// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// prove checks the evidence of the events. Where the key of the log is at hand, every step that was seen must be proven.
func (v *Verified) prove(opts Options) error {
	if v.Observation == nil {
		return nil
	}
	tree, err := v.tree(opts)
	if err != nil {
		return err
	}
	proven := map[int32]bool{}
	for i := range v.Observation.Events {
		e := &v.Observation.Events[i]
		ok, err := provenUnder(tree, e.Evidence)
		if err != nil {
			return fmt.Errorf("event %d: %w", e.Number, err)
		}
		if proven[e.Number] = ok; ok {
			v.Proven++
		} else {
			v.Unproven++
		}
	}
	for _, s := range v.Steps {
		if opts.Log != nil && s.State == v1alpha1.StepSeen && !proven[*s.Event] {
			return fmt.Errorf("step %s rests on event %d, which has no proof", s.Name, *s.Event)
		}
	}
	return nil
}

// tree gives the tree of the checkpoint; an empty one where there is no checkpoint.
func (v *Verified) tree(opts Options) (tlog.Tree, error) {
	text := v.Observation.Checkpoint
	if text == "" {
		return tlog.Tree{}, nil
	}
	if opts.Log != nil {
		checkpoint, err := opts.Log.Open([]byte(text))
		if err != nil {
			return tlog.Tree{}, fmt.Errorf("the checkpoint: %w", err)
		}
		return checkpoint.Tree, nil
	}
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 {
		return tlog.Tree{}, errors.New("the checkpoint is none")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return tlog.Tree{}, errors.New("the checkpoint is none")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return tlog.Tree{}, errors.New("the checkpoint is none")
	}
	return tlog.Tree{N: size, Hash: root}, nil
}

// provenUnder tells whether the leaf is proven to be in the tree. A proof that does not hold is an error.
func provenUnder(tree tlog.Tree, evidence *v1alpha1.TestEvidence) (bool, error) {
	if evidence == nil || evidence.LeafIndex == nil || *evidence.LeafIndex >= tree.N {
		if evidence != nil && len(evidence.Proof) > 0 {
			return false, errors.New("the proof is of no leaf under the checkpoint")
		}
		return false, nil
	}
	if len(evidence.Proof) == 0 && tree.N != 1 {
		return false, nil
	}
	leaf, err := hashOf(evidence.LeafHash)
	if err != nil {
		return false, err
	}
	proof := make(tlog.RecordProof, len(evidence.Proof))
	for i, text := range evidence.Proof {
		if proof[i], err = hashOf(text); err != nil {
			return false, err
		}
	}
	if *evidence.LeafIndex < 0 || tlog.CheckRecord(proof, tree.N, tree.Hash, *evidence.LeafIndex, leaf) != nil {
		return false, errors.New("the proof does not lead from the leaf to the checkpoint")
	}
	return true, nil
}

func hashOf(text string) (hash tlog.Hash, err error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != len(hash) {
		return hash, errors.New("a hash of the evidence is none")
	}
	copy(hash[:], raw)
	return hash, nil
}
