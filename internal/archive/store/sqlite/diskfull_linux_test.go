// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// TestInvariant4_WriteErrorOfTheSystemIsUnavailable lets the operating system itself refuse to
// write (a file size limit), in a process of its own.
func TestInvariant4_WriteErrorOfTheSystemIsUnavailable(t *testing.T) {
	if err := child(t, "full", t.TempDir()).Run(); err != nil {
		t.Fatalf("the child found a broken promise: %v", err)
	}
}

// fillDisk gives 0 if a write that the system refuses is ErrUnavailable, leaves nothing, and a
// later one works.
func fillDisk(dir string) int {
	if err := fillDiskErr(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func fillDiskErr(ctx context.Context, dir string) error {
	signal.Ignore(syscall.SIGXFSZ) // so that the write fails instead of the process
	s, err := Open(ctx, Options{Dir: dir, CursorKey: cursorKey})
	if err != nil {
		return err
	}
	client, _, err := s.RegisterClient(ctx, registry, storetest.Registration(storetest.Hash(1)), start, storetest.Row("client.register", start))
	if err != nil {
		return err
	}
	put := func() (uuid.UUID, error) {
		doc := storetest.NewDocument(registry, client, start, make([]byte, 50_000), "t1")
		row := storetest.Row("document.store", start)
		row.DocumentIDs = []uuid.UUID{doc.ID}
		_, _, err := s.StoreDocument(ctx, doc, row)
		return doc.ID, err
	}
	if _, err := put(); err != nil {
		return err
	}

	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return err
	}
	wal, err := os.Stat(filepath.Join(dir, FileName+"-wal"))
	if err != nil {
		return err
	}
	limited := syscall.Rlimit{Cur: uint64(wal.Size()) + 10_000, Max: before.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limited); err != nil {
		return err
	}
	refused, putErr := put()
	logErr := s.Probe(ctx, start) // fits
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return err
	}
	if !errors.Is(putErr, store.ErrUnavailable) {
		return fmt.Errorf("the refused write gave %w, not ErrUnavailable", putErr)
	}
	if logErr != nil {
		return fmt.Errorf("a small write after it gave %w", logErr)
	}
	if _, err := s.DocumentFacts(ctx, registry, refused, 0); !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("the refused document is there, or: %w", err)
	}
	if _, err := put(); err != nil {
		return fmt.Errorf("with space again: %w", err)
	}
	page, err := s.Log(ctx, store.LogQuery{Limit: 10})
	if err != nil || len(page.Rows) != 3 {
		return fmt.Errorf("%d log rows, want 3 (%w)", len(page.Rows), err)
	}
	return s.Close()
}
