// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import "github.com/valtuus/valtuus/internal/access"

// operation is what a request is counted and logged as.
type operation uint8

// The operations: those that a decision is made on, and explaining a decision.
const (
	opUnknown operation = iota
	opRegisterClient
	opFindClient
	opStore
	opRead
	opSearch
	opExplain
)

// String is the operation's name in the use log, metrics and logs.
func (o operation) String() string {
	if o == opExplain {
		return "Explain"
	}
	return o.access().String()
}

// access is the operation as the decision knows it; zero for those it does not know.
func (o operation) access() access.Operation {
	switch o {
	case opRegisterClient:
		return access.RegisterClient
	case opFindClient:
		return access.FindClient
	case opStore:
		return access.Store
	case opRead:
		return access.Read
	case opSearch:
		return access.Search
	default:
		return 0
	}
}
