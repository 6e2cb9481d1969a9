// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package relationship

// MassLoss is from how many on a loss is taken for the API server's.
const MassLoss = massLoss

// Workers is how many documents are worked on at a time.
const Workers = workers
