// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// turnTimeout is how long a program waits for its turn, and then tries without: one that was stopped while it had
	// the turn keeps nobody from writing.
	turnTimeout = time.Second
	// lockPoll is how often one that waits looks.
	lockPoll = time.Millisecond
)

// turns let programs that write to one data file do so by turns. SQLite itself gives the write lock to whoever happens to
// ask when it is free, and between the transactions of a program that writes all the while it is free for an instant.
// Who waits for it has the turn, without which nobody asks anew: a lock on the directory, as a file of SQLite's own must
// not be opened beside SQLite.
type turns struct{ dir *os.File }

func openTurns(file string) (turns, error) {
	dir, err := os.Open(filepath.Dir(file))
	return turns{dir}, err
}

// take waits for the turn; give passes it on.
func (t turns) take() (give func()) {
	for deadline := time.Now().Add(turnTimeout); ; time.Sleep(lockPoll) {
		err := syscall.Flock(int(t.dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = syscall.Flock(int(t.dir.Fd()), syscall.LOCK_UN) }
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) || time.Now().After(deadline) {
			return func() {}
		}
	}
}

func (t turns) close() error { return t.dir.Close() }
