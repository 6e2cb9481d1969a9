// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"strconv"
	"strings"
)

// statement is SQL text under construction with its arguments. Values only ever go in as arguments.
type statement struct {
	sql  strings.Builder
	args []any
}

func (b *statement) text() string { return b.sql.String() }

// add appends text; each "?" in it takes the next value, numbered as $n.
func (b *statement) add(text string, values ...any) {
	for _, v := range values {
		before, rest, _ := strings.Cut(text, "?")
		b.args = append(b.args, v)
		b.sql.WriteString(before + "$" + strconv.Itoa(len(b.args)))
		text = rest
	}
	b.sql.WriteString(text)
}

// addIn appends the condition that the column is one of the values.
func (b *statement) addIn(column string, values []string) {
	b.sql.WriteString(" AND " + column + " IN (")
	for i, v := range values {
		if i > 0 {
			b.sql.WriteString(", ")
		}
		b.add("?", v)
	}
	b.sql.WriteString(")")
}

// numbered gives "$first, …" of n placeholders.
func numbered(first, n int) string {
	var text strings.Builder
	for i := range n {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString("$" + strconv.Itoa(first+i))
	}
	return text.String()
}

// bySize makes the texts of one statement for 1 to most values, so that each is prepared once.
func bySize(most int, text func(n int) string) []string {
	texts := make([]string, most+1)
	for n := 1; n <= most; n++ {
		texts[n] = text(n)
	}
	return texts
}
