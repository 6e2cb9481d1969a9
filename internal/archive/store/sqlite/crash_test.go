// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// Environment of a child process of these tests.
const (
	childEnv    = "VALTUUS_TEST_SQLITE_CHILD"
	childDirEnv = "VALTUUS_TEST_SQLITE_DIR"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "":
		os.Exit(m.Run())
	case "write":
		writeForever(os.Getenv(childDirEnv))
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

// TestInvariant4_KillLosesNothingAcknowledged kills a writing process without warning, over and
// over on the same data, and looks for everything it had acknowledged, and for its log row.
func TestInvariant4_KillLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	var acked []ack
	for round := range 5 {
		acked = append(acked, killed(t, dir, 100+round*73)...)
		checkAcked(t, dir, acked)
		checkProven(t, dir, round == 4)
	}
	t.Logf("%d writes acknowledged over 5 kills", len(acked))
}

// ack is what a writing process has been told, and how long the write-ahead log was then.
type ack struct {
	request  string
	document uuid.UUID
	version  int
	annulled bool
	wal      int64
}

// killed runs a writing process until it has had more than enough acknowledged, and kills it.
func killed(t *testing.T, dir string, enough int) (acked []ack) {
	t.Helper()
	cmd := child(t, "write", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	dead := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var (
			one    ack
			id, ok string
		)
		n, _ := fmt.Sscanf(lines.Text(), "%s %s %d %t %d %s", &one.request, &id, &one.version, &one.annulled, &one.wal, &ok)
		if n < 6 || ok != "ok" {
			continue // the line that the kill cut
		}
		one.document = uuid.MustParse(id)
		acked = append(acked, one)
		if len(acked) > enough && !dead {
			dead = true
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	if !dead {
		t.Fatal("the child ended on its own")
	}
	return acked
}

// checkAcked looks for what was acknowledged, and holds every row to what it tells of.
func checkAcked(t *testing.T, dir string, acked []ack) {
	t.Helper()
	s := openAt(t, dir)
	defer func() { _ = s.Close() }()
	logged := map[string]bool{}
	for _, row := range storetest.AllLog(t, s, store.LogQuery{}) {
		logged[row.RequestID] = true
		for _, id := range row.DocumentIDs {
			if !told(t, s, ack{document: id, version: row.DocumentCount, annulled: row.Operation == "document.annul"}) {
				t.Errorf("a row of %s tells of what is not there", row.Operation)
			}
		}
	}
	lost := 0
	for _, one := range acked {
		if !logged[one.request] || !told(t, s, one) {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged writes, or their rows, are gone", lost, len(acked))
	}
}

// checkProven looks, after a kill, for a leaf for every row that does not wait for one, and has the log go on from what
// was signed.
func checkProven(t *testing.T, dir string, whole bool) {
	t.Helper()
	s := openAt(t, dir)
	defer func() { _ = s.Close() }()
	rows := len(storetest.AllLog(t, s, store.LogQuery{}))
	waiting, _, err := s.LogBacklog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	state, err := s.LogState(t.Context())
	if err != nil || int(state.Size)+waiting != rows {
		t.Errorf("%d rows, of which %d have a leaf and %d wait for one (err=%v)", rows, state.Size, waiting, err)
	}
	if whole {
		storetest.CheckLog(t, s, rows, waiting)
	}
	sequencer := storetest.Sequencer(s, childKey(dir), start)
	if err := errors.Join(sequencer.CatchUp(t.Context()), sequencer.Checkpoint(t.Context())); err != nil {
		t.Errorf("the log does not go on: %v", err)
	}
	if left, _, err := s.LogBacklog(t.Context()); err != nil || left != 0 {
		t.Errorf("%d rows still wait (err=%v)", left, err)
	}
	if whole {
		storetest.CheckLog(t, s, rows, 0)
		t.Logf("%d rows are in the log", rows)
	}
}

// childKey is the key of the log in a directory.
func childKey(dir string) logproof.Key {
	file := filepath.Join(dir, "log.key")
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		var fresh string
		fresh, err = logproof.NewKey(rand.Reader)
		fail(errors.Join(err, os.WriteFile(file, []byte(fresh), 0o600)))
		text, err = []byte(fresh), nil
	}
	fail(err)
	key, err := logproof.ParseKey(string(text), uuid.Nil)
	fail(err)
	return key
}

// sequenceForever gives leaves and signs checkpoints as fast as it can.
func sequenceForever(s *sqlstore.Store, key logproof.Key) {
	sequencer := storetest.Sequencer(s, key, start)
	for {
		fail(sequencer.CatchUp(context.Background()))
		fail(sequencer.Checkpoint(context.Background()))
	}
}

// told says whether what was told is there, bytes included.
func told(t *testing.T, s *opened, one ack) bool {
	t.Helper()
	got, err := s.Document(t.Context(), registry, one.document, one.version, store.ContentJSON)
	return err == nil && (!one.annulled || got.State == store.StateAnnulled)
}

// writeForever stores, changes and annuls documents and prints each acknowledged write.
func writeForever(dir string) {
	s, err := Open(context.Background(), Options{Dir: dir, CursorKey: cursorKey})
	fail(err)
	client, _, err := s.RegisterClient(context.Background(), registry, storetest.Registration(storetest.Hash(1)), start, storetest.Row("client.register", start))
	fail(err)
	var mu sync.Mutex
	tell := func(row store.LogRow, f store.Facts) {
		wal, err := os.Stat(filepath.Join(dir, FileName+"-wal"))
		fail(err)
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(row.RequestID, f.ID, f.Version, f.Annulment != nil, wal.Size(), "ok")
	}
	go sequenceForever(s, childKey(dir))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				doc := storetest.NewDocument(registry, client, start.Add(time.Second), make([]byte, 5000), "t1")
				row := rowOf("document.store", doc.ID, 1)
				facts, _, err := s.StoreDocument(context.Background(), doc, row)
				fail(err)
				tell(row, facts)
				if i%2 == 0 {
					row := rowOf("document.version", doc.ID, 2)
					facts, _, err = s.AddVersion(context.Background(), storetest.NewVersion(facts, start, make([]byte, 5000), "t2"), row)
					fail(err)
					tell(row, facts)
				}
				if i%3 == 0 {
					row := rowOf("document.annul", doc.ID, facts.Version)
					facts, _, err = s.Annul(context.Background(), storetest.NewAnnulment(facts, start, "mistake"), row)
					fail(err)
					tell(row, facts)
				}
			}
		})
	}
	wg.Wait()
}

// rowOf gives a row that tells of a version of a document.
func rowOf(operation string, id uuid.UUID, version int) store.LogRow {
	row := storetest.Row(operation, start)
	row.DocumentIDs, row.DocumentCount = []uuid.UUID{id}, version
	return row
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
