// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// Two annotations say the name: the second is containerd's, and holds the whole of it.
const (
	refAnnotation  = "org.opencontainers.image.ref.name"
	nameAnnotation = "io.containerd.image.name"
)

// write puts the image into an archive in the OCI layout, and returns its digest.
func write(image v1.Image, called, out string) (digest string, err error) {
	tag, err := name.NewTag(called, name.StrictValidation)
	if err != nil {
		return "", fmt.Errorf("the image's name: %w", err)
	}
	hash, err := image.Digest()
	if err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(filepath.Dir(out), ".image-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	dir := filepath.Join(work, "layout")
	index, err := layout.Write(dir, empty.Index)
	if err != nil {
		return "", err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return "", err
	}
	err = index.AppendImage(image,
		layout.WithAnnotations(map[string]string{refAnnotation: tag.TagStr(), nameAnnotation: tag.Name()}),
		layout.WithPlatform(v1.Platform{OS: config.OS, Architecture: config.Architecture}))
	if err != nil {
		return "", err
	}
	archive := filepath.Join(work, "archive.tar")
	if err := pack(dir, archive); err != nil {
		return "", err
	}
	return hash.String(), os.Rename(archive, out)
}

// pack writes the files of a directory, in the order of their names and with no time or owner.
func pack(dir, out string) (err error) {
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := tar.NewWriter(file)
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		header := &tar.Header{Name: filepath.ToSlash(rel), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
		if entry.IsDir() {
			header.Typeflag, header.Mode, header.Name = tar.TypeDir, 0o755, header.Name+"/"
			return w.WriteHeader(header)
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		header.Typeflag, header.Mode, header.Size = tar.TypeReg, 0o644, info.Size()
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		return appendFile(w, path)
	})
	if err != nil {
		return err
	}
	return w.Close()
}

func appendFile(w io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	_, err = io.Copy(w, file)
	return err
}
