// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"log"
	"strings"

	"github.com/go-logr/logr"
)

// ConnectionLog takes what net/http says of connections, such as failed handshakes. It says nothing of
// requests, and is told at a higher verbosity because anyone who can connect can cause it.
func ConnectionLog(to logr.Logger) *log.Logger { return log.New(logWriter{to}, "", 0) }

type logWriter struct{ to logr.Logger }

// Write logs one line.
func (w logWriter) Write(line []byte) (int, error) {
	w.to.V(1).Info("connection", "message", strings.TrimSpace(string(line)))
	return len(line), nil
}
