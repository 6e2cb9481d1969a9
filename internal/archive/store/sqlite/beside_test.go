// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestAProgramBesideABusyArchiveHasItsTurn: an archive that commits one transaction after the other lets in what a
// program beside it, such as a destruction, writes.
func TestAProgramBesideABusyArchiveHasItsTurn(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	defer func() { _ = s.Close() }()
	beside, err := OpenBeside(t.Context(), Options{Dir: dir, CursorKey: cursorKey})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = beside.Close() }()
	var commits atomic.Int32
	s.write.beforeCommit = func() error {
		commits.Add(1)
		time.Sleep(8 * time.Millisecond) // as a disk takes that long
		return nil
	}
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := s.Probe(t.Context(), start); err != nil {
					t.Errorf("the archive: %v", err)
					return
				}
			}
		})
	}
	longest := int32(0)
	for range 20 {
		before := commits.Load()
		if err := beside.Probe(t.Context(), start); err != nil {
			t.Errorf("beside it: %v", err)
		}
		longest = max(longest, commits.Load()-before)
	}
	close(stop)
	callers.Wait()
	t.Logf("%d transactions went before one of the other program", longest)
	if longest > 200 { // where SQLite itself waits, often more than a thousand, and then it gives up
		t.Errorf("%d transactions went before one of the other program", longest)
	}
}
