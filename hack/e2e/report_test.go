// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// report is what was measured, in the order in which it was.
type report struct {
	mutex sync.Mutex
	facts []fact
}

type fact struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
	Unit  string `json:"unit,omitempty"`
	Note  string `json:"note,omitempty"`
}

func newReport() *report { return &report{facts: []fact{}} }

func (r *report) say(name string, value any, unit, note string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.facts = append(r.facts, fact{name, value, unit, note})
	fmt.Println("e2e:", fact{name, value, unit, note})
}

func (f fact) String() string {
	text := fmt.Sprintf("%s: %v", f.Name, f.Value)
	if number, ok := f.Value.(float64); ok {
		text = fmt.Sprintf("%s: %.1f", f.Name, number)
	}
	if f.Unit != "" {
		text += " " + f.Unit
	}
	if f.Note != "" {
		text += " (" + f.Note + ")"
	}
	return text
}

// write writes dist/e2e.json, and tells all of it once more.
func (r *report) write(root string) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	fmt.Println("\nWhat was measured:")
	for _, f := range r.facts {
		fmt.Println(" ", f)
	}
	raw, err := json.MarshalIndent(r.facts, "", "  ")
	if err != nil {
		return err
	}
	file := filepath.Join(root, "dist", "e2e.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(raw, '\n'), 0o644)
}
