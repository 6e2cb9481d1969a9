// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package destruction goes through an archive and destroys what is no longer to be kept: documents, each in a
// transaction of its own, then the clients of whom nothing is left, with their matters. It may be stopped anywhere and
// run again, and runs beside an archive that serves from the same store.
package destruction
