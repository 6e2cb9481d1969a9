// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"slices"
	"strings"
)

// Tables describes each table by its name and its columns, sorted.
func Tables() (all []string) {
	for _, t := range tables {
		columns := slices.Sorted(slices.Values(t.columns))
		all = append(all, t.name+": "+strings.Join(columns, " "))
	}
	return all
}
