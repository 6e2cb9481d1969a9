// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package witness follows logs for somebody who does not trust their operators: it cosigns a checkpoint only if the
// log's tree begins with the one that it cosigned before, and never two trees of one size. The protocol is that of
// https://c2sp.org/tlog-witness, the cosignature that of https://c2sp.org/tlog-cosignature.
package witness
