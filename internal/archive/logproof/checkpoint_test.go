// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logproof

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func TestACheckpointIsOfOneLogAndOneKey(t *testing.T) {
	g := NewWithT(t)
	key := newKey(t)
	tree := tlog.Tree{N: 7, Hash: tlog.Hash(entry(7))}
	text, err := key.Sign("2026-03", tree)
	g.Expect(err).NotTo(HaveOccurred())
	verifier, err := ParseVerifier(key.Verifier().String())
	g.Expect(err).NotTo(HaveOccurred())
	opened, err := verifier.Open(text)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(opened.Tree).To(Equal(tree))
	g.Expect(opened.Month).To(Equal(Month("2026-03")))
	g.Expect(opened.Origin).To(Equal("valtuus.io/log/5b0c6f0e-0f5c-4b1e-8f5a-000000000001/2026-03"))
	g.Expect(opened.Cosignatures).To(BeEmpty())

	other := newKey(t).Verifier()
	_, err = other.Open(text)
	g.Expect(err).To(MatchError(ErrSignature), "another key")
	other.name = LogName(uuid.New())
	_, err = other.Open(text)
	g.Expect(err).To(MatchError(ErrOrigin), "another store")

	for name, bad := range map[string]string{
		"nothing":        "",
		"another size":   strings.Replace(string(text), "\n7\n", "\n8\n", 1),
		"a leading zero": strings.Replace(string(text), "\n7\n", "\n07\n", 1),
		"another month":  strings.Replace(string(text), "/2026-03\n", "/2026-04\n", 1),
		"no signature":   strings.SplitAfter(string(text), "\n\n")[0],
		"a line more":    strings.Replace(string(text), "\n\n", "\nx\n\n", 1),
		"too long":       string(text) + strings.Repeat("x", maxNote),
	} {
		_, err := verifier.Open([]byte(bad))
		g.Expect(err).To(HaveOccurred(), name)
	}
	_, err = key.Verifier().Open([]byte("valtuus.io/log/5b0c6f0e-0f5c-4b1e-8f5a-000000000001/2026-13\n" + string(text)[60:]))
	g.Expect(err).To(HaveOccurred())
}

func TestCosignaturesOfTheWitnessesAskedForAreTold(t *testing.T) {
	g := NewWithT(t)
	key := newKey(t)
	text, err := key.Sign("2026-03", tlog.Tree{N: 7, Hash: tlog.Hash(entry(7))})
	g.Expect(err).NotTo(HaveOccurred())
	skey, vkey, err := note.GenerateKey(rand.Reader, "witness.example/w1")
	g.Expect(err).NotTo(HaveOccurred())
	signer, err := cosign.NewSignerForCosignatureV1(skey)
	g.Expect(err).NotTo(HaveOccurred())
	witness, err := cosign.NewVerifierForCosignatureV1(vkey)
	g.Expect(err).NotTo(HaveOccurred())
	n, err := note.Open(text, note.VerifierList(must(key.Verifier().month("2026-03"))...))
	g.Expect(err).NotTo(HaveOccurred())
	cosigned, err := note.Sign(n, signer)
	g.Expect(err).NotTo(HaveOccurred())

	opened, err := key.Verifier().Open(cosigned, witness)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(opened.Cosignatures).To(HaveLen(1))
	opened, err = key.Verifier().Open(cosigned)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(opened.Cosignatures).To(BeEmpty(), "nobody asked for it")
	lines := strings.SplitAfter(string(cosigned), "\n")
	onlyWitness := strings.Join(lines[:4], "") + lines[5]
	_, err = key.Verifier().Open([]byte(onlyWitness), witness)
	g.Expect(err).To(MatchError(ErrSignature), "a witness does not speak for the log")
}

func TestAKeyIsHiddenAndRead(t *testing.T) {
	g := NewWithT(t)
	text, err := NewKey(rand.Reader)
	g.Expect(err).NotTo(HaveOccurred())
	key, err := ParseKey(text, uuid.New())
	g.Expect(err).NotTo(HaveOccurred())
	secret := strings.TrimSpace(text)[len(strings.TrimSpace(text))-44:]
	g.Expect(fmt.Sprintf("%v %+v %#v %s", key, key, key, key)).NotTo(ContainSubstring(secret))
	for _, bad := range []string{"", "PRIVATE+KEY", strings.Repeat("x", 32), strings.TrimSpace(text) + "A", text[1:]} {
		_, err := ParseKey(bad, uuid.New())
		g.Expect(err).To(MatchError(errKey), bad)
	}
	for _, bad := range []string{"", "name", key.Verifier().String() + "A", text} {
		_, err := ParseVerifier(bad)
		g.Expect(err).To(HaveOccurred(), bad)
	}
}

