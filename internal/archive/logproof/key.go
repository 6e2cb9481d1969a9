// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logproof

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// keyName is the name of a log's key in its file. The store's id and the month make the name that signs.
const keyName = "valtuus.io/log"

// LogName names the log of a store, by which verifiers know it.
func LogName(storeID uuid.UUID) string { return keyName + "/" + storeID.String() }

// maxKeys is how many keys sign together at most: each signs every checkpoint.
const maxKeys = 4

// Key signs the checkpoints of the log of one store. While a key takes the place of another, both of them sign: who
// knows either one verifies. The first is the one to hand out.
type Key struct {
	name    string
	private []ed25519.PrivateKey
}

var errKey = errors.New("not the signer key of a log: PRIVATE+KEY+…, as 'valtuus log key --new' writes it, one a line")

// NewKey makes the text of a key file.
func NewKey(random io.Reader) (string, error) {
	text, _, err := note.GenerateKey(random, keyName)
	return text + "\n", err
}

// AddKey makes the text of a key file with a new key before those of a former file.
func AddKey(random io.Reader, former string) (string, error) {
	there, err := ParseKey(former, uuid.Nil)
	if err != nil {
		return "", err
	}
	if len(there.private) == maxKeys {
		return "", fmt.Errorf("%d keys sign already: take those away whose time is over", maxKeys)
	}
	text, err := NewKey(random)
	return text + former, err
}

// ParseKey reads the text of a key file, for the log of the store: one key a line, the newest first. Empty lines and
// those that begin with # do not count.
func ParseKey(text string, storeID uuid.UUID) (Key, error) {
	k := Key{name: LogName(storeID)}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		private, err := parseSigner(line)
		if err != nil {
			return Key{}, err
		}
		if slices.ContainsFunc(k.private, func(other ed25519.PrivateKey) bool { return private.Equal(other) }) {
			return Key{}, errors.New("a key of the log is there twice")
		}
		k.private = append(k.private, private)
	}
	if len(k.private) == 0 || len(k.private) > maxKeys {
		return Key{}, errKey
	}
	return k, nil
}

func parseSigner(line string) (ed25519.PrivateKey, error) {
	if _, err := note.NewSigner(line); err != nil {
		return nil, errKey
	}
	// PRIVATE+KEY+name+hash+key, where the key is an algorithm's byte and a seed.
	raw, err := base64.StdEncoding.DecodeString(strings.SplitN(line, "+", 5)[4])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, errKey
	}
	return ed25519.NewKeyFromSeed(raw[1:]), nil
}

// Verifier gives the verifier of what any of the keys has signed.
func (k Key) Verifier() Verifier {
	v := Verifier{name: k.name}
	for _, private := range k.private {
		v.public = append(v.public, private.Public().(ed25519.PublicKey))
	}
	return v
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

// Sign gives the note over a tree of the log that all keys have signed.
func (k Key) Sign(month Month, tree tlog.Tree) ([]byte, error) {
	verifiers, err := k.Verifier().month(month)
	if err != nil {
		return nil, err
	}
	var signers []note.Signer
	for i, verifier := range verifiers {
		signers = append(signers, signer{verifier, k.private[i]})
	}
	return note.Sign(&note.Note{Text: checkpointText(k.Verifier().Origin(month), tree)}, signers...)
}

// Verifier knows the checkpoints of one log, whatever the month, by one verifier key or by any of several.
type Verifier struct {
	name   string
	public []ed25519.PublicKey
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
	return Verifier{name: v.Name(), public: []ed25519.PublicKey{raw[1:]}}, nil
}

// Or gives a verifier that knows the log by the other's keys as well. It must be of the same log.
func (v Verifier) Or(other Verifier) (Verifier, error) {
	if v.name != other.name {
		return Verifier{}, fmt.Errorf("%s and %s are two logs", v.name, other.name)
	}
	both := Verifier{name: v.name, public: slices.Clone(v.public)}
	for _, public := range other.public {
		if !both.knows(public) {
			both.public = append(both.public, public)
		}
	}
	return both, nil
}

func (v Verifier) knows(public ed25519.PublicKey) bool {
	return slices.ContainsFunc(v.public, func(one ed25519.PublicKey) bool { return one.Equal(public) })
}

// Name names the log.
func (v Verifier) Name() string { return v.name }

// String gives the verifier key, the first if there are several.
func (v Verifier) String() string {
	if len(v.public) == 0 {
		return ""
	}
	text, err := note.NewEd25519VerifierKey(v.name, v.public[0])
	if err != nil {
		return ""
	}
	return text
}

// Keys gives all verifier keys.
func (v Verifier) Keys() (all []string) {
	for _, public := range v.public {
		all = append(all, Verifier{v.name, []ed25519.PublicKey{public}}.String())
	}
	return all
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

// month gives the verifiers of one month's tree, in the order of the keys.
func (v Verifier) month(month Month) (all []note.Verifier, err error) {
	for _, text := range (Verifier{v.Origin(month), v.public}).Keys() {
		one, err := note.NewVerifier(text)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}
