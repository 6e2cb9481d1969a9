// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/logaudit"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// logExtractRow is how long a client's own part of the log takes.
type logExtractRow struct{}

func (logExtractRow) name() string { return "log-extract" }
func (logExtractRow) measures() string {
	return "the extract of a client with 1,000 rows in a log of 101,000, each row proven; read, proven and written as the archive sends it, and then verified as its receiver does"
}
func (logExtractRow) floor() string { return "the same rows read from the log, without proofs" }
func (logExtractRow) goal() string  { return "at most 1 s" }

func (logExtractRow) run(ctx context.Context, b *bench) ([]figure, error) {
	return b.eachEngine(ctx, func(e engine) ([]figure, error) { return extractsOn(ctx, b, e) })
}

const extractRows = 1000

func extractsOn(ctx context.Context, b *bench, e engine) (_ []figure, err error) {
	at, err := e.storage(ctx)
	if err != nil {
		return nil, err
	}
	s, err := e.open(ctx, at)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	key, err := newLogKey()
	if err != nil {
		return nil, err
	}
	client, others := uuid.New(), b.size(100, 2)
	b.progress("%s: logging %d rows", e, extractRows*(others+1))
	w := &loggers{store: s}
	for range extractRows { // spread over all of the log
		rows := []store.LogRow{logRow(benchRegistry, client)}
		for range others {
			rows = append(rows, w.row())
		}
		if err := s.AppendLog(ctx, rows...); err != nil {
			return nil, err
		}
	}
	one := sequencer.New(sequencer.Options{Store: s, Key: key, Clock: clock.RealClock{}, Log: logr.Discard()})
	if err := errors.Join(one.CatchUp(ctx), one.Checkpoint(ctx)); err != nil {
		return nil, err
	}
	var read, extracted, verified samples
	for range 10 { // in turns
		begun := time.Now()
		if err := readRows(ctx, s, client); err != nil {
			return nil, err
		}
		read.add(time.Since(begun))
		begun = time.Now()
		var text bytes.Buffer
		extract, err := logaudit.Begin(ctx, s, benchRegistry, client, extractRows, time.Now())
		if err == nil {
			err = extract.Write(ctx, &text)
		}
		if err != nil {
			return nil, err
		}
		extracted.add(time.Since(begun))
		begun = time.Now()
		report, err := logaudit.VerifyExtract(text.Bytes(), logaudit.Options{Log: key.Verifier()})
		if err != nil {
			return nil, err
		}
		if !report.Sound() || report.Report.Records != extractRows {
			return nil, fmt.Errorf("%d rows were verified, and %d things found", report.Report.Records, len(report.Findings))
		}
		verified.add(time.Since(begun))
	}
	took := figure{What: fmt.Sprintf("%s: extract of %d rows, median of 10", e, extractRows), Value: extracted.at(.5) / 1000, Unit: "s"}.over(read.at(.5) / 1000)
	return []figure{took.want(took.Value <= 1, "≤ 1 s").
		noted("at most %s s; verified by its receiver in %s s", number(extracted.longest()/1000), number(verified.at(.5)/1000))}, nil
}

// readRows reads the client's rows.
func readRows(ctx context.Context, s store.Store, client uuid.UUID) error {
	query := store.LogQuery{Registry: benchRegistry, ClientID: client, Limit: store.MaxPage}
	for n := 0; ; {
		page, err := s.Log(ctx, query)
		if err != nil {
			return err
		}
		n += len(page.Rows)
		if query.After = page.Next; query.After == nil {
			if n != extractRows {
				return fmt.Errorf("%d rows were read", n)
			}
			return nil
		}
	}
}
