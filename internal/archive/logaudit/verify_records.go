// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logaudit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/valtuus/valtuus/internal/archive/logproof"
)

// header is what the check reads of a record.
type header struct {
	Sequenced      time.Time            `json:"sequenced"`
	ClientSequence int64                `json:"clientSequence"`
	ClientPrevious *logproof.Commitment `json:"clientPrevious"`
	ID             uuid.UUID            `json:"id"`
	Time           time.Time            `json:"time"`
	Registry       string               `json:"registry"`
	ClientID       uuid.UUID            `json:"client"`
	Operation      string               `json:"operation"`
	Criteria       string               `json:"criteria"`
}

// read is a line of the records that has been read.
type read struct {
	index int64
	entry logproof.Commitment
	header
	bad bool
}

// parse reads a line.
func parse(line []byte) (r read) {
	index, rest, ok := bytes.Cut(line, []byte("\t"))
	salt, record, also := bytes.Cut(rest, []byte("\t"))
	var err error
	if r.index, err = strconv.ParseInt(string(index), 10, 64); err != nil || !ok || !also {
		return read{index: -1, bad: true}
	}
	raw := make([]byte, hex.DecodedLen(len(salt)))
	if _, err := hex.Decode(raw, salt); err != nil {
		r.bad = true
	}
	r.entry = logproof.Commit(raw, record)
	if err := json.Unmarshal(record, &r.header); err != nil {
		r.bad = true
	}
	return r
}

const linesAtOnce = 1024

// records checks the record of each leaf, in the order of the leaves. The lines are read and hashed by all processors.
func (v *verifier) records(ctx context.Context, month logproof.Month, entries []logproof.Commitment) error {
	f, err := os.Open(filepath.Join(v.dir, string(month), recordsFile))
	if errors.Is(err, os.ErrNotExist) {
		v.report.find(string(month), -1, "the copy has no records")
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	group, ctx := errgroup.WithContext(ctx)
	chunks := make(chan chan []read, runtime.GOMAXPROCS(0)*2)
	group.Go(func() error { return readChunks(ctx, f, group, chunks) })
	check := &recordCheck{v: v, month: month, entries: entries}
	group.Go(func() error {
		for chunk := range chunks {
			for _, one := range <-chunk {
				check.record(&one)
			}
			v.opts.Progress("check the records of "+string(month), check.next, int64(len(entries)))
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	check.upTo(int64(len(entries)))
	return nil
}

// readChunks reads lines and has them parsed side by side; the chunks come in their order.
func readChunks(ctx context.Context, from io.Reader, group *errgroup.Group, chunks chan<- chan []read) error {
	defer close(chunks)
	reader := bufio.NewReaderSize(from, 1<<20)
	for {
		var lines [][]byte
		var err error
		for len(lines) < linesAtOnce && err == nil {
			var line []byte
			if line, err = reader.ReadBytes('\n'); len(line) > 0 {
				lines = append(lines, bytes.TrimSuffix(line, []byte("\n")))
			}
		}
		parsed := make(chan []read, 1)
		select {
		case chunks <- parsed:
		case <-ctx.Done():
			return ctx.Err()
		}
		group.Go(func() error {
			all := make([]read, len(lines))
			for i, line := range lines {
				all[i] = parse(line)
			}
			parsed <- all
			return nil
		})
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// recordCheck goes through the records of a month.
type recordCheck struct {
	v       *verifier
	month   logproof.Month
	entries []logproof.Commitment
	// next is the index that comes next.
	next int64
	// places are the indexes of the entries, made when one is looked for.
	places map[logproof.Commitment]int64
}

func (c *recordCheck) find(index int64, format string, args ...any) {
	c.v.report.find(string(c.month), index, format, args...)
}

// upTo tells of the leaves before the index that have no record.
func (c *recordCheck) upTo(index int64) {
	if c.v.report.Registry == "" {
		for ; c.next < min(index, int64(len(c.entries))); c.next++ {
			c.v.destroyed.lacks(c.month, c.next)
		}
	}
	c.next = max(c.next, index)
}

func (c *recordCheck) record(r *read) {
	if r.index < c.next || r.index >= int64(len(c.entries)) {
		if r.index < 0 || r.index >= int64(len(c.entries)) {
			c.find(-1, "a record names leaf %d, which is not there", r.index)
		} else {
			c.find(r.index, "it has two records, or they are not in its order")
		}
		return
	}
	c.upTo(r.index)
	c.next = r.index + 1
	c.v.report.Records++
	entry := c.entries[r.index]
	if r.bad || r.entry != entry {
		c.find(r.index, "row %s is not the one that the leaf commits to: %s", r.ID, c.other(r.entry))
		c.v.chains.lose(r, entry)
		return
	}
	if c.v.report.Registry != "" && r.Registry != c.v.report.Registry && !ofKeys(r.Operation, r.Registry) {
		c.find(r.index, "row %s is of another registry", r.ID)
	}
	missing, problem := c.v.chains.add(c.month, r)
	if missing != nil {
		c.v.destroyed.gaps = append(c.v.destroyed.gaps, *missing)
	}
	if problem != "" {
		c.find(r.index, "row %s: %s", r.ID, problem)
	}
	c.v.destroyed.add(r)
	c.v.keys.add(c.month, r)
	if problem := c.v.clock.add(c.month, r); problem != "" {
		c.find(r.index, "row %s: %s", r.ID, problem)
	}
}

// other says what is in the place of a row.
func (c *recordCheck) other(entry logproof.Commitment) string {
	if c.places == nil {
		c.places = make(map[logproof.Commitment]int64, len(c.entries))
		for i, one := range c.entries {
			c.places[one] = int64(i)
		}
	}
	if place, ok := c.places[entry]; ok {
		return "it belongs to leaf " + strconv.FormatInt(place, 10)
	}
	return "it was edited, or another was put in its place"
}

// unproven checks the rows without a leaf.
func (v *verifier) unproven() error {
	f, err := os.Open(filepath.Join(v.dir, unprovenFile))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	for lines, err := bufio.NewReader(f), error(nil); err == nil; {
		var line string
		if line, err = lines.ReadString('\n'); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		state, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		switch state {
		case "":
		case stateLost:
			v.report.find("", -1, "the row of %s waits for a leaf and is not there: it was deleted", text)
		default:
			v.withoutLeaf(state, []byte(text))
		}
	}
	return nil
}

func (v *verifier) withoutLeaf(state string, record []byte) {
	row, _, err := logproof.Decode(record)
	switch {
	case err != nil:
		v.report.find("", -1, "a row without a leaf cannot be read: the archive has not written it")
	case state != statePending && (v.clock.first.IsZero() || row.Time.Before(v.clock.first)):
		v.report.Before++
	case state != statePending:
		v.report.find("", -1, "row %s of %s has no leaf: it was inserted", row.ID, row.Time.Format(time.RFC3339))
	case row.Time.Before(v.clock.last.Add(-late)):
		v.report.find("", -1, "row %s of %s still waits for a leaf, and newer rows have theirs: it was inserted, or the archive leaves it out", row.ID, row.Time.Format(time.RFC3339))
	default:
		v.report.Waiting++
	}
}
