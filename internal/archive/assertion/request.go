// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package assertion

// Header is the request header that carries the assertion.
const Header = "Professional-Assertion"

// AudienceOf is the audience of an assertion for a registry, given the registry's OID.
func AudienceOf(registryOID string) string { return "urn:oid:" + registryOID }
