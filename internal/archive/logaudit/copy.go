// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logaudit

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// Source is the store to copy from, which may serve meanwhile.
type Source interface {
	store.LogProofs
	store.AccessLog
}

// copier writes a copy.
type copier struct {
	from     Source
	dir      string
	registry string
	progress Progress
	// covered are the sizes of the trees that the copy holds.
	covered map[string]int64
}

// Copy writes a copy of the log into a new directory: all rows, or those of one registry.
func Copy(ctx context.Context, from Source, dir, registry string, now time.Time, progress Progress) (Manifest, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return Manifest{}, fmt.Errorf("make the copy: %w", err)
	}
	c := copier{from: from, dir: dir, registry: registry, progress: progress, covered: map[string]int64{}}
	manifest := Manifest{Format: formatCopy, Registry: registry, Copied: now.UTC(), Months: []CopiedMonth{}}
	months, err := from.LogTrees(ctx)
	if err != nil {
		return Manifest{}, err
	}
	for _, month := range months {
		size, err := c.month(ctx, month.Month)
		if err != nil {
			return Manifest{}, err
		}
		manifest.Months = append(manifest.Months, CopiedMonth{month.Month, size})
	}
	if err := c.unproven(ctx); err != nil {
		return Manifest{}, err
	}
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return Manifest{}, err
	}
	return manifest, os.WriteFile(filepath.Join(dir, manifestFile), append(text, '\n'), 0o600)
}

// month copies a tree as far as its newest checkpoint covers it.
func (c *copier) month(ctx context.Context, month string) (int64, error) {
	last, err := c.from.LogCheckpoint(ctx, month)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	c.covered[month] = last.Size
	dir := filepath.Join(c.dir, month)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(dir, checkpointFile), last.Note, 0o600); err != nil {
		return 0, err
	}
	if err := c.checkpoints(ctx, month, last.Size); err != nil {
		return 0, err
	}
	if err := c.tiles(ctx, month, last.Size); err != nil {
		return 0, err
	}
	return last.Size, c.records(ctx, month, last.Size)
}

// writing opens a file, lets write fill it and closes it.
func (c *copier) writing(name string, write func(*bufio.Writer) error) error {
	f, err := os.OpenFile(filepath.Join(c.dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	return errors.Join(write(w), w.Flush(), f.Close())
}

func (c *copier) checkpoints(ctx context.Context, month string, size int64) error {
	return c.writing(filepath.Join(month, checkpointsFile), func(w *bufio.Writer) error {
		for after := int64(0); after < size; {
			page, err := c.from.LogCheckpoints(ctx, month, after)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				return nil
			}
			for _, one := range page {
				if after = one.Size; after > size {
					return nil
				}
				line, err := json.Marshal(keptCheckpoint{one.Made.UTC(), string(one.Note)})
				if err != nil {
					return err
				}
				if _, err := w.Write(append(line, '\n')); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (c *copier) tiles(ctx context.Context, month string, size int64) error {
	for level := logproof.Entries; ; level++ {
		tiles := logproof.TilesAt(level, size)
		if level > 0 && tiles == 0 {
			return nil
		}
		for index := range tiles {
			id := logproof.TileID{Level: level, Index: index}
			hashes, err := c.from.LogTile(ctx, month, level, index)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			// What is missing is copied as it is: the check is to find it.
			hashes = hashes[:min(len(hashes), id.Bytes(size))]
			if level == logproof.Entries {
				hashes = logproof.Bundle(hashes)
			}
			file := filepath.Join(c.dir, month, filepath.FromSlash(id.Path(id.Bytes(size)/logproof.HashSize)))
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				return err
			}
			if err := os.WriteFile(file, hashes, 0o600); err != nil {
				return err
			}
			if index%64 == 0 && level == logproof.Entries {
				c.progress("copy the tree of "+month, index*logproof.Width, size)
			}
		}
	}
}

func (c *copier) records(ctx context.Context, month string, size int64) error {
	return c.writing(filepath.Join(month, recordsFile), func(w *bufio.Writer) error {
		for from := int64(0); from < size; {
			c.progress("copy the records of "+month, from, size)
			page, err := c.from.Leaves(ctx, month, from, store.MaxPage)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				return nil
			}
			for i := range page {
				one := &page[i]
				if from = one.Leaf.Index + 1; from > size {
					return nil
				}
				if one.Row == nil || c.registry != "" && one.Row.Registry != c.registry && !ofKeys(one.Row.Operation, one.Row.Registry) {
					continue
				}
				if err := writeRecord(w, one); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func writeRecord(w *bufio.Writer, one *store.LoggedLeaf) error {
	record, err := logproof.Encode(one.Row, link(one.Leaf))
	if err != nil {
		record = []byte("{}") // it was written by somebody else than the archive, and commits to nothing
	}
	_, err = fmt.Fprintf(w, "%d\t%s\t%s\n", one.Leaf.Index, hex.EncodeToString(one.Leaf.Salt[:]), record)
	return err
}

func link(leaf *store.Leaf) logproof.Link {
	return logproof.Link{Sequenced: leaf.Sequenced, ClientSequence: leaf.ClientSequence, ClientPrevious: leaf.ClientPrevious}
}

// unproven writes the rows that have no leaf.
func (c *copier) unproven(ctx context.Context) error {
	return c.writing(unprovenFile, func(w *bufio.Writer) error {
		lost, err := c.from.LostLog(ctx)
		if err != nil {
			return err
		}
		for _, one := range lost {
			if _, err := fmt.Fprintf(w, "%s\t%s %s\n", stateLost, one.Time.UTC().Format(time.RFC3339Nano), one.ID); err != nil {
				return err
			}
		}
		query := store.LogQuery{Registry: c.registry, Limit: store.MaxPage}
		for done := int64(0); ; {
			c.progress("look for rows without a leaf", done, 0)
			page, err := c.from.LeavesOf(ctx, query)
			if err != nil {
				return err
			}
			for i := range page.Rows {
				if err := writeUnproven(w, &page.Rows[i], c.covered); err != nil {
					return err
				}
			}
			done += int64(len(page.Rows))
			if query.After = page.Next; query.After == nil {
				return nil
			}
		}
	})
}

func writeUnproven(w *bufio.Writer, one *store.LoggedLeaf, covered map[string]int64) error {
	state := stateNone
	switch {
	case one.Leaf != nil && one.Leaf.Index < covered[one.Leaf.Month]:
		return nil
	case one.Leaf != nil || one.Pending:
		state = statePending
	}
	record, err := logproof.Encode(one.Row, logproof.Link{})
	if err != nil {
		record = []byte("{}")
	}
	_, err = fmt.Fprintf(w, "%s\t%s\n", state, record)
	return err
}
