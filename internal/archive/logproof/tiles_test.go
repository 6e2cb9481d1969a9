// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logproof

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/uuid"
	. "github.com/onsi/gomega"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

func entry(n int) Commitment { return sha256.Sum256(fmt.Append(nil, n)) }

func entries(from, to int) (all []Commitment) {
	for n := from; n < to; n++ {
		all = append(all, entry(n))
	}
	return all
}

// edgeOnly gives what a store would read before it adds to a tree of the size.
func (t Tiles) edgeOnly(size int64) Tiles {
	edge := Tiles{}
	for _, id := range Edge(size) {
		edge[id] = t[id][:id.width(size)*HashSize]
	}
	return edge
}

// oracle is a tree of the library's own making.
type oracle struct {
	stored []tlog.Hash
}

func (o *oracle) ReadHashes(indexes []int64) (found []tlog.Hash, err error) {
	for _, i := range indexes {
		found = append(found, o.stored[i])
	}
	return found, nil
}

func (o *oracle) add(t testing.TB, n int) {
	t.Helper()
	e := entry(n)
	more, err := tlog.StoredHashes(int64(n), e[:], o)
	if err != nil {
		t.Fatal(err)
	}
	o.stored = append(o.stored, more...)
}

// The tree is the library's, however it was cut into batches, and each batch needs the edge only.
func TestTheTreeIsTheOneOfTheLibrary(t *testing.T) {
	g := NewWithT(t)
	want, all, size := &oracle{}, Tiles{}, int64(0)
	for batch := 0; size < 70_000; batch++ {
		n := []int64{1, 255, 256, 3, 511, 20_000, 17}[batch%7]
		edge := all.edgeOnly(size)
		changed, err := edge.Append(size, entries(int(size), int(size+n)))
		g.Expect(err).NotTo(HaveOccurred())
		for _, id := range changed {
			g.Expect(edge[id]).To(HaveLen(id.width(size+n) * HashSize))
			all[id] = edge[id]
		}
		for i := size; i < size+n; i++ {
			want.add(t, int(i))
		}
		size += n
		root, err := tlog.TreeHash(size, want)
		g.Expect(err).NotTo(HaveOccurred())
		got, err := NewTree(all.edgeOnly(size)).Root(size)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(got).To(Equal(root), "of %d", size)
	}
	_, err := Tiles{}.Append(3, entries(3, 4))
	g.Expect(err).To(MatchError(ContainSubstring("has 0 bytes")))
}

func TestProofsHoldForWhatIsThereAndForNothingElse(t *testing.T) {
	all := Tiles{}
	if _, err := all.Append(0, entries(0, 1500)); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		size := int64(rapid.IntRange(1, 1500).Draw(t, "size"))
		former := int64(rapid.IntRange(0, int(size)).Draw(t, "former"))
		index := int64(rapid.IntRange(0, int(size)-1).Draw(t, "index"))
		tree := NewTree(all)
		of := func(size int64) tlog.Tree {
			root, err := tree.Root(size)
			if err != nil {
				t.Fatal(err)
			}
			return tlog.Tree{N: size, Hash: root}
		}
		inclusion, err := tree.Inclusion(size, index)
		if err != nil || CheckInclusion(inclusion, of(size), index, entry(int(index))) != nil {
			t.Fatal("an entry is not proven", err)
		}
		if CheckInclusion(inclusion, of(size), index, entry(int(index)+1)) == nil {
			t.Fatal("another entry is proven")
		}
		consistency, err := tree.Consistency(size, former)
		if err != nil || CheckConsistency(consistency, of(size), of(former)) != nil {
			t.Fatal("growth is not proven", err)
		}
		forked := of(former)
		forked.Hash[0] ^= 1
		if former > 0 && CheckConsistency(consistency, of(size), forked) == nil {
			t.Fatal("a fork is proven")
		}
		if former > 0 && former < size && CheckConsistency(consistency, of(former), of(size)) == nil {
			t.Fatal("shrinking is proven")
		}
	})
}

// fetcher serves a tree to the client of another project.
type fetcher struct {
	tiles      Tiles
	size       int64
	checkpoint []byte
}

func (f fetcher) ReadCheckpoint(context.Context) ([]byte, error) { return f.checkpoint, nil }

func (f fetcher) read(id TileID, partial uint8) ([]byte, error) {
	width := int(partial)
	if partial == 0 {
		width = Width
	}
	if id.width(f.size) < width {
		return nil, os.ErrNotExist
	}
	return f.tiles[id][:width*HashSize], nil
}

func (f fetcher) ReadTile(_ context.Context, level, index uint64, p uint8) ([]byte, error) {
	return f.read(TileID{int(level), int64(index)}, p)
}

