// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package card reads the certificate chain of a professional's card out of a JOSE header, leads it to a
// trust anchor, and tells which algorithms belong to the card's key. What a card signs for (an assertion, a
// document) is the business of other packages.
//
// RS256 is among the algorithms because the national professional cards hold RSA keys and most of their
// software signs by PKCS #1 v1.5 only. No configuration can weaken the list.
//
// Errors are fixed texts: they hold nothing of the token or the certificate.
package card
