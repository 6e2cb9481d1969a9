// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logproof

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
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
	// Signers are the verifier keys of the log, of those asked for, that it is signed by.
	Signers []string
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

// Open reads a checkpoint that one of the log's keys has signed. A signature by one of them, or by a witness, that does
// not hold makes it none; those of others do not matter. ErrCheckpoint, ErrOrigin, ErrSignature.
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
	opened, err := note.Open(text, note.VerifierList(slices.Concat(own, witnesses)...))
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
	keys := v.Keys()
	for _, one := range opened.Sigs {
		key := slices.IndexFunc(own, func(o note.Verifier) bool { return o.Name() == one.Name && o.KeyHash() == one.Hash })
		if key >= 0 {
			c.Signers = append(c.Signers, keys[key])
		} else {
			c.Cosignatures = append(c.Cosignatures, one)
		}
	}
	if len(c.Signers) == 0 {
		return Checkpoint{}, ErrSignature
	}
	return c, nil
}

// SignedBy says whether all keys of the verifier are among the signers.
func (c *Checkpoint) SignedBy(v Verifier) bool {
	return !slices.ContainsFunc(v.Keys(), func(key string) bool { return !slices.Contains(c.Signers, key) })
}

// Unverified reads what a checkpoint says of a tree without asking who has signed it. ErrCheckpoint.
func Unverified(text []byte) (origin string, tree tlog.Tree, err error) {
	body, _, found := strings.Cut(string(text), "\n\n")
	if !found || len(text) > maxNote {
		return "", tlog.Tree{}, ErrCheckpoint
	}
	return readTree(body + "\n")
}

// Merge gives the note with the signatures of a former note added, if that is over the same text. Of two by one key it
// keeps its own.
func Merge(text, former []byte) []byte {
	body, own, _ := bytes.Cut(text, []byte("\n\n"))
	formerBody, more, _ := bytes.Cut(former, []byte("\n\n"))
	if !bytes.Equal(body, formerBody) {
		return text
	}
	merged, seen := bytes.Clone(text), map[string]bool{}
	for line := range bytes.Lines(own) {
		seen[signerOf(line)] = true
	}
	for line := range bytes.Lines(more) {
		if signer := signerOf(line); signer != "" && !seen[signer] && len(merged)+len(line) <= maxNote {
			seen[signer] = true
			merged = append(merged, line...)
		}
	}
	return merged
}

// signerOf gives the name and the key's hash of a signature's line; empty if it is none.
func signerOf(line []byte) string {
	fields := strings.Fields(string(line))
	if len(fields) != 3 || fields[0] != "\u2014" || line[len(line)-1] != '\n' {
		return ""
	}
	raw, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil || len(raw) < 5 {
		return ""
	}
	return fields[1] + " " + hex.EncodeToString(raw[:4])
}
