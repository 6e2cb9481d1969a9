// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive"
	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/pki"
)

// authorityPoll is how often the file of the authorities of clients is looked at. It changes by itself when an authority
// takes another's place: the certificate beside it then stays as it is, so its watcher would tell of nothing.
const authorityPoll = 10 * time.Second

// authorityFile follows the file of the authorities of clients. One that cannot be read or holds none changes nothing.
type authorityFile struct {
	name  string
	clock clock.WithTicker
	log   logr.Logger
	pool  archive.PEMPool
	// trusts are the fingerprints of those in the pool.
	trusts atomic.Pointer[[]string]
	// text is what was read last, failed whether that was logged to be of no use.
	text   []byte
	failed bool
}

// openAuthorities reads the file.
func openAuthorities(name string, ticking clock.WithTicker, log logr.Logger) (*authorityFile, error) {
	f := &authorityFile{name: name, clock: ticking, log: log}
	return f, f.read()
}

// Pool gives the authorities of now.
func (f *authorityFile) Pool() *x509.CertPool { return f.pool.Pool() }

// Trusts gives their fingerprints.
func (f *authorityFile) Trusts() []string { return *f.trusts.Load() }

// Run follows the file until ctx ends.
func (f *authorityFile) Run(ctx context.Context) error {
	return every(ctx, f.clock, authorityPoll, func() {
		err := f.read()
		if err != nil && !f.failed {
			f.log.Error(err, "Kept the former authorities of clients")
		}
		f.failed = err != nil
	})
}

func (f *authorityFile) read() error {
	text, err := os.ReadFile(f.name)
	if err != nil {
		return failure.As(failure.ClientAuthorityInvalid, fmt.Errorf("read the authority of clients: %w", err))
	}
	if f.text != nil && bytes.Equal(text, f.text) {
		return nil
	}
	var trusts []string
	for _, certificate := range pki.CertificatesIn(text) {
		trusts = append(trusts, pki.FingerprintOf(certificate).String())
	}
	if len(trusts) == 0 {
		return failure.As(failure.ClientAuthorityInvalid, fmt.Errorf("%s holds no certificate", f.name))
	}
	if f.text != nil {
		f.log.Info("The authorities of clients have changed", "authorities", len(trusts))
	}
	f.text = text
	f.pool.SetPEM(string(text))
	f.trusts.Store(&trusts)
	return nil
}
