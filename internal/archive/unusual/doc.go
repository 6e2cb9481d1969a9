// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package unusual finds, in the use log of one registry, what its organizer should look into: reads without later
// work, bursts of refusals, and many different clients by one professional in a day. What it lists is a reason to ask,
// not a finding of misuse. Pure functions over rows that come newest first, in one pass.
package unusual
