// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Bounds of what a store takes.
const (
	// MaxServiceTasks is the most service tasks one document has.
	MaxServiceTasks = 8
	// MaxPage is the largest page a search or a log query gives.
	MaxPage = 200
	// MaxCode is the longest code, OID or id in bytes.
	MaxCode = 256
)

// Validate gives *InvalidError for the first field outside its bounds.
func (d *NewDocument) Validate() error {
	for _, c := range []struct {
		field, value string
		optional     bool
	}{
		{"Registry", d.Registry, false},
		{"Type", d.Type, false},
		{"Author.Organization", d.Author.Organization, false},
		{"Author.Unit", d.Author.Unit, true},
		{"Author.Professional", d.Author.Professional, true},
		{"ViewRevision", d.ViewRevision, true},
	} {
		if err := checkCode(c.field, c.value, c.optional); err != nil {
			return err
		}
	}
	switch {
	case d.ID == uuid.Nil:
		return &InvalidError{"ID", "is missing"}
	case d.ClientID == uuid.Nil:
		return &InvalidError{"ClientID", "is missing"}
	case d.ContentType != ContentJSON && d.ContentType != ContentXHTML:
		return &InvalidError{"ContentType", "is neither JSON nor XHTML"}
	case len(d.Body) == 0:
		return &InvalidError{"Body", "is empty"}
	}
	if err := checkTime("Created", d.Created); err != nil {
		return err
	}
	if err := checkTime("Stored", d.Stored); err != nil {
		return err
	}
	return checkTasks("ServiceTasks", d.ServiceTasks)
}

// Validate gives *InvalidError for the first field outside its bounds.
func (r *LogRow) Validate() error {
	if err := checkTime("LogRow.Time", r.Time); err != nil {
		return err
	}
	if err := checkCode("LogRow.Operation", r.Operation, false); err != nil {
		return err
	}
	switch r.Outcome {
	case OutcomeAllowed:
		return nil
	case OutcomeRefused, OutcomeError:
		return checkCode("LogRow.Reason", r.Reason, false)
	default:
		return &InvalidError{"LogRow.Outcome", "is not allowed, refused or error"}
	}
}

// Validate gives *InvalidError for the first field outside its bounds.
func (q *SearchQuery) Validate() error {
	if err := checkCode("Registry", q.Registry, false); err != nil {
		return err
	}
	if q.ClientID == uuid.Nil {
		return &InvalidError{"ClientID", "is missing"}
	}
	return checkLimit(q.Limit)
}

func checkLimit(limit int) error {
	if limit < 1 || limit > MaxPage {
		return &InvalidError{"Limit", fmt.Sprintf("is not between 1 and %d", MaxPage)}
	}
	return nil
}

func checkCode(field, value string, optional bool) error {
	switch {
	case value == "" && !optional:
		return &InvalidError{field, "is missing"}
	case len(value) > MaxCode:
		return &InvalidError{field, fmt.Sprintf("is longer than %d bytes", MaxCode)}
	}
	return nil
}

func checkTime(field string, t time.Time) error {
	if t.IsZero() {
		return &InvalidError{field, "is missing"}
	}
	return nil
}

func checkTasks(field string, tasks []string) error {
	if len(tasks) < 1 || len(tasks) > MaxServiceTasks {
		return &InvalidError{field, fmt.Sprintf("has not 1 to %d codes", MaxServiceTasks)}
	}
	for i, task := range tasks {
		if err := checkCode(field, task, false); err != nil {
			return err
		}
		if slices.Contains(tasks[:i], task) {
			return &InvalidError{field, "names a code twice"}
		}
	}
	return nil
}
