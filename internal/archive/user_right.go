// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"slices"
	"time"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/problem"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// question is what the decision is asked, with what the professional's user right is asked besides.
type question struct {
	access.Request
	// documentType is the type of the document that the question is about; empty when it is about no one type.
	documentType string
	// role is the role that is asked about; empty for that of the professional who asks.
	role string
}

// verdict is a decision with a user right laid over it: what is allowed is what both allow.
type verdict struct {
	access.Decision
	// lacking tells what the role lacks, where the decision itself would have allowed it; else zero.
	lacking problem.Kind
	// scopes are what the role may search, once searching is allowed.
	scopes []store.Scope
}

// source tells why.
func (v verdict) source() problem.Source {
	if v.lacking != 0 {
		return v.lacking
	}
	return v.Reason
}

// withUserRight lays the role's user right of now over a decision. A role that the catalog does not have, or
// that is not in force today, may do nothing.
func withUserRight(c *catalog.Catalog, q *question, d access.Decision, now time.Time) verdict {
	v := verdict{Decision: d}
	if !d.Allowed {
		return v
	}
	role, inForce := c.Role(q.role, now)
	switch {
	case !inForce:
		v.lacking = problem.RoleUnknown
	case !q.within(role, &d.Tasks):
		v.lacking = problem.UserRightMissing
	case q.Operation == access.Summary:
		// A summary tells nothing that the role could not find by searching.
		v.scopes = store.CoveredByBoth(role.Scope(access.Summary.String()), role.Scope(access.Search.String()))
		return v
	default:
		v.scopes = role.Scope(access.Search.String())
		return v
	}
	v.Allowed, v.Tasks, v.ShowsNonDisclosure = false, access.TaskSet{}, false
	return v
}

// within tells whether the role covers the question. A stored document has to be reached by the caller and by
// the role through one and the same service task; each service task that a document newly gets has to be covered.
func (q *question) within(role *catalog.Role, tasks *access.TaskSet) bool {
	operation := q.Operation.String()
	switch q.Operation {
	case access.FindClient, access.RegisterClient, access.Supervise: // of all of the registry
		return role.Has(operation)
	}
	covers := func(task string) bool { return q.covers(role, operation, task) }
	if q.Document != nil && !slices.ContainsFunc(q.Document.ServiceTasks, func(task string) bool {
		return tasks.Contains(task) && covers(task)
	}) {
		return false
	}
	for _, task := range q.IncomingTasks {
		if !covers(task) && (q.Document == nil || !slices.Contains(q.Document.ServiceTasks, task)) {
			return false
		}
	}
	switch {
	case q.Document != nil || len(q.IncomingTasks) > 0:
		return true
	case q.ServiceTask != "":
		return covers(q.ServiceTask)
	default:
		return q.reaches(role, operation, tasks)
	}
}

// covers tells whether the role covers documents of the type, or of some type, in the service task.
func (q *question) covers(role *catalog.Role, operation, task string) bool {
	if q.documentType != "" {
		return role.May(operation, []string{task}, q.documentType)
	}
	return slices.ContainsFunc(role.Scope(operation), func(s store.Scope) bool {
		return s.Tasks == nil || slices.Contains(s.Tasks, task)
	})
}

// reaches tells whether the role covers such documents in any of the caller's service tasks.
func (q *question) reaches(role *catalog.Role, operation string, tasks *access.TaskSet) bool {
	return slices.ContainsFunc(role.Scope(operation), func(s store.Scope) bool {
		return (q.documentType == "" || s.Types == nil || slices.Contains(s.Types, q.documentType)) &&
			(s.Tasks == nil || tasks.ContainsAny(s.Tasks))
	})
}
