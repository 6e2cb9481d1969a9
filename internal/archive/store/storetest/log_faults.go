// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

// testLogFaults lets each write that the log needs go wrong in turn: those of a row, of the lease, of a batch of leaves
// and of a checkpoint, and once more those of a tile that becomes full. Afterwards there must be the same log as without.
func testLogFaults(t *testing.T, engine Engine) {
	key := LogKey(t)
	for name, kind := range map[string]faults{
		"TheProcessEnds":           {},
		"TheProcessEndsAfterwards": {done: true, of: commit},
		"OneWriteFails":            {once: true},
	} {
		t.Run(name, func(t *testing.T) {
			disturbed := &faultyLog{t: t, engine: engine, key: key}
			disturbed.begin()
			// One time more than there are writes.
			cycles := disturbed.until(func(at int) faults { f := kind; f.at = at; return f })
			full := 0
			if !kind.done { // which is of commits, and not of tiles
				full = disturbed.until(func(at int) faults {
					disturbed.fill()
					f := kind
					f.at, f.of = at, writingTile
					return f
				})
			}
			got := disturbed.made()
			t.Logf("%d writes went wrong, each once, and %d of full tiles: %d leaves", cycles-1, max(full-1, 0), got.leaves)
			if cycles < 5 || full == 1 {
				t.Errorf("only %d and %d writes went wrong", cycles-1, full-1)
			}

			undisturbed := &faultyLog{t: t, engine: engine, key: key}
			undisturbed.begin()
			for range cycles {
				undisturbed.cycle(faults{})
			}
			for range full {
				undisturbed.fill()
				undisturbed.cycle(faults{})
			}
			if want := undisturbed.made(); got != want {
				t.Errorf("the log is %+v, want %+v", got, want)
			}
		})
	}
}

// What writes are for.
const (
	commit      = "committing"
	writingTile = "writing a tile of the log"
)

var errInjected = store.Unavailable("writing", errors.New("injected"))

// faults says which write goes wrong, and how.
type faults struct {
	// at is the number of the write, from 1; 0 is none. Only those for of count, if that is set.
	at int
	of string
	// once: it alone goes wrong. Otherwise nothing works after it until the store is opened again.
	once bool
	// done: it is done before it is told to have gone wrong.
	done bool

	writes       int
	struck, dead bool
}

// strike says whether the next write goes wrong.
func (f *faults) strike(doing string) bool {
	if f.dead {
		return true
	}
	if f.of != "" && f.of != doing {
		return false
	}
	f.writes++
	if f.struck || f.writes != f.at {
		return false
	}
	f.struck, f.dead = true, !f.once
	return true
}

type faultyTx struct {
	sqlstore.Tx
	*faults
}

func (x faultyTx) Exec(doing, query string, args ...any) error {
	if x.strike(doing) {
		return errInjected
	}
	return x.Tx.Exec(doing, query, args...)
}

func (x faultyTx) Commit() error {
	dead := x.dead
	if x.strike(commit) {
		if x.done && !dead {
			return errors.Join(x.Tx.Commit(), errInjected)
		}
		return errInjected
	}
	return x.Tx.Commit()
}

// Faulty makes a store of an engine whose transactions go through faults.
func Faulty(t testing.TB, engine sqlstore.Engine, cursorKey []byte, faults func(sqlstore.Tx) sqlstore.Tx) store.Store {
	t.Helper()
	begin := engine.Begin
	engine.Begin = func() (sqlstore.Tx, error) {
		tx, err := begin()
		if err != nil {
			return nil, err
		}
		return faults(tx), nil
	}
	s, err := sqlstore.New(engine, sqlstore.Options{CursorKey: cursorKey})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// faultyLog is a log in the making.
type faultyLog struct {
	t      *testing.T
	engine Engine
	key    logproof.Key
	faults faults

	place string
	rows  int
	store store.Store
	gives *sequencer.Sequencer
}

// madeLog is what comes of it.
type madeLog struct {
	batch, size int64
	trees, note string
	leaves      int
}

// zeros are salts that are the same each time.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func (l *faultyLog) begin() {
	l.t.Helper()
	l.place = l.engine.NewPlace(l.t)
	s := l.engine.Open(l.t, l.place) // which makes the tables
	if err := s.Close(); err != nil {
		l.t.Fatal(err)
	}
	l.open()
	l.t.Cleanup(func() { _ = l.store.Close() })
}

