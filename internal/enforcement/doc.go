// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package enforcement says whether every live replica of an archive has applied
// the revision that ended some access: the ground of the RevocationEnforced condition.
//
// Each replica owns a Lease in its archive's namespace that carries, per kind, the
// revision that its view has reached. An ending at revision r counts as enforced when
// every replica has acknowledged r, or, for a replica whose lease has run out, when
// the staleness bound for producers has passed since the ending was seen: by then its
// view either holds r or has grown so old that it refuses. A replica registers its
// Lease before it loads its view, so one that is not in the list yet will load r. One
// that has given no sign of life for SilenceLimit and the bound is forgotten.
package enforcement
