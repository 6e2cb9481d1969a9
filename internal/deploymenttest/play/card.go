// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package play

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/valtuus/valtuus/api/archiveclient"
)

// ReadCard reads a professional's card from a directory, as its Secret holds it: tls.crt and tls.key. The professional's
// identifier is the card's.
func ReadCard(dir string) (archiveclient.Card, error) {
	chain, err := os.ReadFile(filepath.Join(dir, "tls.crt"))
	if err != nil {
		return archiveclient.Card{}, err
	}
	key, err := os.ReadFile(filepath.Join(dir, "tls.key"))
	if err != nil {
		return archiveclient.Card{}, err
	}
	card, err := archiveclient.ReadCard("", "social-worker", chain, key)
	if err != nil {
		return card, fmt.Errorf("%s: %w", dir, err)
	}
	if card.ID = card.Chain[0].Subject.SerialNumber; card.ID == "" {
		return card, fmt.Errorf("%s: the card names no professional", dir)
	}
	return card, nil
}
