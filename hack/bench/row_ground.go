// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// groundRow is what the machine can do without the product.
type groundRow struct{}

func (groundRow) name() string     { return "ground" }
func (groundRow) measures() string { return "what the machine does by itself; no product in it" }
func (groundRow) floor() string    { return "" }
func (groundRow) goal() string     { return "" }

func (groundRow) run(ctx context.Context, b *bench) ([]figure, error) {
	var out []figure
	syncs, err := syncLatency(b)
	if err != nil {
		return nil, err
	}
	out = append(out, figure{What: "write of 4 KiB and fdatasync, p50", Value: syncs.at(.5) * 1000, Unit: "µs"}.noted("p99 %s µs", number(syncs.at(.99)*1000)))
	signed, verified, err := signatures()
	if err != nil {
		return nil, err
	}
	out = append(out, figure{What: "P-256 signatures on one core", Value: signed, Unit: "/s"}, figure{What: "P-256 verifications on one core", Value: verified, Unit: "/s"})
	creates, patches, err := apiWrites(ctx, b)
	if err != nil {
		return nil, err
	}
	return append(out, figure{What: "bare creates of a relationship, 32 workers", Value: creates, Unit: "/s"},
		figure{What: "bare patches of a relationship, 32 workers", Value: patches, Unit: "/s"}), nil
}

func syncLatency(b *bench) (*samples, error) {
	f, err := os.CreateTemp(b.dir, "sync")
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	out, page := &samples{}, make([]byte, 4096)
	for range b.size(1000, 100) {
		if _, err := f.Write(page); err != nil {
			return nil, err
		}
		begun := time.Now()
		if err := dataSync(f); err != nil {
			return nil, err
		}
		out.add(time.Since(begun))
	}
	return out, nil
}

func signatures() (signed, verified float64, err error) {
	const n = 3000
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return 0, 0, err
	}
	digest := sha256.Sum256([]byte("bench"))
	var signature []byte
	begun := time.Now()
	for range n {
		if signature, err = ecdsa.SignASN1(rand.Reader, key, digest[:]); err != nil {
			return 0, 0, err
		}
	}
	signed = n / time.Since(begun).Seconds()
	begun = time.Now()
	for range n {
		ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature)
	}
	return signed, n / time.Since(begun).Seconds(), nil
}

func apiWrites(ctx context.Context, b *bench) (creates, patches float64, err error) {
	c, err := b.newCluster(ctx, 1)
	if err != nil {
		return 0, 0, err
	}
	defer c.stop()
	c.stopManager()
	all := c.relationships(b.size(3000, 300))
	took, err := each(ctx, writers, len(all), func(ctx context.Context, i int) error { return c.Create(ctx, all[i]) })
	if err != nil {
		return 0, 0, err
	}
	creates = float64(len(all)) / took.Seconds()
	patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"bench":"patched"}}}`))
	took, err = each(ctx, writers, len(all), func(ctx context.Context, i int) error { return c.Patch(ctx, all[i], patch) })
	return creates, float64(len(all)) / took.Seconds(), err
}
