// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logproof

import (
	"fmt"
	"strconv"
	"strings"
)

// Path gives where a tile is served below the prefix of its tree, with so many hashes of it.
func (id TileID) Path(width int) string {
	level := "entries"
	if id.Level != Entries {
		level = strconv.Itoa(id.Level)
	}
	n := fmt.Sprintf("%03d", id.Index%1000)
	for rest := id.Index / 1000; rest > 0; rest /= 1000 {
		n = fmt.Sprintf("x%03d/", rest%1000) + n
	}
	path := "tile/" + level + "/" + n
	if width < Width {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}

// ParsePath reads a path, in the one way that Path writes it.
func ParsePath(path string) (id TileID, width int, err error) {
	bad := fmt.Errorf("%q is no path of a tile", path)
	if len(path) > 64 {
		return TileID{}, 0, bad
	}
	rest, ok := strings.CutPrefix(path, "tile/")
	level, rest, cut := strings.Cut(rest, "/")
	if !ok || !cut {
		return TileID{}, 0, bad
	}
	if id.Level = Entries; level != "entries" {
		if id.Level, err = strconv.Atoi(level); err != nil || id.Level < 0 || id.Level > 7 {
			return TileID{}, 0, bad
		}
	}
	width = Width
	index, partial, cut := strings.Cut(rest, ".p/")
	if cut {
		if width, err = strconv.Atoi(partial); err != nil || width < 1 || width >= Width {
			return TileID{}, 0, bad
		}
	}
	for part := range strings.SplitSeq(index, "/") {
		n, err := strconv.ParseUint(strings.TrimPrefix(part, "x"), 10, 10)
		if err != nil || id.Index > 1<<44 {
			return TileID{}, 0, bad
		}
		id.Index = id.Index*1000 + int64(n)
	}
	if id.Path(width) != path {
		return TileID{}, 0, bad
	}
	return id, width, nil
}
