// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/go-logr/logr"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/valtuus/valtuus/internal/archive/logproof"
)

// maxBody bounds a request.
const maxBody = 128 << 10

// sizeType is the media type of the size that a witness knows of a log.
const sizeType = "text/x.tlog.size"

// Options are what a witness is made of.
type Options struct {
	// Logs are the logs that are followed; each once, with all of its keys that are believed.
	Logs []logproof.Verifier
	// Signer cosigns.
	Signer note.Signer
	State  *State
	Log    logr.Logger
}

// conflict says that the tree asked about is not the one that was cosigned last.
type conflict struct{ known int64 }

func (c conflict) Error() string { return fmt.Sprintf("the tree cosigned last has %d leaves", c.known) }

var errProof = errors.New("the proof of consistency does not hold")

// Handler answers POST /add-checkpoint.
func Handler(opts Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", opts.addCheckpoint)
	return mux
}

func (o Options) addCheckpoint(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "400 the request cannot be read", http.StatusBadRequest)
		return
	}
	asked, err := parseRequest(body)
	if err != nil {
		http.Error(w, "400 "+err.Error(), http.StatusBadRequest)
		return
	}
	checkpoint, err := o.open(asked.checkpoint)
	switch {
	case errors.Is(err, logproof.ErrOrigin):
		http.Error(w, "404 this log is not followed", http.StatusNotFound)
		return
	case errors.Is(err, logproof.ErrSignature):
		http.Error(w, "403 the log's key has not signed this", http.StatusForbidden)
		return
	case err != nil:
		http.Error(w, "400 "+logproof.ErrCheckpoint.Error(), http.StatusBadRequest)
		return
	case asked.old > checkpoint.Tree.N:
		http.Error(w, "400 the old size is larger than the checkpoint's", http.StatusBadRequest)
		return
	}
	former, err := o.State.move(&checkpoint, func(former tlog.Tree) error {
		return judge(&asked, checkpoint.Tree, former)
	})
	var known conflict
	switch {
	case errors.As(err, &known):
		o.Log.Info("Not cosigned", "origin", checkpoint.Origin, "size", checkpoint.Tree.N, "old", asked.old, "reason", err.Error())
		w.Header().Set("Content-Type", sizeType)
		w.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprintf(w, "%d\n", known.known)
		return
	case errors.Is(err, errProof):
		// The log's own signature is on both trees: this is evidence.
		o.Log.Error(err, "Not cosigned: the log does not go on from what was cosigned", "checkpoint", string(checkpoint.Text), "old", asked.old)
		http.Error(w, "422 "+err.Error(), http.StatusUnprocessableEntity)
		return
	case err != nil:
		o.Log.Error(err, "The state of the witness cannot be kept")
		http.Error(w, "500 the state of the witness cannot be kept", http.StatusInternalServerError)
		return
	}
	if len(former.Signers) > 0 && !slices.ContainsFunc(checkpoint.Signers, func(key string) bool { return slices.Contains(former.Signers, key) }) {
		o.Log.Info("The log is signed by another key from here on", "origin", checkpoint.Origin, "after", former.Size,
			"former", former.Signers, "keys", checkpoint.Signers)
	}
	line, err := o.cosign(checkpoint)
	if err != nil {
		o.Log.Error(err, "A checkpoint cannot be cosigned")
		http.Error(w, "500 the checkpoint cannot be cosigned", http.StatusInternalServerError)
		return
	}
	o.Log.V(1).Info("Cosigned", "origin", checkpoint.Origin, "size", checkpoint.Tree.N)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, line)
}

// judge says whether the tree goes on from the former one.
func judge(asked *request, tree, former tlog.Tree) error {
	if asked.old != former.N || former.N == tree.N && former.N > 0 && former.Hash != tree.Hash {
		return conflict{former.N}
	}
	if tree.N == 0 || logproof.CheckConsistency(asked.proof, tree, former) != nil {
		return errProof
	}
	return nil
}

// open reads a checkpoint of one of the logs that are followed.
func (o Options) open(text []byte) (checkpoint logproof.Checkpoint, err error) {
	err = logproof.ErrOrigin
	for _, log := range o.Logs {
		if checkpoint, err = log.Open(text); !errors.Is(err, logproof.ErrOrigin) {
			return checkpoint, err
		}
	}
	return logproof.Checkpoint{}, err
}

// cosign gives the line of the cosignature.
func (o Options) cosign(checkpoint logproof.Checkpoint) (string, error) {
	body, _, _ := strings.Cut(string(checkpoint.Text), "\n\n")
	signed, err := note.Sign(&note.Note{Text: body + "\n"}, o.Signer)
	if err != nil {
		return "", err
	}
	_, line, _ := strings.Cut(string(signed), "\n\n")
	return line, nil
}
