// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"errors"
	"slices"
	"time"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/masking"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// Errors of DocumentType.SchemaOn.
var (
	// ErrNotInForce: the schema, or every schema of the type, is not in force on that day.
	ErrNotInForce = errors.New("no such schema is in force on that day")
	// ErrUnknownVersion: the type has no schema of that version.
	ErrUnknownVersion = errors.New("the document type has no schema of that version")
)

// Names are what something is called, for people.
type Names struct {
	Finnish string `json:"fi"`
	Swedish string `json:"sv"`
	English string `json:"en"`
}

// Code is an entry of a code list.
type Code struct {
	Code  string `json:"code"`
	Names Names  `json:"names"`
	Period
}

// codes is a code list.
type codes struct {
	all    []Code
	byCode map[string]Period
}

func (c *codes) inForce(code string, day time.Time) bool {
	period, known := c.byCode[code]
	return known && period.Holds(DayOf(day))
}

// Catalog is one edition. It does not change; a Source gives the newest one.
type Catalog struct {
	edition                                     string
	types                                       []*DocumentType
	byCode                                      map[string]*DocumentType
	serviceTasks, correctionReasons, annulments codes
	roles                                       []*Role
	roleByCode                                  map[string]*Role
	retention                                   []RetentionRule
}

// Edition is a digest of the catalog's files, to tell editions apart.
func (c *Catalog) Edition() string { return c.edition }

// Types gives the document types in the catalog's order.
func (c *Catalog) Types() []*DocumentType { return slices.Clone(c.types) }

// Type gives the document type of a code.
func (c *Catalog) Type(code string) (*DocumentType, bool) {
	t, known := c.byCode[code]
	return t, known
}

// RelationshipType gives the type whose documents open service relationships, if it has a schema on that day.
func (c *Catalog) RelationshipType(day time.Time) (*DocumentType, bool) {
	for _, t := range c.types {
		if t.IsRelationship() {
			_, err := t.SchemaOn("", day)
			return t, err == nil
		}
	}
	return nil, false
}

// ServiceTasks gives all service tasks, in force or not.
func (c *Catalog) ServiceTasks() []Code { return slices.Clone(c.serviceTasks.all) }

// ServiceTask tells whether the service task is in force on that day.
func (c *Catalog) ServiceTask(code string, day time.Time) bool {
	return c.serviceTasks.inForce(code, day)
}

// CorrectionReasons gives all reasons for corrections, in force or not.
func (c *Catalog) CorrectionReasons() []Code { return slices.Clone(c.correctionReasons.all) }

// CorrectionReason tells whether the reason for a correction is in force on that day.
func (c *Catalog) CorrectionReason(code string, day time.Time) bool {
	return c.correctionReasons.inForce(code, day)
}

// AnnulmentReasons gives all reasons for annulments, in force or not.
func (c *Catalog) AnnulmentReasons() []Code { return slices.Clone(c.annulments.all) }

// AnnulmentReason tells whether the reason for an annulment is in force on that day.
func (c *Catalog) AnnulmentReason(code string, day time.Time) bool {
	return c.annulments.inForce(code, day)
}

// DocumentType is a kind of document.
type DocumentType struct {
	code      string
	names     Names
	operation string
	sector    access.CareSector
	formats   []string
	schemas   []*Schema // by their first day; they do not overlap
	mapping   *mapping  // nil unless its documents open relationships
	masked    *masking.Paths
	summary   SummarySection
}

// SummarySection is the section of a client's summary that lists the newest documents of a type.
type SummarySection string

// The sections; empty for none.
const (
	SummaryDecisions SummarySection = "decision"
	SummaryPlans     SummarySection = "plan"
)

// Code gives the type's code.
func (t *DocumentType) Code() string { return t.code }

// Names gives what the type is called.
func (t *DocumentType) Names() Names { return t.names }

// Operation is the operation that storing a document of the type amounts to, ManageRelationship or
// ManageMatter, as access names it; empty for an ordinary client document.
func (t *DocumentType) Operation() string { return t.operation }

// Sector is the branch of care that documents of the type belong to.
func (t *DocumentType) Sector() access.CareSector { return t.sector }

// NonDisclosure gives what is masked in the JSON of a document under a non-disclosure for personal safety. Where the
// catalog does not say, known is false: the JSON may hold address or contact data anywhere.
func (t *DocumentType) NonDisclosure() (paths masking.Paths, known bool) {
	if t.masked == nil {
		return masking.Paths{}, false
	}
	return *t.masked, true
}

// Summary gives the section of a client's summary that lists the newest documents of the type.
func (t *DocumentType) Summary() SummarySection { return t.summary }

// Formats gives the content types that the type may have.
func (t *DocumentType) Formats() []string { return slices.Clone(t.formats) }

// Takes tells whether a representation may be of the content type.
func (t *DocumentType) Takes(contentType string) bool { return slices.Contains(t.formats, contentType) }

// IsRelationship tells whether documents of the type open and end service relationships.
func (t *DocumentType) IsRelationship() bool { return t.mapping != nil }

// Schemas gives the type's schemas by their first day, in force or not.
func (t *DocumentType) Schemas() []*Schema { return slices.Clone(t.schemas) }

// Schema gives the schema of a version, in force or not.
func (t *DocumentType) Schema(version string) (*Schema, bool) {
	for _, s := range t.schemas {
		if s.version == version {
			return s, true
		}
	}
	return nil, false
}

// SchemaOn gives the schema that the JSON of a document created on that day is held to: the one of the
// version, or for "" the one in force. Nil for a type whose JSON is held to none. Errors:
// ErrUnknownVersion, ErrNotInForce.
func (t *DocumentType) SchemaOn(version string, day time.Time) (*Schema, error) {
	if version != "" {
		s, known := t.Schema(version)
		if !known {
			return nil, ErrUnknownVersion
		}
		if !s.period.Holds(DayOf(day)) {
			return nil, ErrNotInForce
		}
		return s, nil
	}
	if len(t.schemas) == 0 {
		return nil, nil
	}
	on := DayOf(day)
	for _, s := range t.schemas {
		if s.period.Holds(on) {
			return s, nil
		}
	}
	return nil, ErrNotInForce
}

// structured tells whether the type has a JSON form.
func (t *DocumentType) structured() bool { return t.Takes(store.ContentJSON) }
