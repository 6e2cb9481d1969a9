// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logaudit

import "fmt"

// Finding is something that must not be.
type Finding struct {
	// Month and Index name the leaf; the index is -1 for what is not about one leaf.
	Month string
	Index int64
	// Text says what is wrong.
	Text string
}

// String says what is wrong, and where.
func (f Finding) String() string {
	switch {
	case f.Month == "":
		return f.Text
	case f.Index < 0:
		return f.Month + ": " + f.Text
	default:
		return fmt.Sprintf("%s: leaf %d: %s", f.Month, f.Index, f.Text)
	}
}

// maxFindings bounds what is told one by one.
const maxFindings = 200

// Report says what a check has found.
type Report struct {
	// Log names the log; Registry the one that the records are narrowed to.
	Log, Registry string
	// Leaves are those of all trees; Records those whose record is there and was checked.
	Leaves, Records int64
	// Checkpoints is how many signed statements the trees were held to, Cosigned how many of them each witness asked for
	// has cosigned.
	Checkpoints int
	Cosigned    map[string]int
	// Waiting rows have no leaf yet; those Before are older than the log.
	Waiting, Before int64
	// Keys tells of the keys that the log itself says began to sign it.
	Keys []string
	// Destroyed tells of the rows that the log itself says were destroyed.
	Destroyed []string
	// Findings are what must not be; More is how many there are beyond those.
	Findings []Finding
	More     int
}

// Sound says that nothing was found.
func (r *Report) Sound() bool { return len(r.Findings) == 0 }

func (r *Report) find(month string, index int64, format string, args ...any) {
	if len(r.Findings) == maxFindings {
		r.More++
		return
	}
	r.Findings = append(r.Findings, Finding{month, index, fmt.Sprintf(format, args...)})
}
