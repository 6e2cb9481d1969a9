// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package crashtest kills a process that writes documents and rows of the access log and makes them provable, over and
// over on the same data, and holds what is there afterwards to what the process had acknowledged. Tests run a few
// rounds, the benchmark hundreds.
//
// A program that runs rounds calls BeWriter first of all: the process that is killed is the program itself.
package crashtest
