// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Report is what is told of a failure.
type Report struct {
	Reason Reason `json:"reason"`
	// Message is one line for people, in English, without any secret.
	Message string `json:"message"`
}

// longest is how many bytes a message may have: Kubernetes keeps 4,096 of a termination message.
const longest = 1500

var (
	// userinfo is what a URI says of a user before the host. The errors of this product quote no URI; a library's might.
	userinfo = regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]*(?:/[^\s@]*)?@`)
	// password is one in the other form that PostgreSQL's clients read.
	password = regexp.MustCompile(`(?i)\b(password\s*=\s*)('[^']*'|\S+)`)
	spaces   = regexp.MustCompile(`\s*[\r\n]+\s*`)
)

// Tell says what failed.
func Tell(err error) Report {
	text := spaces.ReplaceAllString(strings.TrimSpace(err.Error()), "; ")
	text = userinfo.ReplaceAllString(text, "${1}…@")
	text = password.ReplaceAllString(text, "${1}…")
	for len(text) > longest {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return Report{Reason: Of(err), Message: text}
}

// String is the report on one line.
func (r Report) String() string { return string(r.Reason) + ": " + r.Message }

// Write puts the report into a file as one line of JSON. No file is named: nothing is done.
func (r Report) Write(file string) error {
	if file == "" {
		return nil
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("tell the failure: %w", err)
	}
	return nil
}
