// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package logaudittest makes copies of logs that are larger than an archive would write in the time of a test.
package logaudittest

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/storetest"
)

// WriteCopy writes what logaudit.Copy would write of so many rows of so many clients, into a new directory.
func WriteCopy(dir string, key logproof.Key, leaves, clients int) (err error) {
	if err := os.MkdirAll(filepath.Join(dir, "2026-03"), 0o700); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "2026-03", "records"))
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	heads, entries := map[int]store.LogHead{}, make([]logproof.Commitment, leaves)
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range leaves {
		at := begin.Add(time.Duration(i) * time.Millisecond)
		row := storetest.FullRow()
		row.ID, row.ClientID = uuid.UUID{15: 1}, uuid.UUID{15: 1}
		row.Time, row.Outcome, row.Reason = at, store.OutcomeAllowed, ""
		binary.BigEndian.PutUint64(row.ID[:], uint64(i))
		binary.BigEndian.PutUint64(row.ClientID[:], uint64(i%clients+1))
		head := heads[i%clients]
		record, err := logproof.Encode(&row, logproof.Link{Sequenced: at, ClientSequence: head.Sequence + 1, ClientPrevious: head.Entry})
		if err != nil {
			return err
		}
		salt := [logproof.SaltSize]byte(append(row.ID[:], row.ID[:]...))
		entries[i] = logproof.Commit(salt[:], record)
		heads[i%clients] = store.LogHead{Sequence: head.Sequence + 1, Entry: entries[i]}
		if _, err := fmt.Fprintf(w, "%d\t%s\t%s\n", i, hex.EncodeToString(salt[:]), record); err != nil {
			return err
		}
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		return err
	}
	tiles := logproof.Tiles{}
	if _, err := tiles.Append(0, entries); err != nil {
		return err
	}
	root, err := logproof.NewTree(tiles).Root(int64(leaves))
	if err != nil {
		return err
	}
	checkpoint, err := key.Sign("2026-03", tlog.Tree{N: int64(leaves), Hash: root})
	if err != nil {
		return err
	}
	for id, hashes := range tiles {
		file := filepath.Join(dir, "2026-03", id.Path(len(hashes)/logproof.HashSize))
		if id.Level == logproof.Entries {
			hashes = logproof.Bundle(hashes)
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, hashes, 0o600)); err != nil {
			return err
		}
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "2026-03", "checkpoint"), checkpoint, 0o600),
		os.WriteFile(filepath.Join(dir, "2026-03", "checkpoints"), nil, 0o600),
		os.WriteFile(filepath.Join(dir, "unproven"), nil, 0o600),
		os.WriteFile(filepath.Join(dir, "manifest.json"), fmt.Appendf(nil,
			`{"format":"valtuus.io/log-copy/v1","months":[{"month":"2026-03","size":%d}]}`, leaves), 0o600),
	)
}
