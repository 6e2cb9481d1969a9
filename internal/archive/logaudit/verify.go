// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logaudit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"github.com/valtuus/valtuus/internal/archive/logproof"
)

// Options say what is believed.
type Options struct {
	// Log is the verifier of the log: what its newest checkpoints must be signed by.
	Log logproof.Verifier
	// Former are verifiers of keys that the log was signed by before.
	Former []logproof.Verifier
	// Witnesses are those that must have cosigned.
	Witnesses []note.Verifier
	// Seen are checkpoints that somebody has got elsewhere or before.
	Seen [][]byte
	// Years is how long rows must have been kept before they were destroyed.
	Years int
	// Progress is told how far the check is.
	Progress Progress
}

// verifier checks one copy.
type verifier struct {
	opts   Options
	dir    string
	report *Report
	// signers verifies by all keys, former ones too.
	signers logproof.Verifier
	keys    keys
	seen    []logproof.Checkpoint
	chains  chains
	clock   clockCheck
	// destroyed is settled at the end: that a month was destroyed is told in a later one.
	destroyed destruction
}

// Verify checks a copy. What is wrong with the log is in the report; an error says that the check itself could not be
// done.
func Verify(ctx context.Context, dir string, opts Options) (*Report, error) {
	var manifest Manifest
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return nil, fmt.Errorf("read the copy: %w", err)
	}
	if err := json.Unmarshal(text, &manifest); err != nil || manifest.Format != formatCopy {
		return nil, fmt.Errorf("%s is no copy of a log", dir)
	}
	v := &verifier{
		opts: opts, dir: dir, chains: chains{},
		report: &Report{Log: opts.Log.Name(), Registry: manifest.Registry, Cosigned: map[string]int{}},
	}
	if v.signers, err = opts.signers(); err != nil {
		return nil, err
	}
	for _, one := range opts.Seen {
		checkpoint, err := v.signers.Open(one)
		if err != nil {
			return nil, fmt.Errorf("a checkpoint that was seen: %w", err)
		}
		v.seen = append(v.seen, checkpoint)
	}
	months, err := v.months(&manifest)
	if err != nil {
		return nil, err
	}
	for _, month := range months {
		if err := v.month(ctx, month); err != nil {
			return nil, err
		}
	}
	v.keys.settle(v.report, &v.opts.Log, &v.destroyed)
	v.destroyed.settle(v.report, v.opts.Years)
	return v.report, v.unproven()
}

// months gives the months that have something to check, oldest first. One that is named and not there is a finding.
func (v *verifier) months(manifest *Manifest) ([]logproof.Month, error) {
	entries, err := os.ReadDir(v.dir)
	if err != nil {
		return nil, err
	}
	var months []logproof.Month
	for _, entry := range entries {
		if month, err := logproof.ParseMonth(entry.Name()); err == nil && entry.IsDir() {
			months = append(months, month)
		}
	}
	for _, named := range manifest.Months {
		if named.Size > 0 && !slices.Contains(months, logproof.Month(named.Month)) {
			v.report.find(named.Month, -1, "the copy lacks its tree of %d leaves", named.Size)
		}
	}
	for _, seen := range v.seen {
		if seen.Tree.N > 0 && !slices.Contains(months, seen.Month) {
			v.report.find(string(seen.Month), -1, "the log has no such tree, and a checkpoint of %d leaves was seen: the log was rolled back", seen.Tree.N)
		}
	}
	return months, nil
}

// statement is what some checkpoint says of a month's tree.
type statement struct {
	logproof.Checkpoint
	where string
}

// statements gives all that is said of a month's tree, the smallest tree first, and the newest checkpoint's size.
func (v *verifier) statements(month logproof.Month) (all []statement, size int64, err error) {
	newest, err := os.ReadFile(filepath.Join(v.dir, string(month), checkpointFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, 0, err
	}
	add := func(text []byte, where string, newest bool) (logproof.Checkpoint, bool) {
		one, err := v.signers.Open(text, v.opts.Witnesses...)
		if err == nil && one.Month != month {
			err = logproof.ErrOrigin
		}
		former := err == nil && !one.SignedBy(v.opts.Log)
		if v.keys.former = v.keys.former || former; former && newest {
			err = errFormerKey
		}
		if err != nil {
			v.report.find(string(month), -1, "%s: %v", where, err)
			return one, false
		}
		all = append(all, statement{one, where})
		return one, true
	}
	last, ok := add(newest, "the newest checkpoint", true)
	if ok {
		v.cosigned(month, last)
	}
	kept, err := readCheckpoints(filepath.Join(v.dir, string(month), checkpointsFile))
	if err != nil {
		v.report.find(string(month), -1, "the kept checkpoints cannot be read: %v", err)
	}
	for _, one := range kept {
		add([]byte(one.Note), "a checkpoint of "+one.Made.Format("2006-01-02 15:04:05"), false)
	}
	v.report.Checkpoints += len(all)
	for _, seen := range v.seen {
		if seen.Month == month {
			all = append(all, statement{seen, fmt.Sprintf("a checkpoint of %d leaves that was seen elsewhere", seen.Tree.N)})
		}
	}
	slices.SortStableFunc(all, func(a, b statement) int { return int(a.Tree.N - b.Tree.N) })
	return all, last.Tree.N, nil
}

// cosigned holds the newest checkpoint to the witnesses that are asked for.
func (v *verifier) cosigned(month logproof.Month, last logproof.Checkpoint) {
	for _, witness := range v.opts.Witnesses {
		if slices.ContainsFunc(last.Cosignatures, func(s note.Signature) bool {
			return s.Name == witness.Name() && s.Hash == witness.KeyHash()
		}) {
			v.report.Cosigned[witness.Name()]++
		} else {
			v.report.find(string(month), -1, "the newest checkpoint, of %d leaves, is not cosigned by %s", last.Tree.N, witness.Name())
		}
	}
}