// While a key takes the place of another, who knows either one verifies; a stranger's line does not matter.
func TestTwoKeysSignTogether(t *testing.T) {
	g := NewWithT(t)
	id := uuid.New()
	old := must(NewKey(rand.Reader))
	both := must(AddKey(rand.Reader, "# from 2026 on\n\n"+old))
	formerKey, key := must(ParseKey(old, id)), must(ParseKey(both, id))
	fresh := must(ParseKey(strings.SplitAfter(both, "\n")[0], id))
	g.Expect(key.Verifier().Keys()).To(Equal([]string{fresh.Verifier().String(), formerKey.Verifier().String()}))
	g.Expect(key.Verifier().String()).To(Equal(fresh.Verifier().String()), "the new one is handed out")
	text := must(key.Sign("2026-03", tlog.Tree{N: 7, Hash: tlog.Hash(entry(7))}))
	for _, one := range []Key{formerKey, fresh, key} {
		opened, err := one.Verifier().Open(text)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(opened.Signers).To(ConsistOf(one.Verifier().Keys()))
		g.Expect(opened.SignedBy(one.Verifier())).To(BeTrue())
	}
	alone := must(formerKey.Sign("2026-03", tlog.Tree{N: 7, Hash: tlog.Hash(entry(7))}))
	opened, err := key.Verifier().Open(alone)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(opened.SignedBy(key.Verifier())).To(BeFalse())
	_, err = fresh.Verifier().Open(alone)
	g.Expect(err).To(MatchError(ErrSignature))
	_, err = key.Verifier().Or(must(ParseKey(old, uuid.New())).Verifier())
	g.Expect(err).To(HaveOccurred(), "two logs")
	g.Expect(must(fresh.Verifier().Or(formerKey.Verifier())).Keys()).To(Equal(key.Verifier().Keys()))

	g.Expect(func() error { _, err := ParseKey(old+old, id); return err }()).To(MatchError(ContainSubstring("twice")))
	for range 2 {
		both = must(AddKey(rand.Reader, both))
	}
	_, err = AddKey(rand.Reader, both)
	g.Expect(err).To(HaveOccurred(), "there is an end to it")
}

// What was signed over a tree stays signed when others sign it.
func TestSignaturesOverOneTreeAreMerged(t *testing.T) {
	g := NewWithT(t)
	id := uuid.New()
	one, other := must(ParseKey(must(NewKey(rand.Reader)), id)), must(ParseKey(must(NewKey(rand.Reader)), id))
	at := func(key Key, size int64) []byte {
		return must(key.Sign("2026-03", tlog.Tree{N: size, Hash: tlog.Hash(entry(7))}))
	}
	merged := Merge(at(one, 7), at(other, 7))
	for _, key := range []Key{one, other} {
		_, err := key.Verifier().Open(merged)
		g.Expect(err).NotTo(HaveOccurred())
	}
	g.Expect(Merge(merged, merged)).To(Equal(merged), "nobody signs twice")
	g.Expect(Merge(at(one, 7), at(other, 8))).To(Equal(at(one, 7)), "another tree")
	g.Expect(Merge(at(one, 7), append(at(one, 7), "\u2014 x\nx\n"...))).To(Equal(at(one, 7)), "what is no signature")
	g.Expect(len(Merge(at(one, 7), append(at(one, 7), ("\u2014 x "+strings.Repeat("AAAA", maxNote)+"\n")...)))).To(BeNumerically("<=", maxNote))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func FuzzOpen(f *testing.F) {
	key := newKey(f)
	text, err := key.Sign("2026-03", tlog.Tree{N: 7, Hash: tlog.Hash(entry(7))})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, other []byte) {
		opened, err := key.Verifier().Open(other)
		if err == nil && (opened.Tree.N != 7 || opened.Tree.Hash != tlog.Hash(entry(7))) {
			t.Fatal("signed what the key did not")
		}
	})
}
