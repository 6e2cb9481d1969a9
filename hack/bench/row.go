// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"time"
)

// row is one thing that is measured.
type row interface {
	// name selects the row.
	name() string
	// measures says what is measured.
	measures() string
	// floor says what it is compared with.
	floor() string
	// goal says what ought to come out; empty when nothing is asked.
	goal() string
	// run measures. It fails when something does not work, not when a goal is missed.
	run(ctx context.Context, b *bench) ([]figure, error)
}

func rows() []row {
	return []row{
		groundRow{}, acceptRow{}, endLagRow{}, decideRow{}, issueRow{}, earlierEndsRow{}, heapRow{}, httpRow{},
		documentsRow{}, killRow{}, failoverRow{}, restRow{}, searchRow{}, summaryRow{}, validateRow{}, signatureRow{}, rightsRow{},
		logRecordsRow{}, logFetchRow{}, logVerifyRow{}, logExtractRow{}, logKillRow{},
	}
}

// figure is one measured value beside its floor.
type figure struct {
	Row  string `json:"row"`
	What string `json:"what"`
	// Value and Floor are in Unit. A floor of zero is none.
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Floor float64 `json:"floor,omitempty"`
	// Ratio is Value over Floor.
	Ratio float64 `json:"ratio,omitempty"`
	Goal  string  `json:"goal,omitempty"`
	// Met is nil where there is no goal.
	Met  *bool  `json:"met,omitempty"`
	Note string `json:"note,omitempty"`
}

// over sets the floor. There is no ratio to a lag that ended before it began.
func (f figure) over(floor float64) figure {
	f.Floor = floor
	if floor > 0 {
		f.Ratio = f.Value / floor
	}
	return f
}

// want sets the goal and whether it is met.
func (f figure) want(met bool, goal string, args ...any) figure {
	f.Goal, f.Met = fmt.Sprintf(goal, args...), &met
	return f
}

// noted adds a note.
func (f figure) noted(note string, args ...any) figure {
	f.Note = fmt.Sprintf(note, args...)
	return f
}

func (f figure) verdict() string {
	switch {
	case f.Met == nil:
		return "no goal"
	case *f.Met:
		return "met"
	default:
		return "MISSED"
	}
}

func (f figure) print() {
	floor := ""
	if f.Floor != 0 {
		floor = "; floor " + amount(f.Floor, f.Unit)
		if f.Ratio != 0 {
			floor += ", ratio " + number(f.Ratio)
		}
	}
	goal := f.verdict()
	if f.Met != nil {
		goal = fmt.Sprintf("goal %s: %s", f.Goal, f.verdict())
	}
	fmt.Printf("  %s: %s%s; %s\n", f.What, amount(f.Value, f.Unit), floor, goal)
	if f.Note != "" {
		fmt.Printf("      %s\n", f.Note)
	}
}

func introduce(r row) {
	fmt.Printf("\n%s: %s\n", r.name(), r.measures())
	if r.floor() != "" {
		fmt.Printf("  floor: %s\n", r.floor())
	}
	if r.goal() != "" {
		fmt.Printf("  goal:  %s\n", r.goal())
	}
}

// progress says what goes on in a long row.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "  [%4.0f s] %s\n", time.Since(b.begun).Seconds(), fmt.Sprintf(format, args...))
}

func printTable(all []figure) {
	lines := [][]string{{"row", "what", "value", "floor", "ratio", "goal", ""}}
	missed := 0
	for _, f := range all {
		floor, ratio := "-", "-"
		if f.Floor != 0 {
			floor = amount(f.Floor, f.Unit)
		}
		if f.Ratio != 0 {
			ratio = number(f.Ratio)
		}
		goal := f.Goal
		if goal == "" {
			goal = "-"
		}
		if f.Met != nil && !*f.Met {
			missed++
		}
		lines = append(lines, []string{f.Row, f.What, amount(f.Value, f.Unit), floor, ratio, goal, f.verdict()})
	}
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	fmt.Println()
	for _, line := range lines {
		for i, cell := range line {
			fmt.Print(cell, strings.Repeat(" ", widths[i]-len([]rune(cell))+2))
		}
		fmt.Println()
	}
	switch missed {
	case 0:
		fmt.Println("\nEvery goal is met.")
	default:
		fmt.Printf("\n%d of the goals MISSED. On a machine with other work, measure again before believing it.\n", missed)
	}
}

func writeJSON(file string, all []figure) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o600)
}

func amount(v float64, unit string) string {
	if unit == "" {
		return number(v)
	}
	return number(v) + " " + unit
}

// number writes three significant digits, and all digits before the point.
func number(v float64) string {
	if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return fmt.Sprint(v)
	}
	digits := max(0, 2-int(math.Floor(math.Log10(math.Abs(v)))))
	return fmt.Sprintf("%.*f", digits, v)
}
