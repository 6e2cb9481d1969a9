// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logproof

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is a signed statement of what a tree was, see https://c2sp.org/tlog-checkpoint.
type Checkpoint struct {
	// Origin names the tree; Month is its month.
	Origin string
	Month  Month
	// Tree has the size and the root hash.
	Tree tlog.Tree
	// Cosignatures are those of the witnesses asked for.
	Cosignatures []note.Signature
	// Text is the signed note.
	Text []byte
}

// Errors of a checkpoint. Compare with errors.Is.
var (
	// ErrCheckpoint: the text is no checkpoint.
	ErrCheckpoint = errors.New("not a checkpoint")
	// ErrOrigin: it is of another log.
	ErrOrigin = errors.New("a checkpoint of another log")
	// ErrSignature: the log's key has not signed it.
	ErrSignature = errors.New("a checkpoint that the log's key has not signed")
)

// maxNote bounds the text of a checkpoint.
const maxNote = 64 << 10

func checkpointText(origin string, tree tlog.Tree) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, tree.N, tree.Hash)
}

// readTree reads the text that a checkpoint's signatures are over.
func readTree(text string) (origin string, tree tlog.Tree, err error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 || lines[0] == "" {
		return "", tlog.Tree{}, ErrCheckpoint
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return "", tlog.Tree{}, ErrCheckpoint
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil || root.String() != lines[2] {
		return "", tlog.Tree{}, ErrCheckpoint
	}
	return lines[0], tlog.Tree{N: size, Hash: root}, nil
}

// Open reads a checkpoint that the log's key has signed. A signature of a witness that does not hold makes it none;
// those of others do not matter. ErrCheckpoint, ErrOrigin, ErrSignature.
func (v Verifier) Open(text []byte, witnesses ...note.Verifier) (Checkpoint, error) {
	if len(text) > maxNote {
		return Checkpoint{}, ErrCheckpoint
	}
	body, _, found := strings.Cut(string(text), "\n\n")
	if !found {
		return Checkpoint{}, ErrCheckpoint
	}
	origin, tree, err := readTree(body + "\n")
	if err != nil {
		return Checkpoint{}, err
	}
	month, ok := v.MonthOf(origin)
	if !ok {
		return Checkpoint{}, fmt.Errorf("%w: %s", ErrOrigin, origin)
	}
	own, err := v.month(month)
	if err != nil {
		return Checkpoint{}, err
	}
	opened, err := note.Open(text, note.VerifierList(append([]note.Verifier{own}, witnesses...)...))
	var unverified *note.UnverifiedNoteError
	switch {
	case errors.As(err, &unverified):
		return Checkpoint{}, ErrSignature
	case err != nil:
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	case opened.Text != body+"\n":
		return Checkpoint{}, ErrCheckpoint
	}
	c := Checkpoint{Origin: origin, Month: month, Tree: tree, Text: text}
	signed := false
	for _, one := range opened.Sigs {
		if one.Name == own.Name() && one.Hash == own.KeyHash() {
			signed = true
		} else {
			c.Cosignatures = append(c.Cosignatures, one)
		}
	}
	if !signed {
		return Checkpoint{}, ErrSignature
	}
	return c, nil
}
