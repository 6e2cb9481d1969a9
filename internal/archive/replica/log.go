// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/logserver"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
	"github.com/valtuus/valtuus/internal/archive/witness"
)

// logKeyFile holds the key of the log in the data directory. Back it up with the store: without it nothing more of the
// log is signed.
const logKeyFile = "log.key"

// ErrOtherLogKey says that the log was signed by another key than the one that was given.
var ErrOtherLogKey = failure.New(failure.KeyMismatch, "the log of this store was signed by another key: give the archive that one, alone or behind the new one")

// LogKeyFileIn gives where an archive keeps the key of its log unless told otherwise.
func LogKeyFileIn(dataDir string) string { return filepath.Join(dataDir, logKeyFile) }

// logKey reads the key, or makes one for a log that has signed nothing yet. It must have signed the newest checkpoint, or
// be in one file with the key that has.
func (s *Storage) logKey(ctx context.Context, of *sqlstore.Store) (logproof.Key, error) {
	last, err := sequencer.Newest(ctx, of)
	if err != nil {
		return logproof.Key{}, fmt.Errorf("read the log: %w", err)
	}
	file := s.LogKeyFile
	if file == "" {
		file = LogKeyFileIn(s.DataDir)
	}
	text, err := os.ReadFile(file)
	switch {
	case err == nil:
	case s.LogKeyFile != "" || !errors.Is(err, fs.ErrNotExist):
		return logproof.Key{}, failure.As(failure.KeyMissing, fmt.Errorf("read the key of the log: %w", err))
	case last != nil:
		return logproof.Key{}, failure.As(failure.KeyMissing, fmt.Errorf(
			"%s is missing, and the log was signed by it: bring it back from where you keep the keys ('valtuus log replace-key' is for a key that is lost)", file))
	default:
		if text, err = newLogKey(file); err != nil {
			return logproof.Key{}, fmt.Errorf("make the key of the log: %w", err)
		}
	}
	id, err := of.ID(ctx)
	if err != nil {
		return logproof.Key{}, err
	}
	key, err := logproof.ParseKey(string(text), id)
	if err != nil {
		return logproof.Key{}, failure.As(failure.KeyInvalid, fmt.Errorf("%s: %w", file, err))
	}
	if last != nil {
		if _, err := key.Verifier().Open(last.Note); err != nil {
			return logproof.Key{}, fmt.Errorf("%w (%w)", ErrOtherLogKey, err)
		}
	}
	return key, nil
}

func newLogKey(file string) ([]byte, error) {
	text, err := logproof.NewKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return []byte(text), writeNew(file, []byte(text))
}

// MakeLogKey writes a key into a new file.
func MakeLogKey(file string) error {
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("%s is there already", file)
	}
	_, err := newLogKey(file)
	return err
}

// RotateLogKey writes a new key before those in the file: all of them sign until the former ones are taken out.
func RotateLogKey(file string) error {
	former, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the key of the log: %w", err)
	}
	text, err := logproof.AddKey(rand.Reader, string(former))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return writeNew(file, []byte(text))
}

// runLog makes the log provable in the background, and serves it if it is to be served.
func runLog(live *lives, group *errgroup.Group, config Config, of *opened, registry prometheus.Registerer, certificate func() (*tls.Certificate, error)) (*sequencer.Sequencer, error) {
	metrics, err := sequencer.NewMetrics(registry)
	if err != nil {
		return nil, err
	}
	var witnesses []sequencer.Witness
	for _, one := range config.LogWitnesses {
		asked, err := witness.NewClient(one, &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true})
		if err != nil {
			return nil, failure.As(failure.WitnessInvalid, err)
		}
		witnesses = append(witnesses, asked)
	}
	if err := sequencer.TellOfKeys(live.work, of.Store, of.logKey, config.Clock.Now()); err != nil {
		return nil, fmt.Errorf("tell in the log of its new key: %w", err)
	}
	log := config.Log.WithName("log")
	holder := ""
	if config.Storage.PostgresURI != "" { // an embedded store is this replica's alone
		holder = config.Name
	}
	gives := sequencer.New(sequencer.Options{
		Store: of.Store, Key: of.logKey, Holder: holder, Witnesses: witnesses, Clock: config.Clock, Metrics: metrics, Log: log,
	})
	group.Go(func() error { return gives.Run(live.work) })
	if config.LogListener != nil {
		group.Go(func() error {
			return logserver.Serve(live.serve, config.LogListener, logserver.Options{
				Store: of.Store, Verifier: of.logKey.Verifier(), Certificate: certificate, Log: log,
			})
		})
	}
	return gives, nil
}
