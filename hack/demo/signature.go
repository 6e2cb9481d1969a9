// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/valtuus/valtuus/api/archiveclient"
)

// professional is who acts, with the card that everyone here holds.
func (p *play) professional() archiveclient.Card {
	return archiveclient.Card{ID: "1001", Role: "social-worker", Key: p.card.Key, Chain: p.card.Chain}
}

// verifyOffline verifies the signature over the note with a command that knows the stored bytes and the cards'
// authority only, and shows that it sees a changed byte.
func (p *play) verifyOffline(ctx context.Context) error {
	say("The organizer verifies the professional's signature without the archive")
	note, err := p.organizer.Read(ctx, p.note, archiveclient.ReadOptions{})
	if err != nil {
		return err
	}
	jws, err := p.organizer.Signature(ctx, p.note, note.Version, archiveclient.SignatureOptions{})
	if err != nil {
		return err
	}
	dir, err := p.files("signed", map[string][]byte{
		"note.json": note.JSON, "changed.json": bytes.Replace(note.JSON, []byte("a"), []byte("e"), 1),
		"note.jws": []byte(jws), "cards.pem": p.cards.AnchorsPEM(),
	})
	if err != nil {
		return err
	}
	verify := func(body string) (string, error) {
		out, err := exec.CommandContext(ctx, filepath.Join(p.dir, "valtuus"), "document", "verify", "--body", filepath.Join(dir, body),
			"--signature", filepath.Join(dir, "note.jws"), "--anchors", filepath.Join(dir, "cards.pem")).CombinedOutput()
		return string(bytes.ReplaceAll(bytes.TrimSpace(out), []byte("\n"), []byte("; "))), err
	}
	told, err := verify("note.json")
	if err != nil {
		return fmt.Errorf("the stored signature does not hold: %s: %w", told, err)
	}
	saw("%s", told)
	if told, err = verify("changed.json"); err == nil {
		return fmt.Errorf("a changed note passes for the signed one: %s", told)
	}
	saw("with one letter changed: %s", told)
	return nil
}
