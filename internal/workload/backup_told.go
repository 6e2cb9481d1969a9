// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// BackupDone is what a backup tells when it is whole, as its container's termination message.
type BackupDone struct {
	Name        string    `json:"name"`
	CompletedAt time.Time `json:"completedAt"`
	// Size is in bytes.
	Size int64 `json:"size"`
}

// Write puts it into a file as one line of JSON. No file is named: nothing is done.
func (d BackupDone) Write(file string) error { return tell(file, d) }

// RestoreDone is what a restore tells when it has restored something.
type RestoreDone struct {
	RestoredFrom string `json:"restoredFrom"`
}

// Write puts it into a file as one line of JSON. No file is named: nothing is done.
func (d RestoreDone) Write(file string) error { return tell(file, d) }

func tell(file string, what any) error {
	if file == "" {
		return nil
	}
	text, err := json.Marshal(what)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("tell what was done: %w", err)
	}
	return nil
}
