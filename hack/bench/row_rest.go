// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"
)

// restRow is how much memory the processes take when nothing is asked of them.
type restRow struct{}

func (restRow) name() string { return "rest" }
func (restRow) measures() string {
	return "resident memory of a manager and of an archive at rest, with one unit and no documents, each in a process of its own"
}
func (restRow) floor() string { return "" }
func (restRow) goal() string  { return "" }

func (restRow) run(ctx context.Context, b *bench) ([]figure, error) {
	c, err := b.oneUnit(ctx)
	if err != nil {
		return nil, err
	}
	out, err := b.eachEngine(ctx, func(e engine) ([]figure, error) {
		at, err := e.storage(ctx)
		if err != nil {
			return nil, err
		}
		a, err := c.startArchive(ctx, at)
		if err != nil {
			return nil, err
		}
		defer a.stop()
		time.Sleep(time.Duration(b.size(20, 2)) * time.Second)
		kilobytes := residentOf(a.cmd.Process.Pid)
		if kilobytes <= 0 {
			return nil, nil
		}
		return []figure{{What: "archive on " + e.String() + " at rest", Value: kilobytes / 1024, Unit: "MiB"}}, nil
	})
	if err != nil {
		return nil, err
	}
	if kilobytes := residentOf(c.manager.cmd.Process.Pid); kilobytes > 0 {
		out = append(out, figure{What: "manager at rest", Value: kilobytes / 1024, Unit: "MiB"})
	}
	return out, nil
}
