// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package revocation ends every credential of a cluster, before the controllers that could do so are taken away.
//
// It writes what a person would write, and the controllers carry it out: each grant is suspended, which the archive
// honors at once, and each Organization is unbound from its namespaces, which takes the organizers' own credentials
// and lets no new grant arise. What has been ended carries a label, so that it can be found when it is wanted back.
// Finalizers, ledgers and Secrets are left to the controllers. Then it looks until every ledger is empty and the
// archive has taken that in.
package revocation
