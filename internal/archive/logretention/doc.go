// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package logretention destroys the use log once its retention time is over: whole months, in UTC, of which the
// youngest row is as old as that. What it destroys is recorded, and the log itself tells of it.
package logretention
