// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package signature_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/signature"
)

// BenchmarkVerify measures a signature over a document of 10 kB by a card whose chain is remembered, beside a
// new chain each time and beside the bare P-256 verification that is in it.
func BenchmarkVerify(b *testing.B) {
	f := newFixture()
	document := bytes.Repeat([]byte("0123456789"), 1024)
	jws := must(signature.Sign(document, contentType, f.card.Key, f.card.Chain, now))
	run := func(b *testing.B, verifier func() *signature.Verifier) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := verifier().Verify(jws, document, contentType, f.opts); err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "verifications/s")
	}
	v := new(signature.Verifier)
	b.Run("remembered", func(b *testing.B) { run(b, func() *signature.Verifier { return v }) })
	b.Run("new", func(b *testing.B) { run(b, func() *signature.Verifier { return new(signature.Verifier) }) })
	b.Run("bare P-256", func(b *testing.B) {
		digest := sha256.Sum256(document)
		value := ecdsaSigner(f.card.Key)(document)
		r, s := new(big.Int).SetBytes(value[:32]), new(big.Int).SetBytes(value[32:])
		public := f.card.Key.Public().(*ecdsa.PublicKey)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if !ecdsa.Verify(public, digest[:], r, s) {
					b.Error("not verified")
				}
			}
		})
	})
}
