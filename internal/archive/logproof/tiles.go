// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logproof

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Width is how many hashes a full tile has.
const Width = 1 << height

// HashSize is the size of a hash, in bytes.
const HashSize = tlog.HashSize

const height = 8

// Entries is the level of the tiles that hold the entries themselves, below the level of their hashes.
const Entries = -1

// TileID names a tile of one tree: its level, and its place from the left in the level.
type TileID struct {
	Level int
	Index int64
}

// width is how many hashes of a level a tree of the size has in full.
func (id TileID) width(size int64) int {
	count := size
	if id.Level > 0 {
		count >>= height * id.Level
	}
	return int(max(0, min(count-id.Index*Width, Width)))
}

// TilesAt gives how many tiles a level of a tree of the size has, the last of them perhaps not full.
func TilesAt(level int, size int64) int64 {
	if level > 0 {
		size >>= height * level
	}
	return (size + Width - 1) / Width
}

// Bytes is how long the tile is in a tree of the size.
func (id TileID) Bytes(size int64) int { return id.width(size) * HashSize }

// Tiles are tiles of a tree, as many hashes of each as there are.
type Tiles map[TileID][]byte

// Edge names the tiles at the right edge of a tree that are not full: what has to be known to add to it.
func Edge(size int64) (ids []TileID) {
	if size%Width != 0 {
		ids = append(ids, TileID{Level: Entries, Index: size / Width})
	}
	for level, count := 0, size; count > 0; level, count = level+1, count/Width {
		if count%Width != 0 {
			ids = append(ids, TileID{Level: level, Index: count / Width})
		}
	}
	return ids
}

// Append adds entries to a tree of the size, of which the tiles hold at least the edge. The tiles then hold the edge
// of the larger tree as well; changed are the tiles that became longer.
func (t Tiles) Append(size int64, entries []Commitment) (changed []TileID, err error) {
	for _, id := range Edge(size) {
		if len(t[id]) != id.Bytes(size) {
			return nil, fmt.Errorf("tile %d/%d of a tree of %d has %d bytes", id.Level, id.Index, size, len(t[id]))
		}
	}
	seen := map[TileID]bool{}
	add := func(id TileID, hash []byte) {
		if !seen[id] {
			seen[id] = true
			changed = append(changed, id)
			t[id] = append(make([]byte, 0, Width*HashSize), t[id]...) // a copy: the former stays as it was
		}
		t[id] = append(t[id], hash...)
	}
	for _, entry := range entries {
		add(TileID{Level: Entries, Index: size / Width}, entry[:])
		hash := tlog.RecordHash(entry[:])
		for level, index := 0, size; ; level++ {
			id := TileID{Level: level, Index: index / Width}
			add(id, hash[:])
			if index++; index%Width != 0 {
				break
			}
			hash = root(t[id])
			index = id.Index
		}
		size++
	}
	return changed, nil
}

// root gives the hash over a full tile.
func root(tile []byte) tlog.Hash {
	level := make([]tlog.Hash, len(tile)/HashSize)
	for i := range level {
		copy(level[i][:], tile[i*HashSize:])
	}
	for ; len(level) > 1; level = level[:len(level)/2] {
		for i := range len(level) / 2 {
			level[i] = tlog.NodeHash(level[2*i], level[2*i+1])
		}
	}
	return level[0]
}

// Reader gives tiles of one tree, as many hashes of each as there are.
type Reader interface {
	ReadTile(id TileID) ([]byte, error)
}

// ReadTile implements Reader.
func (t Tiles) ReadTile(id TileID) ([]byte, error) {
	data, ok := t[id]
	if !ok {
		return nil, fmt.Errorf("there is no tile %d/%d", id.Level, id.Index)
	}
	return data, nil
}

// hashes reads hashes of a tree out of its tiles, each tile once.
type hashes struct {
	from Reader
	read Tiles
}

// ReadHashes implements tlog.HashReader.
func (h *hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		tile := tlog.TileForIndex(height, index)
		id := TileID{Level: tile.L, Index: tile.N}
		data, ok := h.read[id]
		if !ok {
			var err error
			if data, err = h.from.ReadTile(id); err != nil {
				return nil, err
			}
			h.read[id] = data
		}
		if len(data) < tile.W*HashSize {
			return nil, fmt.Errorf("tile %d/%d has %d bytes, and %d hashes are needed", id.Level, id.Index, len(data), tile.W)
		}
		var err error
		if found[i], err = tlog.HashFromTile(tile, data[:tile.W*HashSize], index); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Tree answers questions about a tree from its tiles, each of which it reads once.
type Tree struct{ hashes hashes }

// NewTree makes a tree on tiles.
func NewTree(from Reader) *Tree { return &Tree{hashes{from: from, read: Tiles{}}} }

// Root gives the root hash of the tree's first size entries.
func (t *Tree) Root(size int64) (tlog.Hash, error) { return tlog.TreeHash(size, &t.hashes) }

// Inclusion proves that the entry at the index is in the tree of the size.
func (t *Tree) Inclusion(size, index int64) (tlog.RecordProof, error) {
	return tlog.ProveRecord(size, index, &t.hashes)
}

// Consistency proves that the tree of the size begins with the tree of the former size, which is 0 (an empty proof) or
// more.
func (t *Tree) Consistency(size, former int64) (tlog.TreeProof, error) {
	if former == 0 || former == size {
		return tlog.TreeProof{}, nil
	}
	return tlog.ProveTree(size, former, &t.hashes)
}

// CheckInclusion says whether the proof shows the entry at the index in the tree.
func CheckInclusion(proof tlog.RecordProof, tree tlog.Tree, index int64, entry Commitment) error {
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry[:]))
}

// CheckConsistency says whether the proof shows that the tree begins with the former one.
func CheckConsistency(proof tlog.TreeProof, tree, former tlog.Tree) error {
	switch {
	case former.N == 0 && len(proof) == 0:
		return nil
	case former.N == 0 || former.N > tree.N:
		return fmt.Errorf("no proof leads from a tree of %d to one of %d", former.N, tree.N)
	case former.N == tree.N && (former.Hash != tree.Hash || len(proof) != 0):
		return fmt.Errorf("there are two trees of %d", tree.N)
	case former.N == tree.N:
		return nil
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, former.N, former.Hash)
}
