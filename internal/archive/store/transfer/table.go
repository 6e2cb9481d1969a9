// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"strconv"
	"strings"
)

// table is what a copy has to know of a table.
type table struct {
	name string
	// key are the columns of its primary key, in the key's order.
	key []string
	// columns are all of them, the key's included.
	columns []string
}

// position gives where the columns of the key stand among the columns.
func (t *table) position() []int {
	at := make([]int, len(t.key))
	for i, key := range t.key {
		for j, column := range t.columns {
			if column == key {
				at[i] = j
			}
		}
	}
	return at
}

// pageSQL reads rows in the key's order, after a key if there is one.
func (t *table) pageSQL(after bool) string {
	var b strings.Builder
	b.WriteString("SELECT " + strings.Join(t.columns, ", ") + " FROM " + t.name)
	if after {
		b.WriteString(" WHERE (" + strings.Join(t.key, ", ") + ") > (" + placeholders(1, len(t.key)) + ")")
	}
	b.WriteString(" ORDER BY " + strings.Join(t.key, ", ") + " LIMIT ")
	if after {
		b.WriteString("$" + strconv.Itoa(len(t.key)+1))
	} else {
		b.WriteString("$1")
	}
	return b.String()
}

// insertSQL writes one row.
func (t *table) insertSQL() string {
	return "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES (" + placeholders(1, len(t.columns)) + ")"
}

func placeholders(from, count int) string {
	all := make([]string, count)
	for i := range all {
		all[i] = "$" + strconv.Itoa(from+i)
	}
	return strings.Join(all, ", ")
}

// Rows of one batch. A document may have 10 MiB, a row of metadata has a few hundred bytes.
const (
	bodyPage = 32
	rowPage  = 512
)

// page is how many rows are read and written at once.
func (t *table) page() int {
	if t.name == bodies {
		return bodyPage
	}
	return rowPage
}
