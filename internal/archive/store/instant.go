// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import "time"

// Instant gives t as every engine keeps it: UTC, whole microseconds, no monotonic reading.
func Instant(t time.Time) time.Time { return FromMicros(Micros(t)) }

// Micros gives t in microseconds since 1970 UTC, the form engines store.
func Micros(t time.Time) int64 { return t.UnixMicro() }

// FromMicros is the inverse of Micros, in UTC.
func FromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }
