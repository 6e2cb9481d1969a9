// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
	"github.com/valtuus/valtuus/internal/archive/store/storetest/crashtest"
)

// Environment of a child process of these tests.
const (
	childEnv    = "VALTUUS_TEST_SQLITE_CHILD"
	childDirEnv = "VALTUUS_TEST_SQLITE_DIR"
)

func TestMain(m *testing.M) {
	crashtest.BeWriter(openPlace)
	switch os.Getenv(childEnv) {
	case "":
		os.Exit(m.Run())
	case "full":
		os.Exit(fillDisk(os.Getenv(childDirEnv)))
	}
}

func child(t testing.TB, mode, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), childEnv+"="+mode, childDirEnv+"="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// openPlace opens the store in a directory, marking how long the write-ahead log is.
func openPlace(ctx context.Context, dir string) (crashtest.Storage, error) {
	s, err := Open(ctx, Options{Dir: dir, CursorKey: cursorKey})
	return crashtest.Storage{Store: s, Mark: func() (int64, error) {
		wal, err := os.Stat(filepath.Join(dir, FileName+"-wal"))
		if err != nil {
			return 0, err
		}
		return wal.Size(), nil
	}}, err
}

func roundsAt(t *testing.T, dir string) *crashtest.Rounds {
	t.Helper()
	rounds, err := crashtest.New(crashtest.Options{Place: dir, Open: openPlace, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rounds.Close)
	return rounds
}

// TestInvariant4_KillLosesNothingAcknowledged kills a writing process without warning, over and over on the same data,
// and looks for everything it had acknowledged, for its log row, and for that row in the log that a witness follows.
func TestInvariant4_KillLosesNothingAcknowledged(t *testing.T) {
	rounds := roundsAt(t, t.TempDir())
	for round := range 8 {
		if err := rounds.Round(t.Context(), 60+round*37, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := rounds.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	crashtest.Check(t, rounds)
}

// checkAcked looks for what was acknowledged, and holds every row to what it tells of.
func checkAcked(t *testing.T, dir string, acked []crashtest.Ack) {
	t.Helper()
	s := openAt(t, dir)
	defer func() { _ = s.Close() }()
	there := func(one crashtest.Ack) bool {
		ok, err := crashtest.Told(t.Context(), s, one)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	logged := map[string]bool{}
	for _, row := range storetest.AllLog(t, s, store.LogQuery{}) {
		logged[row.RequestID] = true
		for _, id := range row.DocumentIDs {
			if !there(crashtest.Ack{Document: id, Version: row.DocumentCount, Annulled: row.Operation == "document.annul"}) {
				t.Errorf("a row of %s tells of what is not there", row.Operation)
			}
		}
	}
	lost := 0
	for _, one := range acked {
		if !logged[one.Request] || !there(one) {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged writes, or their rows, are gone", lost, len(acked))
	}
}

// TestTheRoundsFindWhatACrashMayNotDo does to the data between rounds what no crash may have done to it.
func TestTheRoundsFindWhatACrashMayNotDo(t *testing.T) {
	for name, c := range map[string]struct {
		statement string // none: the data of the round before come back
		found     func(crashtest.Tally) int
	}{
		"rolled back":    {"", func(t crashtest.Tally) int { return t.Forked }},
		"a row gone":     {`DELETE FROM access_log WHERE operation = 'document.read'`, func(t crashtest.Tally) int { return t.Lost }},
		"not waiting":    {`DELETE FROM log_pending`, func(t crashtest.Tally) int { return t.Unproven }},
		"a chain begins": {`DELETE FROM log_client_heads`, func(t crashtest.Tally) int { return t.Gaps }},
	} {
		t.Run(name, func(t *testing.T) {
			dir, before := t.TempDir(), t.TempDir()
			rounds := roundsAt(t, dir)
			if name == "not waiting" {
				if _, err := rounds.Kill(t.Context(), 50); err != nil {
					t.Fatal(err)
				}
				s := openAt(t, dir)
				storetest.Client(t, s, registry, 9) // its row waits
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			} else if err := rounds.Round(t.Context(), 50, false); err != nil {
				t.Fatal(err)
			}
			if rounds.First != nil {
				t.Fatal(rounds.First)
			}
			if c.statement == "" {
				if err := os.CopyFS(before, os.DirFS(dir)); err != nil {
					t.Fatal(err)
				}
				if err := rounds.Round(t.Context(), 50, false); err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(before))); err != nil {
					t.Fatal(err)
				}
			} else {
				db, err := OpenFile(t.Context(), dir)
				if err != nil {
					t.Fatal(err)
				}
				_, err = db.ExecContext(t.Context(), c.statement)
				if err := errors.Join(err, db.Close()); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(rounds.Round(t.Context(), 50, false), rounds.Finish(t.Context())); err != nil {
				t.Fatal(err)
			}
			if c.found(rounds.Tally) == 0 {
				t.Errorf("nothing was found: %+v", rounds.Tally)
			}
		})
	}
}
