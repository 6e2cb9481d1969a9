// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/transfer"
)

const (
	// nameLayout makes names that sort by time.
	nameLayout = "20060102T150405Z"
	// partialSuffix is on what is no backup yet, or none any more.
	partialSuffix = ".partial"
)

var nameForm = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z$`)

// Next takes the next backup of a series: into a directory of directories with names by time, of which the newest are
// kept. It is read back and held to its manifest before any older one goes. One run at a time: sqlite.ErrInUse.
func Next(ctx context.Context, from transfer.Source, into string, keep int, now time.Time, progress func(transfer.Step)) (name string, m Manifest, err error) {
	unlock, err := sqlite.Lock(into)
	if err != nil {
		return "", Manifest{}, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	// What a run that was cut left takes the room that this one needs.
	if err := removePartial(into); err != nil {
		return "", Manifest{}, err
	}
	name = now.UTC().Format(nameLayout)
	dir := filepath.Join(into, name)
	if m, err = Take(ctx, from, dir, now, progress); err != nil {
		return "", Manifest{}, err
	}
	if err := verify(dir, &m); err != nil {
		return "", Manifest{}, errors.Join(err, os.Rename(dir, dir+partialSuffix))
	}
	return name, m, prune(into, keep, m.Store)
}

// verify reads a backup as a restore would.
func verify(dir string, taken *Manifest) error {
	read, err := ReadManifest(dir)
	if err != nil {
		return err
	}
	if read.SHA256 != taken.SHA256 {
		return fmt.Errorf("%w: another manifest is read than was written", ErrDamaged)
	}
	return read.Check(dir)
}

// List names the backups of a series, the oldest first. Nothing else that is in the directory is of it.
func List(into string) (names []string, err error) {
	entries, err := os.ReadDir(into)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if !entry.IsDir() || !nameForm.MatchString(entry.Name()) {
			continue
		}
		if _, err := os.Stat(filepath.Join(into, entry.Name(), ManifestName)); err == nil {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// prune removes the oldest backups of a store. Those of another one may be all that is left of it. Each is renamed first,
// so that a part of one is never taken for one.
func prune(into string, keep int, store string) error {
	names, err := List(into)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		m, err := ReadManifest(filepath.Join(into, name))
		return err != nil || m.Store != store
	})
	for _, name := range names[:max(0, len(names)-keep)] {
		dir := filepath.Join(into, name)
		if err := os.Rename(dir, dir+partialSuffix); err != nil {
			return err
		}
		if err := os.RemoveAll(dir + partialSuffix); err != nil {
			return err
		}
	}
	return nil
}

func removePartial(into string) error {
	left, err := filepath.Glob(filepath.Join(into, "*"+partialSuffix))
	if err != nil {
		return err
	}
	left = slices.DeleteFunc(left, func(dir string) bool {
		name := filepath.Base(dir)
		return !nameForm.MatchString(name[:len(name)-len(partialSuffix)])
	})
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}
