// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access

// Operation is what a caller wants to do in a registry.
type Operation uint8

// The operations. The zero value is none of them and is always refused.
const (
	// FindClient turns an identity code into a client id.
	FindClient Operation = iota + 1
	// RegisterClient enters a new client under an identity code.
	RegisterClient
	// Search finds documents of one client.
	Search
	// Read returns one document.
	Read
	// Store takes in a new document.
	Store
	// NewVersion takes in a new version of a document.
	NewVersion
	// Annul marks a document as annulled.
	Annul
	// Correct corrects a document on the registry controller's behalf.
	Correct
	// ManageMatter opens, changes and closes matters.
	ManageMatter
	// ManageRelationship makes, changes and ends service relationships.
	ManageRelationship
	// Summary tells in short what there is of one client.
	Summary
	// Supervise reads and reports the use log of a registry.
	Supervise
	operationEnd
)

// Extent is how far a register access grant reaches.
type Extent uint8

// The extents. The zero value allows nothing.
const (
	// Basic lets a unit read within its service tasks, store, and make new versions of its own unit's documents.
	Basic Extent = iota + 1
	// Extended adds matters, relationships, correction and annulment, within the agreement.
	Extended
)

// allowance is one line of the operation table.
type allowance struct {
	name      string
	organizer bool
	// unit is the least extent that lets a producer unit do it; 0 means that no unit may.
	unit Extent
	// document tells that the operation is about a stored document.
	document bool
	// ownUnitOnly tells that Basic reaches only documents that the caller's own unit stored.
	ownUnitOnly bool
	// brings tells that the operation brings a document in, which must name a covered service task.
	brings bool
}

// allowances is the operation table of design section 6.
var allowances = [operationEnd]allowance{
	FindClient:         {name: "FindClient", organizer: true, unit: Basic},
	RegisterClient:     {name: "RegisterClient", organizer: true},
	Search:             {name: "Search", organizer: true, unit: Basic},
	Read:               {name: "Read", organizer: true, unit: Basic, document: true},
	Store:              {name: "Store", organizer: true, unit: Basic, brings: true},
	NewVersion:         {name: "NewVersion", organizer: true, unit: Basic, document: true, ownUnitOnly: true},
	Annul:              {name: "Annul", organizer: true, unit: Extended, document: true},
	Correct:            {name: "Correct", organizer: true, unit: Extended, document: true},
	ManageMatter:       {name: "ManageMatter", organizer: true, unit: Extended},
	ManageRelationship: {name: "ManageRelationship", organizer: true, unit: Extended},
	Summary:            {name: "Summary", organizer: true, unit: Basic},
	Supervise:          {name: "Supervise", organizer: true},
}

// String is the operation's name, as the use log writes it.
func (o Operation) String() string {
	if o == 0 || o >= operationEnd {
		return "Unknown"
	}
	return allowances[o].name
}

// allowance looks the operation up; an unknown operation gets the empty line, which allows nothing.
func (o Operation) allowance() allowance {
	if o >= operationEnd {
		return allowance{}
	}
	return allowances[o]
}
