// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package problem writes refusals and errors as application/problem+json (RFC 9457), in Finnish,
// Swedish or English. What is refused by a decision has its reason and texts from internal/access;
// what goes wrong besides has them here.
package problem

import (
	"encoding/json"
	"time"

	"github.com/valtuus/valtuus/internal/access"
)

// ContentType is the media type of a problem.
const ContentType = "application/problem+json"

// Source is what a problem can tell of: a Kind or an access.Reason.
type Source interface {
	// Code is the stable name, in kebab case.
	Code() string
	// Status is the HTTP status.
	Status() int
	// Type is the stable URI.
	Type() string
	// Text is what a person is told.
	Text(lang access.Lang) access.Text
}

var (
	_ Source = Kind(0)
	_ Source = access.Reason(0)
)

// Problem is one problem with what is known of it. Zero members are left out.
type Problem struct {
	// Source tells which problem it is.
	Source Source
	// Parameter names the parameter of the path or the query, Field the field of the body.
	Parameter, Field string
	// Violations tell what a schema does not allow.
	Violations []Violation
	// Hint narrows it down, in English, for the developer of a client system. Never a value.
	Hint string
	// Prerequisite is the eligibility reason of a grant that is not ready.
	Prerequisite string
	// StartsAt and EndedAt are when the missing right begins or ended.
	StartsAt, EndedAt time.Time
}

// Violation is one place where a document breaks its schema. It holds nothing of the document but names that
// the schema knows.
type Violation struct {
	// Pointer is a JSON Pointer into the document.
	Pointer string `json:"pointer"`
	// Rule is the keyword of the schema.
	Rule string `json:"rule"`
	// Detail tells in English what the schema asks for.
	Detail string `json:"detail"`
}

// Of makes a problem with nothing but its source.
func Of(source Source) *Problem { return &Problem{Source: source} }

// OfDecision makes the problem that tells of a refusing decision.
func OfDecision(d access.Decision) *Problem {
	return &Problem{Source: d.Reason, Prerequisite: d.Detail, StartsAt: d.StartsAt, EndedAt: d.EndedAt}
}

// body is the wire form.
type body struct {
	Type         string      `json:"type"`
	Title        string      `json:"title"`
	Status       int         `json:"status"`
	Detail       string      `json:"detail"`
	Reason       string      `json:"reason"`
	RequestID    string      `json:"requestId"`
	Parameter    string      `json:"parameter,omitempty"`
	Field        string      `json:"field,omitempty"`
	Hint         string      `json:"hint,omitempty"`
	Errors       []Violation `json:"errors,omitempty"`
	Prerequisite string      `json:"prerequisite,omitempty"`
	StartsAt     *time.Time  `json:"startsAt,omitempty"`
	EndedAt      *time.Time  `json:"endedAt,omitempty"`
}

// Body gives the bytes of the answer.
func (p *Problem) Body(lang access.Lang, requestID string) []byte {
	text := p.Source.Text(lang)
	raw, err := json.Marshal(body{
		Type: p.Source.Type(), Title: text.Title, Status: p.Source.Status(), Detail: text.Detail,
		Reason: p.Source.Code(), RequestID: requestID,
		Parameter: p.Parameter, Field: p.Field, Hint: p.Hint, Errors: p.Violations, Prerequisite: p.Prerequisite,
		StartsAt: moment(p.StartsAt), EndedAt: moment(p.EndedAt),
	})
	if err != nil {
		// Only a time outside the years 0 to 9999 cannot be written.
		return []byte(`{"type":"about:blank"}`)
	}
	return append(raw, '\n')
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
