// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package summary is the summary of a client's data (asiakastiedon kooste): what there is of the client, in short, as
// JSON for systems and XHTML for people. What a caller may be told is decided before; nothing here looks anything up.
package summary

import (
	"time"

	"github.com/google/uuid"
)

// Newest is how many documents each of the lists of decisions and plans has at most.
const Newest = 10

// Summary is what a caller is told of a client. The lists are empty, not nil, where there is nothing.
type Summary struct {
	Client    uuid.UUID `json:"client"`
	Registry  string    `json:"registry"`
	Organizer string    `json:"organizer"`
	MadeAt    time.Time `json:"madeAt"`
	// NonDisclosure tells that the client is under a non-disclosure for personal safety (turvakielto).
	NonDisclosure bool `json:"nonDisclosure"`
	// Matters are the open ones, Relationships the live ones.
	Matters       []Matter       `json:"matters"`
	Relationships []Relationship `json:"relationships"`
	// Decisions and Plans are the newest, newest first.
	Decisions []Document `json:"decisions"`
	Plans     []Document `json:"plans"`
	// Counts are of all documents that the caller may see, by type; Total is their sum.
	Counts []Count `json:"counts"`
	Total  int     `json:"total"`
}

// Matter is an open matter.
type Matter struct {
	ID           string    `json:"id"`
	ServiceTasks []string  `json:"serviceTasks"`
	OpenedAt     time.Time `json:"openedAt"`
}

// Relationship is a live service relationship.
type Relationship struct {
	// Unit is the OID of the producer unit.
	Unit         string     `json:"unit"`
	ServiceTasks []string   `json:"serviceTasks"`
	Start        time.Time  `json:"start"`
	End          *time.Time `json:"end,omitempty"`
}

// Document is a document by its current version.
type Document struct {
	ID           uuid.UUID `json:"id"`
	Type         string    `json:"type"`
	Version      int       `json:"version"`
	Created      time.Time `json:"created"`
	FirstStored  time.Time `json:"firstStored"`
	ServiceTasks []string  `json:"serviceTasks"`
	Matter       string    `json:"matter,omitempty"`
	// Organization and Unit are the author's; Unit is empty for the organizer's own.
	Organization string `json:"organization"`
	Unit         string `json:"unit,omitempty"`
	// Masked tells that the caller gets the document masked.
	Masked bool `json:"masked,omitempty"`
}

// Count is the number of documents of one type.
type Count struct {
	Type  string `json:"type"`
	Count int    `json:"count"`
}
