// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package backup takes a backup of a store while it serves, and restores one. A backup is a directory with one
// SQLite file, whatever the engine of the store, and a manifest that says what is in it. A store of either engine
// can be restored from it.
//
// The key that identity codes are hashed with is not in a backup: with it, the hashes would name people. Keep it
// apart; a restored store serves with that key only.
package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/archive/store/transfer"
)

// ManifestName is the file in a backup's directory that says what is in it.
const ManifestName = "manifest.json"

// format is the form of a backup that this program writes and reads.
const format = 1

// ErrDamaged means that the backup is not what its manifest says.
var ErrDamaged = failure.New(failure.BackupDamaged, "the backup is damaged")

// Manifest says what is in a backup.
type Manifest struct {
	// Format is the form of the backup.
	Format int `json:"format"`
	// TakenAt is when it was begun: it holds what was committed before.
	TakenAt time.Time `json:"takenAt"`
	// File is the data file; Size is in bytes, SHA256 in hexadecimal.
	File   string `json:"file"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	// Store is the id of the store that was backed up; backups of former programs do not tell.
	Store string `json:"store,omitempty"`
	transfer.Report
}

// ReadManifest reads the manifest of the backup in a directory, without checking the data file.
func ReadManifest(dir string) (Manifest, error) {
	raw, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if err != nil {
		return Manifest{}, fmt.Errorf("reading the backup: %w", err)
	}
	var m Manifest
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return Manifest{}, fmt.Errorf("%w: %s: %w", ErrDamaged, ManifestName, err)
	}
	if m.Format != format {
		return Manifest{}, fmt.Errorf("the backup has format %d, and this program reads format %d", m.Format, format)
	}
	if m.File != filepath.Base(m.File) || m.File == "." || m.File == ".." {
		return Manifest{}, fmt.Errorf("%w: the manifest names a file outside it", ErrDamaged)
	}
	return m, nil
}

// Check holds the data file to the manifest.
func (m *Manifest) Check(dir string) error {
	size, sum, err := sumFile(filepath.Join(dir, m.File))
	if err != nil {
		return err
	}
	if size != m.Size || sum != m.SHA256 {
		return fmt.Errorf("%w: %s has other bytes than when it was taken", ErrDamaged, m.File)
	}
	return nil
}

// write makes the manifest durable.
func (m *Manifest) write(dir string) error {
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, ManifestName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(raw, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}

func sumFile(name string) (size int64, sum string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, "", fmt.Errorf("reading the backup: %w", err)
	}
	defer func() { _ = f.Close() }()
	hash := sha256.New()
	if size, err = io.Copy(hash, f); err != nil {
		return 0, "", fmt.Errorf("reading the backup: %w", err)
	}
	return size, hex.EncodeToString(hash.Sum(nil)), nil
}
