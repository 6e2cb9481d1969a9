// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/clientkey"
)

// rightsRow is what a user right adds to a decision, and a client's data key to reading its identifiers.
type rightsRow struct{}

func (rightsRow) name() string { return "rights" }
func (rightsRow) measures() string {
	return "the user right of a role looked up and asked, one goroutine; a client's data key had from the cache"
}

func (rightsRow) floor() string {
	return "a look-up in a bare map of the role; the same data key unwrapped"
}
func (rightsRow) goal() string { return "the user right under 1 µs; nothing unwrapped" }

func (rightsRow) run(_ context.Context, b *bench) ([]figure, error) {
	rights, now := catalog.StandIn(), time.Now()
	tasks, roles := []string{"elderly"}, map[string]bool{"practical-nurse": true}
	text, err := clientkey.NewFile()
	if err != nil {
		return nil, err
	}
	ring, err := clientkey.Parse(text)
	if err != nil {
		return nil, err
	}
	client := uuid.New()
	_, wrapped, err := ring.New(client)
	if err != nil {
		return nil, err
	}
	n := b.size(2_000_000, 20_000)
	var right, bare, cached, unwrapped tally
	unwraps := uint64(0)
	for range 3 { // in turns
		if err := errors.Join(
			repeat(n, &bare, func() error { return must(roles["practical-nurse"]) }),
			repeat(n, &right, func() error {
				role, known := rights.Role("practical-nurse", now)
				return must(known && role.May("Read", tasks, "implementation-plan"))
			}),
		); err != nil {
			return nil, err
		}
		before := ring.Unwraps()
		if err := repeat(n, &cached, func() error { _, err := ring.Open(client, wrapped); return err }); err != nil {
			return nil, err
		}
		unwraps += ring.Unwraps() - before
		if err := repeat(n/100, &unwrapped, func() error {
			fresh, err := clientkey.Parse(text)
			if err == nil {
				_, err = fresh.Open(client, wrapped)
			}
			return err
		}); err != nil {
			return nil, err
		}
	}
	each := func(what string, t, floor *tally) figure {
		return figure{What: what, Value: 1e9 / t.rate(), Unit: "ns"}.over(1e9 / floor.rate())
	}
	asked, opened := each("a user right asked", &right, &bare), each("a data key from the cache", &cached, &unwrapped)
	return []figure{
		asked.want(asked.Value < 1000, "< 1 µs"),
		opened.want(unwraps == 0, "0 unwrapped").noted("%d unwrapped; the floor reads the key file's text and unwraps", unwraps),
	}, nil
}

// repeat does something n times.
func repeat(n int, into *tally, do func() error) error {
	begun := time.Now()
	for range n {
		if err := do(); err != nil {
			return err
		}
	}
	into.add(n, time.Since(begun))
	return nil
}

func must(so bool) error {
	if !so {
		return errors.New("what must be is not")
	}
	return nil
}
