// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/valtuus/valtuus/internal/archive/logproof"
)

// State remembers, in a file, the newest tree that was cosigned of each origin. Without it a witness would cosign
// whatever it is shown next: a file that was there and is gone is an error for whoever runs the witness to see.
type State struct {
	file string

	mu    sync.Mutex
	trees map[string]seen
}

// seen is the newest tree of an origin, with the checkpoint that told of it.
type seen struct {
	Size       int64     `json:"size"`
	Root       tlog.Hash `json:"root"`
	Checkpoint string    `json:"checkpoint"`
	// Signers are the verifier keys of the log that it was signed by.
	Signers []string `json:"signers,omitempty"`
}

// NewState makes an empty file, which must not exist.
func NewState(file string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make the state of the witness: %w", err)
	}
	_, err = f.WriteString("{}\n")
	return errors.Join(err, f.Sync(), f.Close())
}

// OpenState reads the file.
func OpenState(file string) (*State, error) {
	s := &State{file: file, trees: map[string]seen{}}
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the state of the witness is missing: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("read the state of the witness: %w", err)
	}
	if err := json.Unmarshal(raw, &s.trees); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", file, err)
	}
	return s, nil
}

// move puts the checkpoint's tree in the place of the former, as one step, and durably before it returns nil. check sees
// the former tree, of size 0 if there is none, and its error changes nothing. former is what was there.
func (s *State) move(c *logproof.Checkpoint, check func(former tlog.Tree) error) (former seen, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	former, known := s.trees[c.Origin]
	if err := check(tlog.Tree{N: former.Size, Hash: former.Root}); err != nil {
		return former, err
	}
	s.trees[c.Origin] = seen{c.Tree.N, c.Tree.Hash, string(c.Text), c.Signers}
	if err = s.write(); err != nil {
		if s.trees[c.Origin] = former; !known {
			delete(s.trees, c.Origin)
		}
	}
	return former, err
}

// write replaces the file.
func (s *State) write() error {
	raw, err := json.MarshalIndent(s.trees, "", "  ")
	if err != nil {
		return err
	}
	temporary := s.file + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary, s.file); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(s.file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
