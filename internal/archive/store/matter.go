// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Matter is a matter (asia). Its clients and service tasks are fixed at the opening. Times are in UTC with
// microseconds.
type Matter struct {
	// ID is the identifier that its documents carry.
	ID       string
	Registry string
	// ClientIDs are 1 to 8 distinct clients, in the order given; a matter of several is a shared one.
	ClientIDs []uuid.UUID
	// ServiceTasks are 1 to 8 distinct service-task codes, in the order given.
	ServiceTasks []string
	Opened       time.Time
	// Closed is zero while the matter is open.
	Closed time.Time
	// Events is how many MatterEvents it has.
	Events int
}

// NewMatter is a matter to open.
type NewMatter struct {
	ID, Registry string
	ClientIDs    []uuid.UUID
	ServiceTasks []string
	MatterChange
}

// MatterChange is who opened, closed or reopened a matter, and when.
type MatterChange struct {
	// At is when it happened; Recorded when the archive was told.
	At, Recorded time.Time
	By           Author
}

// MatterEventKind is what happened to a matter.
type MatterEventKind string

// The kinds of events.
const (
	MatterOpened   MatterEventKind = "opened"
	MatterClosed   MatterEventKind = "closed"
	MatterReopened MatterEventKind = "reopened"
)

// MatterEvent is one event of a matter.
type MatterEvent struct {
	Kind MatterEventKind
	MatterChange
}

// IsOpen tells whether documents can be stored into the matter.
func (m *Matter) IsOpen() bool { return m.Closed.IsZero() }

// OfAll tells whether the clients are the matter's, all of them and no other.
func (m *Matter) OfAll(clients []uuid.UUID) bool {
	return len(clients) == len(m.ClientIDs) && m.HasClients(clients)
}

// HasClients tells whether all of the clients are the matter's.
func (m *Matter) HasClients(clients []uuid.UUID) bool {
	return !slices.ContainsFunc(clients, func(client uuid.UUID) bool { return !slices.Contains(m.ClientIDs, client) })
}

// HasTasks tells whether all of the service tasks are the matter's.
func (m *Matter) HasTasks(tasks []string) bool {
	return !slices.ContainsFunc(tasks, func(task string) bool { return !slices.Contains(m.ServiceTasks, task) })
}

// Admit gives ErrClientOutsideMatter, ErrTaskOutsideMatter or ErrMatterClosed for a version that cannot be in the
// matter. former is the version that it takes the place of; nil for a document's first. One that stays in the
// matter keeps the document's clients and may keep its service tasks. outlasts is Content.OutlastsMatter.
func (m *Matter) Admit(version, former *Facts, outlasts bool) error {
	stays := former != nil && former.Matter == m.ID
	tasks := version.ServiceTasks
	if stays {
		tasks = slices.DeleteFunc(slices.Clone(tasks), func(task string) bool { return slices.Contains(former.ServiceTasks, task) })
	}
	switch {
	case !stays && !m.OfAll(version.ClientIDs):
		return ErrClientOutsideMatter
	case !m.HasTasks(tasks):
		return ErrTaskOutsideMatter
	case !m.IsOpen() && (!stays || !outlasts):
		return ErrMatterClosed
	default:
		return nil
	}
}

// OutlastsMatter tells whether the content may come as a further version though the document's matter is closed:
// what is wrong can always be corrected, and the end of a relationship always be told.
func (c *Content) OutlastsMatter() bool { return c.CorrectionReason != "" || c.Relationship != nil }

// MatterStore keeps matters. Each change writes its log row and its event in the same transaction. A repetition
// changes nothing: it gives the matter as it is, changed is false, and its log row is written.
type MatterStore interface {
	// OpenMatter opens a matter. ErrExists if the identifier is that of a matter with other clients or service
	// tasks, or if documents of other clients carry it, ErrNotFound if the registry lacks one of the clients,
	// *InvalidError for a matter or row outside its bounds.
	OpenMatter(ctx context.Context, matter NewMatter, row LogRow) (m Matter, changed bool, err error)

	// CloseMatter closes an open matter, which it does not before it was opened (*InvalidError). ErrMatterUnknown
	// if the registry has no such matter, ErrMatterClosed if it was closed at another time already.
	CloseMatter(ctx context.Context, registry, id string, change MatterChange, row LogRow) (m Matter, changed bool, err error)

	// ReopenMatter undoes a closing; an open matter stays as it is. Errors as CloseMatter.
	ReopenMatter(ctx context.Context, registry, id string, change MatterChange, row LogRow) (m Matter, changed bool, err error)

	// Matter gives a matter; ErrMatterUnknown if the registry has none with the identifier.
	Matter(ctx context.Context, registry, id string) (Matter, error)

	// MattersOf gives all matters of a client, the one opened last first.
	MattersOf(ctx context.Context, registry string, client uuid.UUID) ([]Matter, error)

	// MatterEvents gives the events of a matter, in the order of their recording; none for an unknown one.
	MatterEvents(ctx context.Context, registry, id string) ([]MatterEvent, error)
}

// Validate gives *InvalidError for the first field outside its bounds.
func (m *NewMatter) Validate() error {
	return firstError(
		checkCode("Registry", m.Registry, false),
		checkCode("ID", m.ID, false),
		checkClients(m.ClientIDs),
		checkTasks(m.ServiceTasks),
		m.MatterChange.Validate(),
	)
}

// Validate gives *InvalidError for the first field outside its bounds.
func (c *MatterChange) Validate() error {
	return firstError(checkTime("At", c.At), checkTime("Recorded", c.Recorded), c.By.validate())
}
