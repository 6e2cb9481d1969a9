// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logproof

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// keyName is the name of a log's key in its file. The store's id and the month make the name that signs.
const keyName = "valtuus.io/log"

// LogName names the log of a store, by which verifiers know it.
func LogName(storeID uuid.UUID) string { return keyName + "/" + storeID.String() }

// Key signs the checkpoints of the log of one store.
type Key struct {
	name    string
	private ed25519.PrivateKey
}

var errKey = errors.New("not the signer key of a log: PRIVATE+KEY+…, as 'valtuus log key --new' writes it")

// NewKey makes the text of a key file.
func NewKey(random io.Reader) (string, error) {
	text, _, err := note.GenerateKey(random, keyName)
	return text + "\n", err
}

// ParseKey reads the text of a key file, for the log of the store.
func ParseKey(text string, storeID uuid.UUID) (Key, error) {
	text = strings.TrimSpace(text)
	if _, err := note.NewSigner(text); err != nil {
		return Key{}, errKey
	}
	// PRIVATE+KEY+name+hash+key, where the key is an algorithm's byte and a seed.
	raw, err := base64.StdEncoding.DecodeString(strings.SplitN(text, "+", 5)[4])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return Key{}, errKey
	}
	return Key{name: LogName(storeID), private: ed25519.NewKeyFromSeed(raw[1:])}, nil
}

// Verifier gives the verifier of the key.
func (k Key) Verifier() Verifier {
	return Verifier{name: k.name, public: k.private.Public().(ed25519.PublicKey)}
}

// String hides the key.
func (k Key) String() string { return "[key of " + k.name + "]" }

// GoString hides the key from %#v as well.
func (k Key) GoString() string { return k.String() }

// signer signs for one tree under the tree's name.
type signer struct {
	note.Verifier
	private ed25519.PrivateKey
}

func (s signer) Sign(message []byte) ([]byte, error) { return ed25519.Sign(s.private, message), nil }

// Sign gives the signed note over a tree of the log.
func (k Key) Sign(month Month, tree tlog.Tree) ([]byte, error) {
	verifier, err := k.Verifier().month(month)
	if err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: checkpointText(k.Verifier().Origin(month), tree)}, signer{verifier, k.private})
}

// Verifier knows the checkpoints of one log by one verifier key, whatever the month.
type Verifier struct {
	name   string
	public ed25519.PublicKey
}

// ParseVerifier reads a log's verifier key, as 'valtuus log key' prints it.
func ParseVerifier(text string) (Verifier, error) {
	v, err := note.NewVerifier(text)
	if err != nil {
		return Verifier{}, fmt.Errorf("this is no verifier key of a log: %w", err)
	}
	// name+hash+key, where the key is an algorithm's byte and a public key.
	raw, err := base64.StdEncoding.DecodeString(strings.SplitN(text, "+", 3)[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize {
		return Verifier{}, errors.New("this is no verifier key of a log")
	}
	return Verifier{name: v.Name(), public: raw[1:]}, nil
}

// Name names the log.
func (v Verifier) Name() string { return v.name }

// String gives the verifier key.
func (v Verifier) String() string {
	text, err := note.NewEd25519VerifierKey(v.name, v.public)
	if err != nil {
		return ""
	}
	return text
}

// MonthKey gives the verifier key of one month's tree, for programs that follow trees of the C2SP formats one by one.
func (v Verifier) MonthKey(month Month) string {
	return Verifier{name: v.Origin(month), public: v.public}.String()
}

// Origin names the tree of a month.
func (v Verifier) Origin(month Month) string { return v.name + "/" + string(month) }

// MonthOf gives the month whose tree an origin names, if it is one of this log's.
func (v Verifier) MonthOf(origin string) (Month, bool) {
	text, ok := strings.CutPrefix(origin, v.name+"/")
	if !ok {
		return "", false
	}
	month, err := ParseMonth(text)
	return month, err == nil
}

func (v Verifier) month(month Month) (note.Verifier, error) {
	return note.NewVerifier(v.MonthKey(month))
}
