// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"runtime"
	"time"

	"github.com/valtuus/valtuus/internal/archive/assertion/testcard"
	"github.com/valtuus/valtuus/internal/archive/signature"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// signatureRow is how fast professionals' signatures are verified.
type signatureRow struct{}

func (signatureRow) name() string { return "signature" }
func (signatureRow) measures() string {
	return "all cores verify signatures over case notes of 10 kB by cards whose chains are remembered"
}
func (signatureRow) floor() string { return "the P-256 verification in it alone" }
func (signatureRow) goal() string  { return "at least 5,000/s" }

const signers = 100

func (signatureRow) run(ctx context.Context, b *bench) ([]figure, error) {
	now := time.Now()
	authority, err := testcard.New(now, time.Hour)
	if err != nil {
		return nil, err
	}
	body := newNotes(noteSize).note(0)
	digest := sha256.Sum256(body)
	type signed struct {
		jws  string
		key  *ecdsa.PublicKey
		bare []byte
	}
	all := make([]signed, signers)
	for i := range all {
		card, err := authority.Issue("1001", now.Add(-time.Minute), now.Add(time.Hour))
		if err != nil {
			return nil, err
		}
		one := &all[i]
		if one.jws, err = signature.Sign(body, store.ContentJSON, card.Key, card.Chain, now); err != nil {
			return nil, err
		}
		if one.bare, err = card.Key.Sign(rand.Reader, digest[:], nil); err != nil {
			return nil, err
		}
		one.key, _ = card.Key.Public().(*ecdsa.PublicKey)
	}
	verifier, opts := new(signature.Verifier), signature.Options{Anchors: authority.Anchors(), At: now}
	n := b.size(40_000, 4000)
	var bare, product tally
	for range 3 { // in turns
		took, err := each(ctx, runtime.GOMAXPROCS(0), n, func(_ context.Context, i int) error {
			if one := &all[i%signers]; !ecdsa.VerifyASN1(one.key, digest[:], one.bare) {
				return errors.New("a signature does not verify")
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		bare.add(n, took)
		took, err = each(ctx, runtime.GOMAXPROCS(0), n, func(_ context.Context, i int) error {
			_, err := verifier.Verify(all[i%signers].jws, body, store.ContentJSON, opts)
			return err
		})
		if err != nil {
			return nil, err
		}
		product.add(n, took)
	}
	f := figure{What: "signatures verified", Value: product.rate(), Unit: "/s"}.over(bare.rate())
	return []figure{f.want(f.Value >= 5000, "≥ 5,000/s").noted("by %d cards in turn, %d cores", signers, runtime.GOMAXPROCS(0))}, nil
}
