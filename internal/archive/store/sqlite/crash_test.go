// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
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
// over on the same data, and looks for every document it had acknowledged, and for its log row.
func TestInvariant4_KillLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	acked := map[uuid.UUID]bool{}
	for round := range 5 {
		cmd := child(t, "write", dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		killed := false
		seen := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			id, err := uuid.Parse(lines.Text())
			if err != nil {
				continue // the line that the kill cut
			}
			acked[id] = true
			if seen++; seen > 100+round*73 && !killed {
				killed = true
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait()
		if !killed {
			t.Fatalf("round %d: the child ended on its own", round)
		}
		checkAcked(t, dir, acked)
	}
	t.Logf("%d documents acknowledged over 5 kills", len(acked))
}

func checkAcked(t *testing.T, dir string, acked map[uuid.UUID]bool) {
	t.Helper()
	s := openAt(t, dir)
	defer func() { _ = s.Close() }()
	logged := map[uuid.UUID]bool{}
	for _, row := range storetest.AllLog(t, s, store.LogQuery{}) {
		for _, id := range row.DocumentIDs {
			logged[id] = true
			if _, err := s.Document(t.Context(), registry, id); err != nil {
				t.Errorf("a row names a document that is not there: %v", err)
			}
		}
	}
	lost := 0
	for id := range acked {
		if _, err := s.Document(t.Context(), registry, id); err != nil || !logged[id] {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged documents, or their rows, are gone", lost, len(acked))
	}
}

// writeForever stores documents and prints the id of each acknowledged one.
func writeForever(dir string) {
	s, err := Open(context.Background(), Options{Dir: dir, CursorKey: cursorKey})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	client, _, err := s.RegisterClient(context.Background(), registry, storetest.Hash(1), start, storetest.Row("client.register", start))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				doc := storetest.NewDocument(registry, client, start.Add(time.Second), make([]byte, 5000), "t1")
				row := storetest.Row("document.store", start)
				row.DocumentIDs = []uuid.UUID{doc.ID}
				if _, err := s.StoreDocument(context.Background(), doc, row); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println(doc.ID)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}
