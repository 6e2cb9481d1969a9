// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/access"
)

// TestEveryReasonIsDocumented holds docs/decision.md to the reasons as they are.
func TestEveryReasonIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/decision.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range access.Reasons() {
		row := fmt.Sprintf("| `%s` | %d | %s |", reason.Code(), reason.Status(), reason.Text(access.English).Title)
		if !strings.Contains(string(text), row) {
			t.Errorf("docs/decision.md lacks the row %s", row)
		}
	}
}
