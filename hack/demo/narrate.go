// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/valtuus/valtuus/api/archiveclient"
)

func heading(text string) {
	fmt.Printf("\n%s\n%s\n", text, strings.Repeat("─", len([]rune(text))))
}

func say(format string, args ...any) { fmt.Printf("  • "+format+"\n", args...) }

func saw(format string, args ...any) { fmt.Printf("      → "+format+"\n", args...) }

// refusedFor expects a refusal with the reason, and tells it in the words that the caller got.
func refusedFor(reason string, err error) error {
	var problem *archiveclient.Problem
	if err == nil {
		return fmt.Errorf("expected the refusal %s, got an answer", reason)
	}
	if !errors.As(err, &problem) {
		return fmt.Errorf("expected the refusal %s: %w", reason, err)
	}
	if problem.Reason != reason {
		return fmt.Errorf("expected the refusal %s, got %w", reason, problem)
	}
	saw("%d %s: %s", problem.Status, problem.Reason, problem.Detail)
	return nil
}
