// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pki makes and reads the certificates of an archive: the built-in certificate
// authority, client certificates for producer units and organizers, and the archive's own
// server certificate. Standard library cryptography only; every key is ECDSA P-256.
//
// A certificate made here opens nothing by itself: the archive accepts a client certificate
// only while its [Fingerprint] is in the ledger of a ready grant. So there is no revocation
// list, and a stolen CA key alone gives no access.
package pki
