// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package unusual

import (
	"slices"
	"time"
)

// Rules are the bounds of what is usual.
type Rules struct {
	// WorkDays is within how many days of a read the unit should have stored something for the client.
	WorkDays int
	// Refusals, two or more, by one professional or certificate Within that time are a burst.
	Refusals int
	Within   time.Duration
	// Clients by one professional in a day are many.
	Clients int
}

// Defaults are the rules where no others are given.
func Defaults() Rules {
	return Rules{WorkDays: 30, Refusals: 10, Within: 10 * time.Minute, Clients: 50}
}

// WorkTime is within which time of a read there should be work.
func (r *Rules) WorkTime() time.Duration { return time.Duration(r.WorkDays) * 24 * time.Hour }

// reading are the operations by which somebody comes to know of a client's documents.
var reading = []string{"Search", "Read", "ReadMetadata", "ListVersions", "ReadSignature", "ReadMatter", "SearchMatters", "Summary"}

// working are those that store something for a client.
var working = []string{
	"Store", "NewVersion", "Correct", "Annul", "OpenMatter", "CloseMatter", "ReopenMatter", "ManageRelationship",
}

// Working gives the operations that count as work.
func Working() []string { return slices.Clone(working) }
