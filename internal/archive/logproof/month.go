// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logproof

import (
	"fmt"
	"time"
)

// Month names the tree that rows of a month go into, e.g. "2026-11". Months compare as text.
type Month string

const monthLayout = "2006-01"

// MonthOf gives the month of a moment, in UTC.
func MonthOf(at time.Time) Month { return Month(at.UTC().Format(monthLayout)) }

// ParseMonth reads a month.
func ParseMonth(text string) (Month, error) {
	at, err := time.Parse(monthLayout, text)
	if err != nil || string(MonthOf(at)) != text {
		return "", fmt.Errorf("%q is no month: YYYY-MM", text)
	}
	return Month(text), nil
}
