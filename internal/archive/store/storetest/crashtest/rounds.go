// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package crashtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// roundTimeout bounds one round; it takes far less.
const roundTimeout = 5 * time.Minute

// Server is a database's server, which can be killed as well.
type Server interface {
	Kill() error
	Restart(ctx context.Context) error
	// Quiet waits until nothing of a killed process goes on in the place.
	Quiet(ctx context.Context, place string) error
}

// Options are where the rounds are run.
type Options struct {
	// Place is what Open opens, and the writer's process too.
	Place string
	Open  func(ctx context.Context, place string) (Storage, error)
	// Server is nil where there is none.
	Server Server
	// Dir is an empty directory for the witness's state.
	Dir string
}

// Rounds are rounds on one store.
type Rounds struct {
	opts    Options
	keyText string
	key     logproof.Key
	witness *cosigner

	follower storetest.Follower
	// acks are those of all rounds.
	acks []Ack
	// last is the newest row that has been looked at; rows is how many there are to it.
	last *store.LogPosition
	rows int

	Tally
}

// Tally is what the rounds have come to.
type Tally struct {
	// Rounds is how many there were; Servers is in how many the server was killed too.
	Rounds, Servers int
	// Acknowledged, Rows and Checkpoints are how many writes were acknowledged, rows are there, and checkpoints
	// were shown.
	Acknowledged, Rows, Checkpoints int
	// Lost are acknowledged writes that are not there as a whole, with their row; Unproven are rows without a leaf
	// after recovery; Gaps are breaks in clients' chains; Forked are checkpoints that do not hold any more.
	Lost, Unproven, Gaps, Forked int
	// First is the first of what was found.
	First error
}

func (t *Tally) find(count *int, err error) {
	*count++
	if t.First == nil {
		t.First = fmt.Errorf("round %d: %w", t.Rounds, err)
	}
}

// New prepares rounds. Close ends what it starts.
func New(opts Options) (*Rounds, error) {
	text, err := logproof.NewKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := logproof.ParseKey(text, uuid.Nil)
	if err != nil {
		return nil, err
	}
	r := &Rounds{opts: opts, keyText: text, key: key}
	r.witness, err = newCosigner(opts.Dir, key.Verifier())
	return r, err
}

// Close ends the witness.
func (r *Rounds) Close() { r.witness.close() }

// Round has a process write until so many writes are acknowledged, kills it, and looks at what is there before and
// after the log has been caught up. With server, the server is killed in the middle first. It fails only where the
// round cannot be run; what it finds is in the tally.
func (r *Rounds) Round(ctx context.Context, enough int, server bool) error {
	ctx, cancel := context.WithTimeout(ctx, roundTimeout)
	defer cancel()
	r.Rounds++
	acks, notes, err := r.kill(ctx, enough, 0, server)
	if err != nil {
		return err
	}
	r.acks = append(r.acks, acks...)
	r.Acknowledged, r.Checkpoints = r.Acknowledged+len(acks), r.Checkpoints+len(notes)
	s, err := r.opts.Open(ctx, r.opts.Place)
	if err != nil {
		return err
	}
	err = errors.Join(r.look(ctx, s, acks), r.recover(ctx, s, notes))
	return errors.Join(err, s.Close())
}

// Finish looks at all of it once more: what one round has left, no later one may have lost.
func (r *Rounds) Finish(ctx context.Context) error {
	s, err := r.opts.Open(ctx, r.opts.Place)
	if err != nil {
		return err
	}
	again := r.rows
	r.last, r.rows, r.follower = nil, 0, storetest.Follower{}
	err = errors.Join(r.look(ctx, s, r.acks), r.follow(ctx, s))
	if err == nil && r.rows != again {
		r.find(&r.Lost, fmt.Errorf("there were %d rows, and are %d", again, r.rows))
	}
	return errors.Join(err, s.Close())
}

// Kill has a process write until so many writes are acknowledged, kills it, and gives those. Until it is dead it
// acknowledges no other.
func (r *Rounds) Kill(ctx context.Context, enough int) ([]Ack, error) {
	acks, _, err := r.kill(ctx, enough, enough, false)
	return acks, err
}

func (r *Rounds) kill(ctx context.Context, enough, most int, server bool) ([]Ack, [][]byte, error) {
	p, err := start(ctx, writerConfig{
		Place: r.opts.Place, Key: r.keyText, Witness: r.witness.address, Patient: r.opts.Server != nil, Most: most,
	})
	if err != nil {
		return nil, nil, err
	}
	checkpoints := 0
	if r.Rounds > 1 && r.Checkpoints == 0 {
		checkpoints = 1 // none came in time so far
	}
	err = p.reach(ctx, enough, checkpoints)
	if err == nil && server {
		r.Servers++
		if err = errors.Join(r.opts.Server.Kill(), r.opts.Server.Restart(ctx)); err == nil {
			acks, checkpoints := p.told()
			err = p.reach(ctx, acks+enough, checkpoints+1) // the same process goes on
		}
	}
	if err = errors.Join(err, p.kill()); err == nil && r.opts.Server != nil {
		err = r.opts.Server.Quiet(ctx, r.opts.Place)
	}
	return p.acks, p.checkpoints, err
}

// Check fails a test for what the rounds have found.
func Check(t testing.TB, r *Rounds) {
	t.Helper()
	t.Logf("%d rounds, %d with the server killed: %d writes acknowledged, %d rows, %d checkpoints shown", r.Rounds, r.Servers, r.Acknowledged, r.Rows, r.Checkpoints)
	if r.First != nil {
		t.Errorf("%d lost, %d without a leaf, %d gaps, %d forks; the first: %v", r.Lost, r.Unproven, r.Gaps, r.Forked, r.First)
	}
	if r.Acknowledged == 0 || r.Checkpoints == 0 {
		t.Error("nothing was acknowledged, or no checkpoint shown")
	}
}
