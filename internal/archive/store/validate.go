// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Bounds of what a store takes.
const (
	// MaxServiceTasks is the most service tasks one document or matter has.
	MaxServiceTasks = 8
	// MaxClients is the most clients one document or matter has.
	MaxClients = 8
	// MaxPage is the largest page a search or a log query gives.
	MaxPage = 200
	// MaxCode is the longest code, OID or id in bytes.
	MaxCode = 256
)

// Validate gives *InvalidError for the first field outside its bounds.
func (d *NewDocument) Validate() error {
	if d.ID == uuid.Nil {
		return &InvalidError{"ID", "is missing"}
	}
	if err := firstError(
		checkCode("Registry", d.Registry, false),
		checkCode("Type", d.Type, false),
		checkClients(d.ClientIDs),
		d.Content.validate(),
	); err != nil {
		return err
	}
	switch {
	case d.Relationship != nil && len(d.ClientIDs) != 1:
		return &InvalidError{"ClientIDs", "must be one for a relationship"}
	case d.OldData && (d.Matter != "" || d.Relationship != nil):
		return &InvalidError{"OldData", "goes with no matter and no relationship"}
	default:
		return nil
	}
}

// Validate gives *InvalidError for the first field outside its bounds.
func (v *NewVersion) Validate() error {
	if err := checkAddressed(v.Registry, v.ID, v.Expected); err != nil {
		return err
	}
	return v.Content.validate()
}

// Validate gives *InvalidError for the first field outside its bounds.
func (a *NewAnnulment) Validate() error {
	return firstError(
		checkAddressed(a.Registry, a.ID, a.Expected),
		checkCode("Reason", a.Reason, false),
		checkTime("At", a.At),
		a.By.validate(),
	)
}

func checkAddressed(registry string, id uuid.UUID, expected int) error {
	switch {
	case id == uuid.Nil:
		return &InvalidError{"ID", "is missing"}
	case expected < 1:
		return &InvalidError{"Expected", "is no version"}
	}
	return checkCode("Registry", registry, false)
}

func (c *Content) validate() error {
	if err := firstError(
		c.Author.validate(),
		checkCode("Matter", c.Matter, true),
		checkCode("Language", c.Language, true),
		checkCode("SchemaVersion", c.SchemaVersion, true),
		checkCode("CorrectionReason", c.CorrectionReason, true),
		checkCode("ViewRevision", c.ViewRevision, true),
		checkTime("Created", c.Created),
		checkTime("Stored", c.Stored),
		checkTasks(c.ServiceTasks),
		c.Labels.validate(),
	); err != nil {
		return err
	}
	if r := c.Relationship; r != nil {
		if err := firstError(
			checkCode("Relationship.Unit", r.Unit, false),
			checkCode("Relationship.Procurement", r.Procurement, false),
			checkTime("Relationship.Start", r.Start),
		); err != nil {
			return err
		}
	}
	return c.validateRepresentations()
}

func checkClients(ids []uuid.UUID) error {
	return checkSet("ClientIDs", ids, MaxClients, func(id uuid.UUID) error {
		if id == uuid.Nil {
			return &InvalidError{"ClientIDs", "names no client"}
		}
		return nil
	})
}

func checkTasks(tasks []string) error {
	return checkSet("ServiceTasks", tasks, MaxServiceTasks, func(task string) error {
		return checkCode("ServiceTasks", task, false)
	})
}

func (c *Content) validateRepresentations() error {
	kinds := make([]string, len(c.Representations))
	for i, r := range c.Representations {
		if len(r.Body) == 0 {
			return &InvalidError{"Representations", "has an empty body"}
		}
		if err := r.Signature.validate(); err != nil {
			return err
		}
		kinds[i] = r.ContentType
	}
	return checkSet("Representations", kinds, 2, func(kind string) error {
		if kind != ContentJSON && kind != ContentXHTML {
			return &InvalidError{"Representations", "is neither JSON nor XHTML"}
		}
		return nil
	})
}

func (a *Author) validate() error {
	return firstError(
		checkCode("Author.Organization", a.Organization, false),
		checkCode("Author.Unit", a.Unit, true),
		checkCode("Author.Professional", a.Professional, true),
		checkCode("Author.Role", a.Role, true),
	)
}

func (l *Labels) validate() error {
	switch l.Display {
	case "", DisplayShown, DisplayDelayed, DisplayLimited:
	default:
		return &InvalidError{"Labels.Display", "is not shown, delayed or limited"}
	}
	if l.DisplayFrom.IsZero() == (l.Display == DisplayDelayed) {
		return &InvalidError{"Labels.DisplayFrom", "belongs to a delayed display, and to that alone"}
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
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
	if q.ClientID == uuid.Nil && q.Matter == "" {
		return &InvalidError{"ClientID", "is missing, and so is Matter"}
	}
	if err := firstError(
		checkCode("Matter", q.Matter, true),
		checkCode("ServiceTask", q.ServiceTask, true),
		checkCode("Type", q.Type, true),
		checkCode("AuthorUnit", q.AuthorUnit, true),
	); err != nil {
		return err
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
	return checkText(field, value)
}

// checkText refuses what not every engine keeps as text.
func checkText(field, value string) error {
	if !utf8.ValidString(value) || strings.IndexByte(value, 0) >= 0 {
		return &InvalidError{field, "is no text"}
	}
	return nil
}

func checkTime(field string, t time.Time) error {
	if t.IsZero() {
		return &InvalidError{field, "is missing"}
	}
	return nil
}

// checkSet checks that there are 1 to most distinct values, each good by itself.
func checkSet[T comparable](field string, values []T, most int, check func(T) error) error {
	if len(values) < 1 || len(values) > most {
		return &InvalidError{field, fmt.Sprintf("has not 1 to %d values", most)}
	}
	for i, value := range values {
		if err := check(value); err != nil {
			return err
		}
		if slices.Contains(values[:i], value) {
			return &InvalidError{field, "names one twice"}
		}
	}
	return nil
}
