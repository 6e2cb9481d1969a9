// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logaudit

import (
	"bytes"
	"encoding/json"
	"os"
)

// readCheckpoints reads the kept checkpoints of a month.
func readCheckpoints(file string) (all []keptCheckpoint, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(text) {
		var one keptCheckpoint
		if err := json.Unmarshal(line, &one); err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, nil
}
