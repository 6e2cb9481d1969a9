// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package logreport makes the report that a client gets who asks who has used the data about him or her (Client Data
// Act 703/2023, section 11): who, when, what and on what ground, over all producer units, with refusals, and with a
// word on what is withheld. Pure functions over rows of the use log.
package logreport
