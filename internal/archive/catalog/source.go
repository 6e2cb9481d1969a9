// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/go-logr/logr"
)

// pollEvery is how often the directory is read without having been told of a change: some file systems
// tell of none, and none tells of a directory that was put in the place of the one watched.
var pollEvery = time.Minute

// settleTime is how long the directory has to be quiet before it is read.
const settleTime = 200 * time.Millisecond

// Source gives the newest good edition of a catalog.
type Source struct {
	// OnChange is called with each new edition, OnFailure with why one was not taken, both by Run.
	// They may be nil, and are set before Run.
	OnChange  func(edition string)
	OnFailure func(err error)

	current atomic.Pointer[Catalog]

	dir  string // empty when the catalog does not change
	log  logr.Logger
	poll time.Duration

	read, judged string // the digest of all files, as they were read last and as they were judged last

	mu        sync.Mutex
	loadedAt  time.Time
	lastError string
}

// NewSource makes a source of one catalog that does not change.
func NewSource(c *Catalog) *Source {
	s := &Source{loadedAt: time.Now()}
	s.current.Store(c)
	return s
}

// Open loads the catalog in a directory, which has to be good. Run keeps it up to date.
func Open(dir string, log logr.Logger) (*Source, error) {
	s := &Source{dir: dir, log: log, poll: pollEvery}
	files, err := readFiles(dir)
	if err != nil {
		return nil, err
	}
	c, err := loadFiles(files)
	if err != nil {
		return nil, fmt.Errorf("the catalog in %s: %w", dir, err)
	}
	s.judged, s.loadedAt = digest(files), time.Now()
	s.current.Store(c)
	return s, nil
}

// Current gives the newest good edition.
func (s *Source) Current() *Catalog { return s.current.Load() }

// Status tells the edition in use, when it was loaded, and why the newest one is not in use, if so.
func (s *Source) Status() (edition string, loadedAt time.Time, lastError string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.Load().Edition(), s.loadedAt, s.lastError
}

// Run takes each good edition that appears in the directory, until the context ends. A bad one is told
// of once and leaves the former in use.
func (s *Source) Run(ctx context.Context) error {
	if s.dir == "" {
		<-ctx.Done()
		return nil
	}
	changes, lost, stop, err := watch(s.dir)
	if err != nil {
		s.log.Error(err, "Changes of the catalog are seen by polling only", "every", s.poll.String())
	}
	defer stop()
	ticker := time.NewTicker(s.poll)
	defer ticker.Stop()
	settled := time.NewTimer(0) // something may have changed since Open
	defer settled.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
			settled.Reset(settleTime)
			continue
		case err := <-lost:
			s.log.Error(err, "Changes of the catalog may have been missed, so it is read again")
		case <-ticker.C:
		case <-settled.C:
		}
		if again := s.reload(); again {
			settled.Reset(settleTime)
		}
	}
}

// watch tells of changes in a directory, and when some may have been missed.
func watch(dir string) (changes <-chan fsnotify.Event, lost <-chan error, stop func(), err error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, nil, func() {}, err
	}
	stop = func() { _ = watcher.Close() }
	return watcher.Events, watcher.Errors, stop, watcher.Add(dir)
}

// reload judges what is in the directory, once it has been read the same twice: files may be half written.
func (s *Source) reload() (again bool) {
	files, err := readFiles(s.dir)
	seen := digest(files)
	if err != nil {
		seen = err.Error() // no digest is a text like this
	}
	former := s.read
	if s.read = seen; seen == s.judged {
		return false
	}
	if seen != former {
		return true
	}
	s.judged = seen
	s.judge(files, err)
	return false
}

func (s *Source) judge(files map[string][]byte, err error) {
	var c *Catalog
	if err == nil {
		c, err = loadFiles(files)
	}
	if err != nil {
		s.failed(err)
		return
	}
	s.mu.Lock()
	changed := c.Edition() != s.current.Load().Edition()
	s.lastError = ""
	if changed {
		s.current.Store(c)
		s.loadedAt = time.Now()
	}
	s.mu.Unlock()
	if !changed {
		return
	}
	s.log.Info("Took a new edition of the catalog", "edition", c.Edition())
	if s.OnChange != nil {
		s.OnChange(c.Edition())
	}
}

func (s *Source) failed(err error) {
	s.mu.Lock()
	s.lastError = err.Error()
	s.mu.Unlock()
	s.log.Error(err, "The new edition of the catalog is not taken; the former stays in use", "edition", s.Current().Edition())
	if s.OnFailure != nil {
		s.OnFailure(err)
	}
}

func loadFiles(files map[string][]byte) (*Catalog, error) {
	return load(func(name string) ([]byte, error) {
		raw, there := files[name]
		if !there {
			return nil, fs.ErrNotExist
		}
		return raw, nil
	})
}

// readFiles reads a catalog's files at one moment. A mounted ConfigMap is replaced as a whole by turning
// its link ..data elsewhere, so its files are read where the link leads, never through it one by one.
func readFiles(dir string) (map[string][]byte, error) {
	if target, err := os.Readlink(filepath.Join(dir, "..data")); err == nil {
		dir = filepath.Join(dir, target)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, entry := range entries {
		name := entry.Name()
		if !flatName.MatchString(name) || !strings.HasSuffix(name, ".json") && !strings.HasSuffix(name, ".yaml") {
			continue
		}
		raw, err := readFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		files[name] = raw
	}
	return files, nil
}

// readFile reads no more than shows that a file is too large.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return raw, errors.Join(err, f.Close())
}
