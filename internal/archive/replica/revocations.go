// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/card"
)

// statusPoll is how often the file is read again.
const statusPoll = 30 * time.Second

// revocationFile follows a file of revocation lists. One that cannot be read or understood changes nothing: the
// last good status serves, for card.StatusGrace past its end.
type revocationFile struct {
	name    string
	clock   clock.WithTicker
	log     logr.Logger
	current atomic.Pointer[card.Revocations]
	// text is what was read last, told what was logged of it.
	text []byte
	told string
}

// openRevocations reads the file.
func openRevocations(name string, ticking clock.WithTicker, log logr.Logger) (*revocationFile, error) {
	f := &revocationFile{name: name, clock: ticking, log: log}
	return f, f.read()
}

// Current gives the last good status; nil of a nil file.
func (f *revocationFile) Current() *card.Revocations {
	if f == nil {
		return nil
	}
	return f.current.Load()
}

// Run follows the file until ctx ends. A nil file needs no following.
func (f *revocationFile) Run(ctx context.Context) error {
	if f == nil {
		return nil
	}
	return every(ctx, f.clock, statusPoll, f.look)
}

// look reads the file again and logs what has changed about it for the worse or the better.
func (f *revocationFile) look() {
	err := f.read()
	now, ends := f.clock.Now(), f.Current().NextUpdate()
	switch {
	case err != nil:
		f.tell("Kept the last good revocation lists of professionals' cards", err)
	case now.After(ends.Add(card.StatusGrace)):
		f.tell("A revocation list of professionals' cards is too old: the cards of its authority are refused", nil)
	case now.After(ends):
		f.tell("A revocation list of professionals' cards is out of date, and serves for a while", nil)
	default:
		f.tell("", nil)
	}
}

// tell logs once what stays the same.
func (f *revocationFile) tell(what string, err error) {
	if what == f.told {
		return
	}
	if f.told = what; what == "" {
		f.log.Info("The revocation lists of professionals' cards are up to date again")
		return
	}
	f.log.Error(err, what, "file", f.name, "nextUpdate", f.Current().NextUpdate())
}

func (f *revocationFile) read() error {
	text, err := os.ReadFile(f.name)
	if err != nil {
		return fmt.Errorf("read the revocation lists: %w", err)
	}
	if f.text != nil && bytes.Equal(text, f.text) {
		return nil
	}
	lists, err := card.ParseRevocations(text)
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	f.text = text
	f.current.Store(lists)
	return nil
}
