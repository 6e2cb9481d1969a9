// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

// ManifestFile is the file of a catalog that names all its others.
const ManifestFile = "catalog.yaml"

// manifest is the form of ManifestFile.
type manifest struct {
	// Description says what the catalog is, for people.
	Description       string         `json:"description"`
	ServiceTasks      []Code         `json:"serviceTasks"`
	CorrectionReasons []Code         `json:"correctionReasons"`
	AnnulmentReasons  []Code         `json:"annulmentReasons"`
	DocumentTypes     []manifestType `json:"documentTypes"`
	Roles             []*Role        `json:"roles"`
	// Retention says how long what is kept; what no rule is for is kept for good.
	Retention []RetentionRule `json:"retention"`
}

type manifestType struct {
	Code         string                `json:"code"`
	Names        Names                 `json:"names"`
	Operation    string                `json:"operation"`
	Sector       string                `json:"sector"`
	Formats      []string              `json:"formats"`
	Schemas      []manifestSchema      `json:"schemas"`
	Relationship *manifestRelationship `json:"relationship"`
	// NonDisclosure tells what is masked in a document under a non-disclosure; left out, nothing is known.
	NonDisclosure *manifestNonDisclosure `json:"nonDisclosure"`
	// Summary is the section of a client's summary that lists the newest documents; empty for none.
	Summary string `json:"summary"`
}

// manifestNonDisclosure has JSON Pointers in which * stands for each item or member. An empty list, unlike none, says
// that the JSON never holds address or contact data.
type manifestNonDisclosure struct {
	JSON *[]string `json:"json"`
}

type manifestSchema struct {
	Version string `json:"version"`
	Period
	File string `json:"file"`
	// Template is the file of the documents that the archive makes by this schema.
	Template string `json:"template"`
}

// manifestRelationship has JSON Pointers into the documents.
type manifestRelationship struct {
	ProducerUnit string `json:"producerUnit"`
	Start        string `json:"start"`
	End          string `json:"end"`
	Procurement  string `json:"procurement"`
	// ProcurementCodes gives the API's word for each code of the schema; without it, the words are the codes.
	ProcurementCodes map[string]string `json:"procurementCodes"`
}
