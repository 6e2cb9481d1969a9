// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/store/storetest/crashtest"
)

// TestInvariant4_ATornLogLosesOnlyWhatWasTorn cuts and spoils the tail of the write-ahead log that a killed process
// left, as a disk may that wrote half of a block: the file opens, what was acknowledged before the damage is there,
// and no row tells of what is not.
func TestInvariant4_ATornLogLosesOnlyWhatWasTorn(t *testing.T) {
	dir := t.TempDir()
	acked, err := roundsAt(t, dir).Kill(t.Context(), 150)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	wal, err := os.ReadFile(filepath.Join(dir, FileName+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	first, last := acked[0].Mark, acked[0].Mark
	for _, one := range acked {
		first, last = min(first, one.Mark), max(last, one.Mark)
	}
	if last > int64(len(wal)) || first >= last {
		t.Fatalf("the log has %d bytes, and was told to have %d to %d", len(wal), first, last)
	}
	for name, c := range map[string]struct {
		at    int64
		spoil func(torn []byte) []byte
	}{
		"one byte short":     {int64(len(wal)) - 1, func(torn []byte) []byte { return nil }},
		"cut within a frame": {(first+last)/2 + 1234, func(torn []byte) []byte { return nil }},
		"cut at a commit":    {acked[len(acked)/2].Mark, func(torn []byte) []byte { return nil }},
		"zeros after":        {first + (last-first)/3, func(torn []byte) []byte { return make([]byte, len(torn)) }},
		"noise after":        {first + (last-first)*2/3, func(torn []byte) []byte { return bytes.Repeat([]byte{0xA5, 0x3C, 0x01}, len(torn)/3) }},
	} {
		t.Run(name, func(t *testing.T) {
			copied := t.TempDir()
			torn := append(bytes.Clone(wal[:c.at]), c.spoil(wal[c.at:])...)
			for suffix, content := range map[string][]byte{"": data, "-wal": torn} {
				if err := os.WriteFile(filepath.Join(copied, FileName+suffix), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var before []crashtest.Ack
			for _, one := range acked {
				if one.Mark <= c.at {
					before = append(before, one)
				}
			}
			t.Logf("%d of %d writes were acknowledged before the damage", len(before), len(acked))
			checkAcked(t, copied, before)
			s := openAt(t, copied) // and it takes writes again
			defer func() { _ = s.Close() }()
			if err := s.Probe(t.Context(), start); err != nil {
				t.Error(err)
			}
		})
	}
}