// open opens the store, as a process that starts does.
func (l *faultyLog) open() {
	l.t.Helper()
	if l.store != nil {
		if err := l.store.Close(); err != nil {
			l.t.Fatal(err)
		}
	}
	l.faults.dead = false
	l.store = l.engine.Through(l.t, l.place, func(tx sqlstore.Tx) sqlstore.Tx { return faultyTx{tx, &l.faults} })
	l.gives = sequencer.New(sequencer.Options{
		Store: l.store, Key: l.key, Random: zeros{}, Clock: clocktesting.NewFakeClock(start), Log: logr.Discard(),
	})
}

// until goes through cycles with later and later faults until one is not reached, and says how many there were.
func (l *faultyLog) until(next func(at int) faults) int {
	l.t.Helper()
	for at := 1; ; at++ {
		if !l.cycle(next(at)) {
			return at
		}
	}
}

// cycle makes five more rows provable, in two batches. It says whether something went wrong.
func (l *faultyLog) cycle(f faults) bool {
	l.t.Helper()
	l.faults = f
	l.append(2)
	l.insist(func() error {
		ok, err := l.store.TakeLogLease(l.t.Context(), "a", start, start.Add(time.Minute))
		if err == nil && !ok {
			err = errors.New("the lease is another's")
		}
		return err
	})
	l.catchUp()
	l.append(3)
	l.catchUp()
	l.insist(func() error { return l.gives.Checkpoint(l.t.Context()) })
	struck := l.faults.struck
	l.faults = faults{}
	return struck
}

// fill brings the tree to where the next five rows fill a tile.
func (l *faultyLog) fill() {
	l.t.Helper()
	l.append(256 - 2 - l.rows%256)
	l.catchUp()
}

func (l *faultyLog) catchUp() { l.insist(func() error { return l.gives.CatchUp(l.t.Context()) }) }

// insist does something again until it is done, in a new process if the former has ended.
func (l *faultyLog) insist(do func() error) {
	l.t.Helper()
	for range 3 {
		err := do()
		if err == nil {
			return
		}
		if !errors.Is(err, store.ErrUnavailable) {
			l.t.Fatalf("got %v, want ErrUnavailable", err)
		}
		if l.faults.dead {
			l.open()
		}
	}
	l.t.Fatal("it is not done though nothing is in the way any more")
}

// append logs further rows. Those that are there are left out: each is a request that is made again after an error.
func (l *faultyLog) append(n int) {
	l.t.Helper()
	var rows []store.LogRow
	for i := l.rows; i < l.rows+n; i++ {
		row := Row("document.read", start.Add(time.Duration(i)*time.Millisecond))
		row.ID, row.RequestID, row.Registry = uuid.UUID{0: 1, 14: byte(i >> 8), 15: byte(i)}, fmt.Sprint("request ", i), registryA
		if i%3 > 0 {
			row.ClientID = uuid.UUID{0: 2, 15: byte(i % 3)}
		}
		rows = append(rows, row)
	}
	l.insist(func() error {
		there := AllLog(l.t, l.store, store.LogQuery{From: rows[0].Time})
		if len(there) != 0 && len(there) != n {
			l.t.Fatalf("%d of %d rows are there", len(there), n)
		}
		if len(there) == n {
			return nil
		}
		return l.store.AppendLog(l.t.Context(), rows...)
	})
	l.rows += n
}

func (l *faultyLog) made() (made madeLog) {
	l.t.Helper()
	f := &Follower{}
	found, err := f.Follow(l.t.Context(), l.store)
	if err != nil || len(found) > 0 {
		l.t.Fatalf("the log cannot be followed: %v, %v", found, err)
	}
	state, err := l.store.LogState(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	last, err := l.store.LogCheckpoint(l.t.Context(), state.Month)
	if err != nil {
		l.t.Fatal(err)
	}
	waiting, _, err := l.store.LogBacklog(l.t.Context())
	if err != nil || waiting != 0 || f.Leaves != l.rows {
		l.t.Fatalf("%d rows wait (err=%v), %d leaves of %d rows", waiting, err, f.Leaves, l.rows)
	}
	if other, err := l.store.TakeLogLease(l.t.Context(), "b", start, start.Add(time.Minute)); err != nil || other {
		l.t.Errorf("the lease was lost (err=%v)", err)
	}
	return madeLog{state.Batch, state.Size, fmt.Sprint(f.trees), string(last.Note), f.Leaves}
}
