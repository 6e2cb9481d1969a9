// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// content is what an image is made of: nothing here tells when or where it was made.
type content struct {
	Binary           string
	User             string
	OS, Architecture string
	Labels           map[string]string
}

// build makes the image: one layer with one file, owned by root and writable by nobody.
func build(what content) (v1.Image, error) {
	if what.Binary == "" {
		return nil, errors.New("no binary is named")
	}
	if what.Architecture == "" {
		what.Architecture = runtime.GOARCH
	}
	path := "/" + filepath.Base(what.Binary)
	files, err := oneFile(what.Binary, path)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(files)), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.AppendLayers(image, layer)
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(image, configured(image, what, path))
}

// configured is the configuration of the image; its layers' digests are kept.
func configured(image v1.Image, what content, path string) *v1.ConfigFile {
	file, err := image.ConfigFile()
	if err != nil { // it was made in memory a moment ago
		panic(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = what.OS, what.Architecture
	file.Created = v1.Time{Time: time.Unix(0, 0).UTC()}
	file.History = []v1.History{{Created: file.Created, CreatedBy: "hack/images", Comment: path}}
	file.Config = v1.Config{User: what.User, Entrypoint: []string{path}, WorkingDir: "/", Labels: what.Labels}
	return file
}

// oneFile is a tar archive with the binary alone.
func oneFile(binary, path string) ([]byte, error) {
	data, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	header := &tar.Header{Name: path[1:], Typeflag: tar.TypeReg, Mode: 0o555, Size: int64(len(data)), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
	if err := w.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return archive.Bytes(), nil
}
