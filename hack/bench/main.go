// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Bench measures what the product promises, each figure against a floor that is measured
// in the same run: the same work done barely, without the product. It prints ratios, says
// which goals are met, and fails only when something does not work at all.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/valtuus/valtuus/internal/archive/store/storetest/crashtest"
	"github.com/valtuus/valtuus/internal/testenv/pgcluster"
)

func main() {
	crashtest.BeWriter(openToKill)
	b := &bench{}
	child, pattern, jsonFile := "", "", ""
	flag.StringVar(&pattern, "run", "", "measure only the rows whose name matches this regular expression")
	flag.BoolVar(&b.short, "short", false, "measure with small sizes: quick, and good for finding mistakes only")
	flag.StringVar(&jsonFile, "json", "", "also write the figures to this file, as JSON")
	flag.StringVar(&b.profiles, "profiles", "", "write CPU profiles of the measured processes into this directory")
	flag.StringVar(&child, "child", "", "used by the benchmark itself: be one of its processes")
	flag.Usage = usage
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := errors.New("no arguments are taken; see -help")
	switch {
	case child != "":
		err = beChild(ctx, child)
	case flag.NArg() == 0:
		err = b.measure(ctx, pattern, jsonFile)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func usage() {
	out := flag.CommandLine.Output()
	_, _ = fmt.Fprint(out, "Usage: make bench BENCHFLAGS='[flags]'\n\nFlags:\n")
	flag.PrintDefaults()
	_, _ = fmt.Fprint(out, "\nRows:\n")
	for _, r := range rows() {
		_, _ = fmt.Fprintf(out, "  %-14s %s\n", r.name(), r.measures())
	}
}

// bench is one run.
type bench struct {
	short    bool
	profiles string
	dir      string // of everything that is made
	begun    time.Time
	loaded   *loaded            // made by the first row that needs it
	single   *cluster           // likewise
	postgres *pgcluster.Cluster // likewise
}

// size is n, or less for a short run.
func (b *bench) size(n, short int) int {
	if b.short {
		return short
	}
	return n
}

func (b *bench) measure(ctx context.Context, pattern, jsonFile string) (err error) {
	selected, err := regexp.Compile(pattern)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	if b.dir, err = os.MkdirTemp("", "valtuus-bench-"); err != nil {
		return err
	}
	b.begun = time.Now()
	defer func() {
		b.loaded.stop()
		b.single.stop()
		if b.postgres != nil {
			err = errors.Join(err, b.postgres.Close())
		}
		if err == nil {
			err = os.RemoveAll(b.dir)
		} else {
			fmt.Fprintln(os.Stderr, "bench: the logs are in", b.dir)
		}
	}()
	end, err := b.profileSelf()
	if err != nil {
		return err
	}
	defer end()
	fmt.Println(machine())
	if b.short {
		fmt.Println("A short run: the sizes are small and the figures mean little.")
	}
	var all []figure
	for _, r := range rows() {
		if !selected.MatchString(r.name()) {
			continue
		}
		introduce(r)
		figures, err := r.run(ctx, b)
		if err != nil {
			if ctx.Err() != nil {
				err = errors.New("interrupted")
			}
			return fmt.Errorf("row %s: %w", r.name(), err)
		}
		for i := range figures {
			figures[i].Row = r.name()
			figures[i].print()
		}
		all = append(all, figures...)
	}
	if len(all) == 0 {
		return fmt.Errorf("no row is called %q; see -help", pattern)
	}
	printTable(all)
	fmt.Printf("\nTook %s.\n", time.Since(b.begun).Round(time.Second))
	if jsonFile == "" {
		return nil
	}
	return writeJSON(jsonFile, all)
}
