// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package backup_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/store/backup"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/transfer"
)

// TestASeriesKeepsTheNewestWholeBackups: older ones go only after a newer one was read back, what was cut is never
// counted or kept, and what somebody else put there stays.
func TestASeriesKeepsTheNewestWholeBackups(t *testing.T) {
	g := NewWithT(t)
	data, into := t.TempDir(), t.TempDir()
	seed(t, data)
	now := start
	next := func(ctx context.Context, step func(transfer.Step)) (string, error) {
		now = now.Add(time.Hour)
		snapshot, end := snapshotOf(t, data, "")
		defer end()
		name, _, err := backup.Next(ctx, snapshot, into, 2, now, step)
		return name, err
	}
	quiet := func(transfer.Step) {}
	g.Expect(os.Mkdir(filepath.Join(into, "by-hand"), 0o700)).To(Succeed())
	g.Expect(os.Mkdir(filepath.Join(into, "mine.partial"), 0o700)).To(Succeed())
	g.Expect(os.Mkdir(filepath.Join(into, "20200101T000000Z"), 0o700)).To(Succeed(), "no manifest: no backup")
	first, err := next(t.Context(), quiet)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(first).To(Equal("20260301T090000Z"))
	second, err := next(t.Context(), quiet)
	g.Expect(err).NotTo(HaveOccurred())

	ctx, cut := context.WithCancel(t.Context())
	_, err = next(ctx, func(s transfer.Step) {
		if s.Doing == "compare" {
			cut()
		}
	})
	g.Expect(err).To(HaveOccurred())
	g.Expect(backup.List(into)).To(Equal([]string{first, second}), "a cut one takes nobody's place")
	g.Expect(filepath.Join(into, "20260301T110000Z.partial")).To(BeADirectory())

	third, err := next(t.Context(), quiet)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(backup.List(into)).To(Equal([]string{second, third}))
	g.Expect(filepath.Join(into, "20260301T110000Z.partial")).NotTo(BeADirectory(), "what was cut goes")
	for _, other := range []string{"by-hand", "mine.partial", "20200101T000000Z"} {
		g.Expect(filepath.Join(into, other)).To(BeADirectory())
	}

	// One that cannot be read back is none, and no older one goes for it.
	_, err = next(t.Context(), func(s transfer.Step) {
		if s.Doing == "check" {
			g.Expect(os.Mkdir(filepath.Join(into, now.UTC().Format("20060102T150405Z")+".partial", backup.ManifestName), 0o700)).
				To(Or(Succeed(), MatchError(os.ErrExist)))
		}
	})
	g.Expect(err).To(HaveOccurred())
	g.Expect(backup.List(into)).To(Equal([]string{second, third}))

	unlock, err := sqlite.Lock(into)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = next(t.Context(), quiet)
	g.Expect(err).To(MatchError(sqlite.ErrInUse), "one run at a time")
	g.Expect(unlock()).To(Succeed())
}

// TestASeriesLeavesTheBackupsOfAnotherStore: a new, empty archive that took over the volume must not push out the backups
// of the one that was lost.
func TestASeriesLeavesTheBackupsOfAnotherStore(t *testing.T) {
	g := NewWithT(t)
	lost, fresh, into := t.TempDir(), t.TempDir(), t.TempDir()
	seed(t, lost)
	seed(t, fresh)
	now := start
	next := func(data string) string {
		now = now.Add(time.Hour)
		snapshot, end := snapshotOf(t, data, "")
		defer end()
		name, _, err := backup.Next(t.Context(), snapshot, into, 1, now, func(transfer.Step) {})
		g.Expect(err).NotTo(HaveOccurred())
		return name
	}
	first := next(lost)
	next(fresh)
	last := next(fresh)
	g.Expect(backup.List(into)).To(Equal([]string{first, last}))
}
