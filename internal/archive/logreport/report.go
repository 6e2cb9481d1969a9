// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logreport

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// Report is what is told.
type Report struct {
	Client   uuid.UUID `json:"client"`
	Registry string    `json:"registry"`
	// From and Until are days in Finland, both included.
	From  catalog.Day `json:"from"`
	Until catalog.Day `json:"until"`
	// Units are the OIDs that it is narrowed to.
	Units         []string   `json:"units,omitempty"`
	SpecialReason string     `json:"specialReason,omitempty"`
	MadeAt        time.Time  `json:"madeAt"`
	MadeBy        Party      `json:"madeBy"`
	Entries       []Entry    `json:"entries"`
	Withheld      []Withheld `json:"withheld"`
}

// Party is who did something.
type Party struct {
	Organization string `json:"organization,omitempty"`
	// Unit is empty for the organizer's own system.
	Unit         string `json:"unit,omitempty"`
	Professional string `json:"professional,omitempty"`
	Role         string `json:"role,omitempty"`
	RoleName     string `json:"roleName,omitempty"`
}

// Entry is one use, or one try.
type Entry struct {
	ID   uuid.UUID `json:"id"`
	Time time.Time `json:"time"`
	Party
	Operation     string        `json:"operation"`
	OperationText string        `json:"operationText"`
	Outcome       store.Outcome `json:"outcome"`
	OutcomeText   string        `json:"outcomeText"`
	Reason        string        `json:"reason,omitempty"`
	Ground        *Ground       `json:"ground,omitempty"`
	Documents     []uuid.UUID   `json:"documents,omitempty"`
}

// Ground is what allowed a use.
type Ground struct {
	Kind         GroundKind `json:"kind"`
	Text         string     `json:"text"`
	Relationship *Ref       `json:"relationship,omitempty"`
	Grant        *Ref       `json:"grant,omitempty"`
}

// GroundKind is a kind of ground.
type GroundKind string

// The kinds. Under each of the first three the professional also had the user right of the role.
const (
	// GroundRelationship: a service relationship of the client in the unit, and the unit's register access grant.
	GroundRelationship GroundKind = "service-relationship"
	// GroundGrant: the unit's register access grant alone.
	GroundGrant GroundKind = "register-access-grant"
	// GroundController: the organizer's own work as the controller of the registry.
	GroundController GroundKind = "registry-controller"
	// GroundArchive: the archive did it itself, by its rules.
	GroundArchive GroundKind = "archive"
)

// Ref names one revision of an object.
type Ref struct {
	UID      string `json:"uid"`
	Revision string `json:"revision"`
}

// Withheld tells how many entries are withheld by a decision.
type Withheld struct {
	Decision   string `json:"decision"`
	Reason     string `json:"reason"`
	ReasonText string `json:"reasonText"`
	Entries    int    `json:"entries"`
}

// Maker makes a report of rows, one after the other, oldest first.
type Maker struct {
	report Report
	lang   access.Lang
	roles  func(code string) catalog.Names
}

// NewMaker begins a report; head has all but the entries. roles gives the names of a role, if it has any.
func NewMaker(head Report, lang access.Lang, roles func(code string) catalog.Names) *Maker {
	m := &Maker{report: head, lang: lang, roles: roles}
	m.report.Entries, m.report.Withheld = []Entry{}, []Withheld{}
	m.report.MadeBy.RoleName = m.role(head.MadeBy.Role)
	return m
}

// Take adds a row about the client. It tells whether the row counts: it is within the units asked for.
func (m *Maker) Take(row store.LogRow) bool {
	if !m.asked(row) {
		return false
	}
	m.report.Entries = append(m.report.Entries, m.entry(row))
	return true
}

// asked tells whether the row is of one of the units; the organizer's own system goes by its organization.
func (m *Maker) asked(row store.LogRow) bool {
	by := row.Unit
	if by == "" {
		by = row.Organization
	}
	return len(m.report.Units) == 0 || slices.Contains(m.report.Units, by)
}

// Report gives the report without what is withheld. Give it withholdings that were read after the rows: none that was
// made before the last row was read is missing then.
func (m *Maker) Report(withholdings []store.Withholding) Report {
	r, counts := m.report, make([]int, len(withholdings))
	r.Entries = slices.DeleteFunc(slices.Clone(r.Entries), func(e Entry) bool {
		row := store.LogRow{ID: e.ID, Time: e.Time, Registry: r.Registry, ClientID: r.Client}
		i := slices.IndexFunc(withholdings, func(w store.Withholding) bool { return w.Covers(row) })
		if i >= 0 {
			counts[i]++
		}
		return i >= 0
	})
	for i, n := range counts {
		if w := withholdings[i]; n > 0 {
			r.Withheld = append(r.Withheld, Withheld{w.Decision, w.Reason, withholdingWords(w.Reason).in(m.lang), n})
		}
	}
	return r
}

func (m *Maker) entry(row store.LogRow) Entry {
	e := Entry{
		ID: row.ID, Time: row.Time,
		Party:     Party{row.Organization, row.Unit, row.Professional, row.Role, m.role(row.Role)},
		Operation: row.Operation, OperationText: operationWords(row.Operation).in(m.lang),
		Outcome: row.Outcome, OutcomeText: m.outcome(row), Reason: row.Reason, Documents: row.DocumentIDs,
	}
	if row.Outcome == store.OutcomeAllowed {
		e.Ground = m.ground(row)
	}
	return e
}

func (m *Maker) outcome(row store.LogRow) string {
	text := outcomes[row.Outcome].in(m.lang)
	if row.Outcome == store.OutcomeAllowed {
		return text
	}
	if title := reasonTitle(row.Reason, m.lang); title != "" {
		return text + ": " + title
	}
	return text
}

func (m *Maker) ground(row store.LogRow) *Ground {
	g := &Ground{Relationship: refOf(row.Relationship), Grant: refOf(row.Grant)}
	switch {
	case row.Professional == "": // nobody else does anything to a client's data without one
		g.Kind = GroundArchive
	case row.Unit == "":
		g.Kind = GroundController
	case g.Relationship != nil:
		g.Kind = GroundRelationship
	default:
		g.Kind = GroundGrant
	}
	g.Text = grounds[g.Kind].in(m.lang)
	if role := m.role(row.Role); role != "" {
		g.Text += "; " + userRight.in(m.lang) + " " + role
	}
	return g
}

// role gives the role's name in the language, its code where the catalog has no name.
func (m *Maker) role(code string) string {
	names := m.roles(code)
	if name := (words{names.Finnish, names.Swedish, names.English}).in(m.lang); name != "" {
		return name
	}
	return code
}

func refOf(r store.ObjectRef) *Ref {
	if r.UID == "" {
		return nil
	}
	return &Ref{UID: r.UID, Revision: r.Revision}
}
