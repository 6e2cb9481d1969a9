// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logaudit

import (
	"bytes"
	"context"
	"os"
	"path/filepath"

	"github.com/valtuus/valtuus/internal/archive/logproof"
)

// month checks one tree and the records of its leaves.
func (v *verifier) month(ctx context.Context, month logproof.Month) error {
	said, size, err := v.statements(month)
	if err != nil {
		return err
	}
	entries, err := v.tree(ctx, month, size, said)
	if err != nil {
		return err
	}
	v.report.Leaves += int64(len(entries))
	return v.records(ctx, month, entries)
}

// tree reads the entries that the newest checkpoint covers, grows the tree from them, and holds its tiles and all that
// is said of it to that.
func (v *verifier) tree(ctx context.Context, month logproof.Month, size int64, said []statement) ([]logproof.Commitment, error) {
	entries := make([]logproof.Commitment, 0, min(size, 1<<22))
	tiles := logproof.Tiles{}
	for index := range logproof.TilesAt(logproof.Entries, size) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if index%64 == 0 {
			v.opts.Progress("check the tree of "+string(month), index*logproof.Width, size)
		}
		id := logproof.TileID{Level: logproof.Entries, Index: index}
		bundle, err := v.readTile(month, id, size)
		var tile []byte
		if err == nil {
			tile, err = logproof.Unbundle(bundle)
		}
		if err != nil || len(tile) != id.Bytes(size) {
			v.report.find(string(month), index*logproof.Width, "the bundle of entries that holds it is missing or cut short: a checkpoint covers %d leaves", size)
			break
		}
		from := len(entries)
		for ; len(tile) > 0; tile = tile[logproof.HashSize:] {
			entries = append(entries, logproof.Commitment(tile[:logproof.HashSize]))
		}
		if said, err = v.grow(month, tiles, entries, int64(from), said); err != nil {
			return nil, err
		}
	}
	for id, hashes := range tiles {
		v.compare(month, id, hashes, int64(len(entries)))
	}
	for _, one := range said {
		switch {
		case one.Tree.N > size:
			v.report.find(string(month), -1, "%s covers %d leaves, and the newest checkpoint %d: the log was rolled back", one.where, one.Tree.N, size)
		case one.Tree.N > int64(len(entries)):
			v.report.find(string(month), -1, "%s covers %d leaves, and %d are there", one.where, one.Tree.N, len(entries))
		}
	}
	return entries, nil
}

// grow adds the entries from an index on to the tree, and holds it to what is said of the sizes on the way. It gives
// what is said of larger trees.
func (v *verifier) grow(month logproof.Month, tiles logproof.Tiles, entries []logproof.Commitment, from int64, said []statement) ([]statement, error) {
	for from < int64(len(entries)) {
		to := int64(len(entries))
		if len(said) > 0 {
			to = min(to, max(said[0].Tree.N, from))
		}
		changed, err := tiles.Append(from, entries[from:to])
		if err != nil {
			return nil, err
		}
		for _, id := range changed {
			if len(tiles[id]) == logproof.Width*logproof.HashSize {
				v.compare(month, id, tiles[id], to)
				delete(tiles, id)
			}
		}
		for from = to; len(said) > 0 && said[0].Tree.N <= from; said = said[1:] {
			if said[0].Tree.N == 0 {
				continue
			}
			root, err := logproof.NewTree(tiles).Root(from)
			if err != nil {
				return nil, err
			}
			if root != said[0].Tree.Hash {
				v.report.find(string(month), -1, "%s, of %d leaves, is of another tree: the log was rewritten or forked", said[0].where, from)
			}
		}
	}
	return said, nil
}

// compare holds a tile of the copy to the one that its entries make.
func (v *verifier) compare(month logproof.Month, id logproof.TileID, hashes []byte, size int64) {
	if id.Level == logproof.Entries {
		return // they are what was read
	}
	there, err := os.ReadFile(v.file(month, id, len(hashes)/logproof.HashSize))
	if err != nil || !bytes.Equal(there, hashes) {
		v.report.find(string(month), -1, "tile %d/%d is missing, cut short or not what its %d entries make", id.Level, id.Index, size)
	}
}

func (v *verifier) readTile(month logproof.Month, id logproof.TileID, size int64) ([]byte, error) {
	return os.ReadFile(v.file(month, id, id.Bytes(size)/logproof.HashSize))
}

func (v *verifier) file(month logproof.Month, id logproof.TileID, width int) string {
	return filepath.Join(v.dir, string(month), filepath.FromSlash(id.Path(width)))
}
