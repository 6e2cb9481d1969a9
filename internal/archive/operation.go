// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import "github.com/valtuus/valtuus/internal/access"

// operation is what a request is counted and logged as.
type operation uint8

// The operations. Those from opReadClient on have no decision of their own name.
const (
	opUnknown operation = iota
	opRegisterClient
	opFindClient
	opStore
	opRead
	opSearch
	opNewVersion
	opCorrect
	opAnnul
	opSummary
	opReadClient
	opUpdateClient
	opSetIdentity
	opReadMetadata
	opListVersions
	opReadSignature
	opExplain
	opExtractLog
	opOpenMatter
	opCloseMatter
	opReopenMatter
	opReadMatter
	opSearchMatters
	opRelationshipHistory
	opRelationshipReview
	opSearchLog
	opUnusualUse
	opReportLog
	opWithholdLog
	opLiftWithholding
	opListWithheld
)

var operations = [...]struct {
	// name is the name where the decision has another.
	name   string
	access access.Operation
}{
	opUnknown:        {},
	opRegisterClient: {access: access.RegisterClient},
	opFindClient:     {access: access.FindClient},
	opStore:          {access: access.Store},
	opRead:           {access: access.Read},
	opSearch:         {access: access.Search},
	opNewVersion:     {access: access.NewVersion},
	opCorrect:        {access: access.Correct},
	opAnnul:          {access: access.Annul},
	opSummary:        {access: access.Summary},
	opReadClient:     {"ReadClient", access.FindClient},
	opUpdateClient:   {"UpdateClient", access.RegisterClient},
	opSetIdentity:    {"ReplaceIdentity", access.RegisterClient},
	opReadMetadata:   {"ReadMetadata", access.Read},
	opListVersions:   {"ListVersions", access.Read},
	opReadSignature:  {"ReadSignature", access.Read},
	opExplain:        {name: "Explain"},
	opExtractLog:     {"ExtractLog", access.Supervise},
	opOpenMatter:     {"OpenMatter", access.ManageMatter},
	opCloseMatter:    {"CloseMatter", access.ManageMatter},
	opReopenMatter:   {"ReopenMatter", access.ManageMatter},
	opReadMatter:     {"ReadMatter", access.Read},
	opSearchMatters:  {"SearchMatters", access.Search},
	// The user right to manage relationships is asked for.
	opRelationshipHistory: {"RelationshipHistory", access.ManageRelationship},
	opRelationshipReview:  {"RelationshipReview", access.ManageRelationship},
	// All of the log is one right.
	opSearchLog:       {"SearchLog", access.Supervise},
	opUnusualUse:      {"UnusualUse", access.Supervise},
	opReportLog:       {"ReportLog", access.Supervise},
	opWithholdLog:     {"WithholdLog", access.Supervise},
	opLiftWithholding: {"LiftWithholding", access.Supervise},
	opListWithheld:    {"ListWithheld", access.Supervise},
}

// String is the operation's name in the use log, metrics and logs.
func (o operation) String() string {
	if name := operations[o].name; name != "" {
		return name
	}
	return o.access().String()
}

// access is the operation as the decision knows it; zero for those it does not know.
func (o operation) access() access.Operation { return operations[o].access }

// operationsByName are the decision's operations.
var operationsByName = func() map[string]access.Operation {
	names := map[string]access.Operation{}
	for op := access.FindClient; op <= access.Summary; op++ {
		names[op.String()] = op
	}
	return names
}()

func operationNamed(name string) (access.Operation, bool) {
	op, known := operationsByName[name]
	return op, known
}
