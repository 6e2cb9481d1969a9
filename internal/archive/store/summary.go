// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

// SummaryQuery asks what there is, in short, of one client.
type SummaryQuery struct {
	// Visible is the search that finds what the summary may tell of: of one client. Its page is not looked at.
	Visible SearchQuery
	// Sections are document types; the newest documents of each section are listed.
	Sections [][]string
	// Newest is how many of each, 1 to MaxPage.
	Newest int
}

// SummaryFacts are what the store knows for a summary, all of one moment.
type SummaryFacts struct {
	// NonDisclosure tells that the client is under a non-disclosure for personal safety.
	NonDisclosure bool
	// Matters are all that are open, the one opened last first. Who may see them is not looked at.
	Matters []Matter
	// Newest are the newest visible documents of each section, by FirstStored.
	Newest [][]Facts
	// Counts tell how many visible documents of each type there are, by type; Total is their sum.
	Counts []TypeCount
	Total  int
}

// TypeCount is a number of documents of one type.
type TypeCount struct {
	Type  string
	Count int
}

// Validate gives *InvalidError for the first field outside its bounds.
func (q *SummaryQuery) Validate() error {
	visible := q.Visible
	visible.Limit, visible.Cursor = 1, ""
	if visible.ClientID == [16]byte{} {
		return &InvalidError{Field: "Visible.ClientID", Problem: "is missing"}
	}
	return firstError(visible.Validate(), checkLimit(q.Newest))
}
