// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package wire is what the end-to-end suite and the client systems in its pods say to each other.
package wire

import (
	"time"

	"github.com/google/uuid"
)

// Port is where a client system takes orders.
const Port = 8080

// What a client system can be told to do.
const (
	Register = "register" // Code
	Find     = "find"     // Code
	Store    = "store"    // Client, Type, Task
	Relate   = "relate"   // Client, Unit, Task, Start, End; Document and Seen for a new version
	Read     = "read"     // Document
	Search   = "search"   // Client
	Dial     = "dial"     // Address
	Identity = "identity" // the certificate in use

	StartLoad = "start-load" // Name, Rate, Patient, Work
	MarkLoad  = "mark-load"  // Name: from now on, until the next mark, is what the report calls marked
	TellLoad  = "tell-load"  // Name, Within
	StopLoad  = "stop-load"  // Name
	CheckLoad = "check-load" // Name: reads every document that was acknowledged
)

// Order is one thing to do.
type Order struct {
	Do string `json:"do"`

	Code     string    `json:"code,omitempty"`
	Client   uuid.UUID `json:"client,omitzero"`
	Document uuid.UUID `json:"document,omitzero"`
	Seen     int       `json:"seen,omitempty"`
	Type     string    `json:"type,omitempty"`
	Task     string    `json:"task,omitempty"`
	Unit     string    `json:"unit,omitempty"`
	Start    time.Time `json:"start,omitzero"`
	End      time.Time `json:"end,omitzero"`
	Address  string    `json:"address,omitempty"`

	// Name is that of a load, Rate its requests per second.
	Name string `json:"name,omitempty"`
	Rate int    `json:"rate,omitempty"`
	// Patient says that a request is repeated as the client library does; without it, it is sent once.
	Patient bool `json:"patient,omitempty"`
	// Work is what the load does, taking turns.
	Work []Order `json:"work,omitempty"`
	// Within is how long after the mark the marked requests were sent; all since the mark when zero.
	Within time.Duration `json:"within,omitempty"`
}

// Outcomes beside the reasons of refusals.
const (
	// Allowed says that the request was not refused.
	Allowed = "allowed"
	// Unavailable says that the archive could not decide, and told so.
	Unavailable = "unavailable"
	// NoAnswer says that there was none.
	NoAnswer = "no answer"
)

// Answer is how it went.
type Answer struct {
	// Outcome is the reason of a refusal, or one of the constants.
	Outcome string `json:"outcome"`
	// Refused tells that the archive refused, in so many words.
	Refused bool `json:"refused,omitempty"`
	// Detail is what the archive told people.
	Detail string `json:"detail,omitempty"`

	Client   uuid.UUID `json:"client,omitzero"`
	Document uuid.UUID `json:"document,omitzero"`
	Version  int       `json:"version,omitempty"`
	Total    int       `json:"total,omitempty"`
	// Fingerprint is that of the client certificate, as ledgers write it.
	Fingerprint string `json:"fingerprint,omitempty"`

	Load *Load `json:"load,omitempty"`
}

// Load is how a load has gone.
type Load struct {
	All    Tally `json:"all"`
	Marked Tally `json:"marked"`
	// Stored is how many documents the archive acknowledged, Lost how many of them CheckLoad did not find.
	Stored int `json:"stored"`
	Lost   int `json:"lost"`
	// Errors are the first few things that stood in the way of an answer or were refused.
	Errors []string `json:"errors,omitempty"`
}

// Tally counts requests that have been answered or given up, by when they were sent.
type Tally struct {
	Requests int            `json:"requests"`
	Seconds  float64        `json:"seconds"`
	Outcomes map[string]int `json:"outcomes"`
	// Median, P99 and Longest are how long requests took, in milliseconds, repeats included.
	Median  float64 `json:"medianMilliseconds"`
	P99     float64 `json:"p99Milliseconds"`
	Longest float64 `json:"longestMilliseconds"`
}

// Not is how many requests ended otherwise than with the outcome.
func (t Tally) Not(outcome string) int { return t.Requests - t.Outcomes[outcome] }
