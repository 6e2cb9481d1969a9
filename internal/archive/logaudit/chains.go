// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logaudit

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// chains follow the records of each subject.
type chains map[store.LogSubject]chain

// chain is the last record of a subject.
type chain struct {
	sequence int64
	entry    logproof.Commitment
	at       time.Time
}

// gap is a part of a chain that is not there. It is as it should be where the rows of its time were destroyed.
type gap struct {
	month    logproof.Month
	index    int64
	registry string
	// from and until are the times of the records on both sides of it.
	from, until time.Time
	text        string
}

// add takes in the next record of its subject, and says what is wrong with its place in the chain: a gap, or else.
func (c chains) add(month logproof.Month, r *read) (missing *gap, problem string) {
	subject := store.LogSubject{Registry: r.Registry, ClientID: r.ClientID}
	previous := orZero(r.ClientPrevious)
	if r.ClientID == uuid.Nil {
		if r.ClientSequence != 0 || previous != (logproof.Commitment{}) {
			return nil, "it is about no client, and stands in a client's chain"
		}
		return nil, ""
	}
	last := c[subject]
	c[subject] = chain{r.ClientSequence, r.entry, r.Time}
	switch {
	case r.ClientSequence == last.sequence+1 && previous == last.entry:
		return nil, ""
	case r.ClientSequence > last.sequence+1:
		return &gap{month, r.index, r.Registry, last.at, r.Time, fmt.Sprintf(
			"row %s: it is number %d of client %s, and numbers %d to %d before it are left out",
			r.ID, r.ClientSequence, r.ClientID, last.sequence+1, r.ClientSequence-1)}, ""
	case r.ClientSequence == last.sequence+1:
		return nil, fmt.Sprintf("it is number %d of client %s, and does not go on from number %d", r.ClientSequence, r.ClientID, last.sequence)
	default:
		return nil, fmt.Sprintf("it is number %d of client %s, and comes after number %d", r.ClientSequence, r.ClientID, last.sequence)
	}
}

// lose takes in a record that is not what its leaf commits to: the chain goes on from the leaf.
func (c chains) lose(r *read, entry logproof.Commitment) {
	subject := store.LogSubject{Registry: r.Registry, ClientID: r.ClientID}
	if last := c[subject]; r.ClientID != uuid.Nil && r.ClientSequence == last.sequence+1 {
		c[subject] = chain{r.ClientSequence, entry, last.at}
	}
}

// How far times may differ: clocks of replicas, and the time that a row takes to be written.
const (
	skew = 5 * time.Second
	late = time.Minute
)

// clockCheck follows the times of the records.
type clockCheck struct {
	// first is the time of the oldest row that has a leaf.
	first time.Time
	// last is when the last leaf was given, newest the time of the newest row.
	last, newest time.Time
}

// add takes in the next record, and says what is wrong with its times.
func (c *clockCheck) add(month logproof.Month, r *read) string {
	last, newest := c.last, c.newest
	if c.first.IsZero() || r.Time.Before(c.first) {
		c.first = r.Time
	}
	c.last = r.Sequenced
	if r.Time.After(newest) {
		c.newest = r.Time
	}
	const stamp = "2006-01-02 15:04:05"
	switch {
	case r.Sequenced.Before(last.Add(-skew)):
		return fmt.Sprintf("it got its leaf at %s, after one that was given at %s: the clock was set back", r.Sequenced.Format(stamp), last.Format(stamp))
	case logproof.MonthOf(r.Sequenced) > month:
		return fmt.Sprintf("it got its leaf at %s, in the tree of another month", r.Sequenced.Format(stamp))
	case r.Time.After(r.Sequenced.Add(skew)):
		return fmt.Sprintf("it is of %s, and got its leaf at %s, before that: the clock was set back", r.Time.Format(stamp), r.Sequenced.Format(stamp))
	case r.Time.Before(newest.Add(-late)):
		return fmt.Sprintf("it is of %s, and got its leaf after a row of %s: it was inserted later, or the clock was set back", r.Time.Format(stamp), newest.Format(stamp))
	default:
		return ""
	}
}

func orZero[T any](value *T) (zero T) {
	if value == nil {
		return zero
	}
	return *value
}
