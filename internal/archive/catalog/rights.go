// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"slices"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// all stands for every service task or every document type in a right.
const all = "*"

// Right is one user right of a role, as the catalog gives it.
type Right struct {
	// Operations are what may be done, as access names it.
	Operations []string `json:"operations"`
	// ServiceTasks and DocumentTypes are what it may be done to: codes, or "*" alone for every one. A right to
	// find and register clients, or to supervise, has neither.
	ServiceTasks  []string `json:"serviceTasks,omitempty"`
	DocumentTypes []string `json:"documentTypes,omitempty"`
}

// Role is what a professional's role may do at most. What it may do is the intersection with what the caller may.
type Role struct {
	Code
	Rights []Right `json:"rights"`

	// scopes are those of each operation that the role may do.
	scopes map[string][]store.Scope
}

// Roles gives all roles, in force or not.
func (c *Catalog) Roles() []*Role { return slices.Clone(c.roles) }

// Role gives the role of a code, if it is in force on that day.
func (c *Catalog) Role(code string, day time.Time) (*Role, bool) {
	role, known := c.roleByCode[code]
	// Most roles have no days, and a day takes time to tell.
	if !known || role.Period != (Period{}) && !role.Holds(DayOf(day)) {
		return nil, false
	}
	return role, true
}

// Has tells whether the role may do the operation at all.
func (r *Role) Has(operation string) bool { return len(r.scopes[operation]) > 0 }

// May tells whether the role may do the operation to a document: one right of the operation must cover the
// document's type and at least one of its service tasks.
func (r *Role) May(operation string, tasks []string, documentType string) bool {
	scopes := r.scopes[operation]
	for i := range scopes {
		for _, task := range tasks {
			if scopes[i].Covers(task, documentType) {
				return true
			}
		}
	}
	return false
}

// Scope gives what the operation may be done to: the filter of a search. It is empty for what the role may not
// do, and is not to be changed.
func (r *Role) Scope(operation string) []store.Scope { return r.scopes[operation] }

// scope gives what the right covers.
func (r *Right) scope() store.Scope {
	return store.Scope{Tasks: covered(r.ServiceTasks), Types: covered(r.DocumentTypes)}
}

func covered(codes []string) []string {
	if len(codes) == 1 && codes[0] == all {
		return nil
	}
	return append([]string{}, codes...)
}
