// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package crashtest

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"

	"github.com/go-logr/logr"
	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/witness"
)

// cosigner is a witness that follows the log over all rounds, in the process that is not killed.
type cosigner struct {
	address string // URL=VKEY
	client  *witness.Client
	server  *httptest.Server
	// refused counts the trees that do not go on from what it has cosigned.
	refused atomic.Int32
}

func newCosigner(dir string, of logproof.Verifier) (*cosigner, error) {
	private, public, err := note.GenerateKey(rand.Reader, "witness.example/crashtest")
	if err != nil {
		return nil, err
	}
	signer, err := cosign.NewSignerForCosignatureV1(private)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "witness.json")
	if err := witness.NewState(file); err != nil {
		return nil, err
	}
	state, err := witness.OpenState(file)
	if err != nil {
		return nil, err
	}
	c := &cosigner{}
	handler := witness.Handler(witness.Options{Logs: []logproof.Verifier{of}, Signer: signer, State: state, Log: logr.Discard()})
	c.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(&watched{w, c}, r)
	}))
	c.address = c.server.URL + "=" + public
	c.client, err = witness.NewClient(c.address, nil)
	if err != nil {
		c.close()
	}
	return c, err
}

// content says whether all that it was asked to cosign went on from what it had cosigned.
func (c *cosigner) content() bool { return c.refused.Load() == 0 }

func (c *cosigner) close() { c.server.Close() }

// watched sees what the witness answers. A client that asks with another size than the witness knows is told it, and
// asks again.
type watched struct {
	http.ResponseWriter
	of *cosigner
}

func (w *watched) WriteHeader(status int) {
	if status == http.StatusUnprocessableEntity || status == http.StatusForbidden {
		w.of.refused.Add(1)
	}
	w.ResponseWriter.WriteHeader(status)
}
