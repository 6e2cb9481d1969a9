// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package manager

import "github.com/go-logr/logr"

// mostVerbose is the highest verbosity at which client-go logs no body of a request or an answer. Above it, the
// Secrets that the manager reads and writes would be in the log.
const mostVerbose = 7

// withoutBodies caps the verbosity of a log, whatever a person asks for.
func withoutBodies(log logr.Logger) logr.Logger {
	if sink := log.GetSink(); sink != nil {
		return log.WithSink(cappedSink{sink})
	}
	return log
}

type cappedSink struct{ logr.LogSink }

func (s cappedSink) Enabled(level int) bool { return level <= mostVerbose && s.LogSink.Enabled(level) }

func (s cappedSink) WithValues(keysAndValues ...any) logr.LogSink {
	return cappedSink{s.LogSink.WithValues(keysAndValues...)}
}

func (s cappedSink) WithName(name string) logr.LogSink { return cappedSink{s.LogSink.WithName(name)} }

// WithCallDepth keeps the caller right where the inner sink tells it.
func (s cappedSink) WithCallDepth(depth int) logr.LogSink {
	if inner, ok := s.LogSink.(logr.CallDepthLogSink); ok {
		return cappedSink{inner.WithCallDepth(depth)}
	}
	return s
}
