// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package testworld

import "fmt"

// bodies are short documents of the stand-in catalog, each with room for a text.
var bodies = map[string]string{
	"case-note": `{"occurredAt": "2026-11-02T09:00:00Z", "contact": "home-visit", "text": %q}`,
	"service-decision": `{"decisionNumber": "1/2026", "decidedOn": "2026-11-02",
  "decisions": [{"service": {"name": "Kotihoito"}, "outcome": "granted"}],
  "reasons": %q, "decidedBy": {"name": "Maija Mallinen", "title": "sosiaalityöntekijä"}}`,
	"matter": `{"subject": %q, "kind": "application", "openedAt": "2026-11-02T09:00:00Z", "state": "open"}`,
	"client-plan": `{"preparedOn": "2026-11-02", "situation": %q, "clientView": "Haluan asua kotona.",
  "goals": [{"goal": "Kotona asuminen"}], "clientAgrees": true}`,
}

// Body is a short structured document of a type, which says the text.
func Body(documentType, text string) []byte {
	return fmt.Appendf(nil, bodies[documentType], text)
}