func (f fetcher) ReadEntryBundle(_ context.Context, index uint64, p uint8) ([]byte, error) {
	tile, err := f.read(TileID{Entries, int64(index)}, p)
	return Bundle(tile), err
}

// The format is read by code that is not ours.
func TestTheClientAndFsckOfTesseraAcceptTheLog(t *testing.T) {
	for _, size := range []int64{1, 200, 256, 257, 1000, 70_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			g := NewWithT(t)
			tiles := Tiles{}
			_, err := tiles.Append(0, entries(0, int(size)))
			g.Expect(err).NotTo(HaveOccurred())
			root, err := NewTree(tiles).Root(size)
			g.Expect(err).NotTo(HaveOccurred())
			key := newKey(t)
			checkpoint, err := key.Sign("2026-03", tlog.Tree{N: size, Hash: root})
			g.Expect(err).NotTo(HaveOccurred())
			f := fetcher{tiles, size, checkpoint}
			verifier, err := note.NewVerifier(key.Verifier().MonthKey("2026-03"))
			g.Expect(err).NotTo(HaveOccurred())
			origin := key.Verifier().Origin("2026-03")

			hashed := func(raw []byte) (all [][]byte, err error) {
				var bundle api.EntryBundle
				if err := bundle.UnmarshalText(raw); err != nil {
					return nil, err
				}
				for _, one := range bundle.Entries {
					leaf := tlog.RecordHash(one)
					all = append(all, leaf[:])
				}
				return all, nil
			}
			g.Expect(fsck.New(origin, verifier, f, hashed, fsck.Opts{N: 2}).Check(t.Context())).To(Succeed())

			theirs, _, _, err := client.FetchCheckpoint(t.Context(), f.ReadCheckpoint, verifier, origin)
			g.Expect(err).NotTo(HaveOccurred())
			builder, err := client.NewProofBuilder(t.Context(), theirs.Size, f.ReadTile)
			g.Expect(err).NotTo(HaveOccurred())
			for _, index := range []int64{0, size / 2, size - 1} {
				path, err := builder.InclusionProof(t.Context(), uint64(index))
				g.Expect(err).NotTo(HaveOccurred())
				ours, err := NewTree(tiles).Inclusion(size, index)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(ours).To(HaveLen(len(path)))
				for i := range path {
					g.Expect(ours[i][:]).To(Equal(path[i]))
				}
			}
		})
	}
}

func newKey(t testing.TB) Key {
	t.Helper()
	text, err := NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParseKey(text, uuid.MustParse("5b0c6f0e-0f5c-4b1e-8f5a-000000000001"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestAPathIsWrittenInOneWay(t *testing.T) {
	g := NewWithT(t)
	for path, want := range map[string]TileID{
		"tile/0/000": {0, 0}, "tile/entries/x001/x234/067": {Entries, 1234067}, "tile/2/999": {2, 999}, "tile/0/x001/000": {0, 1000},
	} {
		id, width, err := ParsePath(path)
		g.Expect(err).NotTo(HaveOccurred(), path)
		g.Expect(id).To(Equal(want))
		g.Expect(width).To(Equal(Width))
		g.Expect(id.Path(Width)).To(Equal(path))
	}
	id, width, err := ParsePath("tile/1/x001/000.p/17")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(id).To(Equal(TileID{1, 1000}))
	g.Expect(width).To(Equal(17))
	for _, bad := range []string{
		"", "tile", "tile/0", "tile/0/", "tile/0/0", "tile/0/x000/000", "tile/00/000", "tile/-1/000", "tile/8/000", "tile/0/000.p/0",
		"tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000/", "/tile/0/000", "tile/0/000.p/1.p/1", "tile/0/+01",
		"tile/0/x001/x001/x001/x001/x001/x001/x001/x001/001", "tile/0/..", "tile/0/001/001",
	} {
		_, _, err := ParsePath(bad)
		g.Expect(err).To(HaveOccurred(), bad)
	}
}

func FuzzParsePath(f *testing.F) {
	f.Add("tile/0/x001/000.p/17")
	f.Add("tile/entries/000")
	f.Fuzz(func(t *testing.T, path string) {
		if id, width, err := ParsePath(path); err == nil && (id.Path(width) != path || id.Index < 0) {
			t.Fatalf("%q is %v", path, id)
		}
	})
}

func FuzzUnbundle(f *testing.F) {
	f.Add(Bundle(slices.Concat(make([]byte, 64))))
	f.Fuzz(func(t *testing.T, bundle []byte) {
		if tile, err := Unbundle(bundle); err == nil && string(Bundle(tile)) != string(bundle) {
			t.Fatalf("%x became %x", bundle, tile)
		}
	})
}
