// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/valtuus/valtuus/internal/archive/logaudit"
	"github.com/valtuus/valtuus/internal/archive/logaudit/logaudittest"
	"github.com/valtuus/valtuus/internal/archive/logproof"
)

// logVerifyRow is how long somebody who checks the access log has to wait.
type logVerifyRow struct{}

func (logVerifyRow) name() string { return "log-verify" }
func (logVerifyRow) measures() string {
	return "a copy of a log of 1,000,000 rows of 50,000 clients checked as 'valtuus log verify' does: every row read and hashed, every tile, every client's chain, the checkpoint"
}
func (logVerifyRow) floor() string {
	return "the same file read and each line hashed with SHA-256, by one goroutine"
}
func (logVerifyRow) goal() string { return "at most 10 s" }

func (logVerifyRow) run(ctx context.Context, b *bench) ([]figure, error) {
	leaves := b.size(1_000_000, 20_000)
	dir := filepath.Join(b.dir, "copy")
	key, err := newLogKey()
	if err != nil {
		return nil, err
	}
	b.progress("writing a copy of %d rows", leaves)
	if err := logaudittest.WriteCopy(dir, key, leaves, leaves/20); err != nil {
		return nil, err
	}
	var hashed, checked, busy samples
	for range 3 { // in turns
		begun := time.Now()
		if err := hashLines(filepath.Join(dir, "2026-03", "records")); err != nil {
			return nil, err
		}
		hashed.add(time.Since(begun))
		begun, worked := time.Now(), processorTime()
		if err := verifyCopy(ctx, dir, key, leaves); err != nil {
			return nil, err
		}
		checked.add(time.Since(begun))
		busy.add(processorTime() - worked)
		b.progress("hashed after %s s, checked after %s s", number(hashed.longest()/1000), number(checked.longest()/1000))
	}
	took := figure{What: fmt.Sprintf("a log of %d rows checked, median of 3", leaves), Value: checked.at(.5) / 1000, Unit: "s"}.over(hashed.at(.5) / 1000)
	return []figure{took.want(took.Value <= 10, "≤ 10 s").
		noted("%s rows/s; at most %s s; %s s of processor time", number(float64(leaves)/took.Value), number(checked.longest()/1000), number(busy.at(.5)/1000))}, nil
}

func verifyCopy(ctx context.Context, dir string, key logproof.Key, leaves int) error {
	report, err := logaudit.Verify(ctx, dir, logaudit.Options{Log: key.Verifier(), Progress: func(string, int64, int64) {}})
	if err != nil {
		return err
	}
	if !report.Sound() || report.Records != int64(leaves) {
		return fmt.Errorf("%d rows were checked, and %d things found", report.Records, len(report.Findings))
	}
	return nil
}

func hashLines(file string) (err error) {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines := bufio.NewScanner(bufio.NewReaderSize(f, 1<<20))
	for lines.Scan() {
		_ = sha256.Sum256(lines.Bytes())
	}
	return lines.Err()
}
