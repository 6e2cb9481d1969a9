// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Demo plays the life of a register access right on real components: an API server
// with its etcd, the manager, and the archive on SQLite, each a process of its own. It
// says what it does and what it saw, and fails when that is not what it should be.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	keep := flag.Bool("keep", false, "leave everything running at the end, until interrupted")
	repeats := flag.Int("repeats", 100, "how many ends to measure")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *keep, *repeats); err != nil {
		if errors.Is(err, context.Canceled) {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(os.Stderr, "\ndemo failed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, keep bool, repeats int) (err error) {
	s, err := setStage(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.clear(err != nil)) }()
	p := &play{stage: s, repeats: repeats}
	for _, act := range []func(context.Context) error{
		p.introduce, p.waitForTest, p.openAccess, p.testTogether, p.useAccess, p.changeDocuments, p.refuseOthers, p.keepCare,
		p.endAccess, p.lookBack, p.showEnd,
	} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	if keep {
		return p.stay(ctx)
	}
	return nil
}
