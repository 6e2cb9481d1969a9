// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import "slices"

// RetentionEvent is what a retention time is counted from.
type RetentionEvent string

// The events.
const (
	// FromMatterClosed: the document's matter was closed.
	FromMatterClosed RetentionEvent = "matterClosed"
	// FromLastMatterClosed: the last of the client's matters in the rule's service tasks was closed.
	FromLastMatterClosed RetentionEvent = "lastMatterClosed"
	// FromClientDeath: the client died.
	FromClientDeath RetentionEvent = "clientDeath"
	// FromClientBirth: the client was born.
	FromClientBirth RetentionEvent = "clientBirth"
	// FromStored: the document's current version was stored.
	FromStored RetentionEvent = "stored"
)

// WhenChildMatter is the condition of a rule for the matters of a child: some client of the matter was under 18 when
// it was opened, or is not known not to have been.
const WhenChildMatter = "childMatter"

// RetentionRule says how long something is kept. It is for document types, for service tasks, or for clients' basic
// data. A document whose type has rules goes by these alone, another by the rules of its service tasks. Of several
// rules that apply, the one that keeps it longest decides; what has no rule is kept for good.
type RetentionRule struct {
	// Code names the rule in metadata and in records of destruction.
	Code string `json:"code"`
	// DocumentTypes and ServiceTasks are codes of what it is for; BasicData tells that it is for basic data.
	DocumentTypes []string `json:"documentTypes,omitempty"`
	ServiceTasks  []string `json:"serviceTasks,omitempty"`
	BasicData     bool     `json:"basicData,omitempty"`
	// When is WhenChildMatter for a rule that applies to a child's matters only.
	When string `json:"when,omitempty"`
	// Years it is kept, counted From the event.
	Years int            `json:"years"`
	From  RetentionEvent `json:"from"`
}

// Retention gives all retention rules.
func (c *Catalog) Retention() []RetentionRule { return slices.Clone(c.retention) }

// RetentionOf gives the rules of a document type; none where its documents go by their service tasks.
func (c *Catalog) RetentionOf(documentType string) []RetentionRule {
	return c.rules(func(r *RetentionRule) bool { return slices.Contains(r.DocumentTypes, documentType) })
}

// RetentionIn gives the rules of a service task.
func (c *Catalog) RetentionIn(task string) []RetentionRule {
	return c.rules(func(r *RetentionRule) bool { return slices.Contains(r.ServiceTasks, task) })
}

// BasicDataRetention gives the rules of clients' basic data.
func (c *Catalog) BasicDataRetention() []RetentionRule {
	return c.rules(func(r *RetentionRule) bool { return r.BasicData })
}

func (c *Catalog) rules(wanted func(*RetentionRule) bool) (rules []RetentionRule) {
	for i := range c.retention {
		if wanted(&c.retention[i]) {
			rules = append(rules, c.retention[i])
		}
	}
	return rules
}
