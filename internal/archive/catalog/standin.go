// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"embed"
	"io/fs"
	"sync"
)

//go:embed standin/*
var standIn embed.FS

// StandInFiles are the files of the stand-in catalog, to start one's own from.
func StandInFiles() fs.FS {
	files, err := fs.Sub(standIn, "standin")
	if err != nil {
		panic("catalog: the stand-in's directory is built in: " + err.Error())
	}
	return files
}

// StandIn gives the catalog that is built in. It stands in for the national one; see the package comment.
func StandIn() *Catalog { return loadStandIn() }

var loadStandIn = sync.OnceValue(func() *Catalog {
	c, err := Load(StandInFiles())
	if err != nil {
		panic("catalog: the stand-in is tested: " + err.Error())
	}
	return c
})
