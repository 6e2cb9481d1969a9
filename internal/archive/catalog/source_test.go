// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"

	"github.com/valtuus/valtuus/internal/archive/catalog"
)

// second is another edition of the small catalog.
var second = small.replace("catalog.yaml", "code: t1", "code: other")

// broken is an edition that is not taken.
var broken = small.with("note.schema.json", "{")

// patience is how long a test waits for what has to come.
const patience = 2 * time.Minute

// write puts each file in its place as a whole. A source would be right to tell of one that stays half written for as long
// as a busy machine may take over it.
func (f files) write(t *testing.T, dir string) {
	t.Helper()
	for name, text := range f {
		place := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(place+".part", []byte(text), 0o600), os.Rename(place+".part", place)); err != nil {
			t.Fatal(err)
		}
	}
}

// mount puts the files where a ConfigMap has them: in a directory of their own, to which a link leads.
func (f files) mount(t *testing.T, dir, edition string) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	former, _ := os.Readlink(filepath.Join(dir, "..data"))
	must(os.Mkdir(filepath.Join(dir, edition), 0o700))
	f.write(t, filepath.Join(dir, edition))
	must(os.Symlink(edition, filepath.Join(dir, "..data_tmp")))
	must(os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	if former == "" {
		for name := range f {
			must(os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)))
		}
		return
	}
	must(os.RemoveAll(filepath.Join(dir, former)))
}

// running is a source that is kept up to date, with what it tells.
type running struct {
	*catalog.Source
	mu       sync.Mutex
	changes  []string
	failures []error
}

func run(t *testing.T, dir string) *running {
	t.Helper()
	source, err := catalog.Open(dir, testr.New(t))
	if err != nil {
		t.Fatal(err)
	}
	r := &running{Source: source}
	source.OnChange = func(edition string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.changes = append(r.changes, edition)
	}
	source.OnFailure = func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.failures = append(r.failures, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- source.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *running) told() (changes, failures int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.changes), len(r.failures)
}

// await waits until the source has told of that many changes and failures, and gives its status.
func (r *running) await(t *testing.T, changes, failures int) (edition, lastError string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		c, f := r.told()
		if c == changes && f == failures {
			edition, loadedAt, lastError := r.Status()
			if loadedAt.IsZero() || edition != r.Current().Edition() {
				t.Errorf("status: %s, %s", edition, loadedAt)
			}
			return edition, lastError
		}
		if time.Now().After(deadline) {
			t.Fatalf("told of %d changes and %d failures, want %d and %d", c, f, changes, failures)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestSourceTakesNewEditions(t *testing.T) {
	dir := t.TempDir()
	small.write(t, dir)
	r := run(t, dir)
	if !r.Current().ServiceTask("t1", noon) {
		t.Fatal("has not the first edition")
	}
	second.write(t, dir)
	edition, failure := r.await(t, 1, 0)
	if edition != second.load(t).Edition() || failure != "" || !r.Current().ServiceTask("other", noon) || r.Current().ServiceTask("t1", noon) {
		t.Errorf("got %s, %q", edition, failure)
	}
}

func TestSourceFollowsAConfigMap(t *testing.T) {
	dir := t.TempDir()
	small.mount(t, dir, "..2026_01")
	r := run(t, dir)
	second.mount(t, dir, "..2026_02")
	if edition, _ := r.await(t, 1, 0); edition != second.load(t).Edition() {
		t.Errorf("got %s", edition)
	}
	small.mount(t, dir, "..2026_03")
	if edition, _ := r.await(t, 2, 0); edition != small.load(t).Edition() {
		t.Errorf("got %s", edition)
	}
}

func TestSourceKeepsTheFormerEditionWhenTheNewOneIsBad(t *testing.T) {
	dir := t.TempDir()
	small.mount(t, dir, "..2026_01")
	r := run(t, dir)
	broken.mount(t, dir, "..2026_02")
	edition, failure := r.await(t, 0, 1)
	if edition != small.load(t).Edition() || !strings.Contains(failure, "note.schema.json: breaks") || !r.Current().ServiceTask("t1", noon) {
		t.Errorf("got %s, %q", edition, failure)
	}
	second.mount(t, dir, "..2026_03")
	if edition, failure = r.await(t, 1, 1); edition != second.load(t).Edition() || failure != "" {
		t.Errorf("got %s, %q", edition, failure)
	}
}

func TestSourceForgetsAFailureThatWasTakenBack(t *testing.T) {
	dir := t.TempDir()
	small.write(t, dir)
	r := run(t, dir)
	broken.write(t, dir)
	r.await(t, 0, 1)
	small.write(t, dir)
	deadline := time.Now().Add(patience)
	for _, _, failure := r.Status(); failure != ""; _, _, failure = r.Status() {
		if time.Now().After(deadline) {
			t.Fatalf("still tells of %q", failure)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if changes, _ := r.told(); changes != 0 {
		t.Error("tells of a change though the edition is the same")
	}
}

func TestSourceNeverMixesTwoEditionsOfAConfigMap(t *testing.T) {
	// Each edition names its schemas' version in the schemas, too.
	edition := func(n int) files {
		return small.replace("catalog.yaml", `version: "2"`, fmt.Sprintf(`version: "v%d"`, n)).
			replace("note2.schema.json", `"type": "object"`, fmt.Sprintf(`"type": "object", "title": "v%d"`, n))
	}
	dir := t.TempDir()
	edition(0).mount(t, dir, "..0")
	stop, stopped := make(chan struct{}), make(chan struct{})
	var swaps atomic.Int32
	go func() {
		defer close(stopped)
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			default:
				edition(n).mount(t, dir, fmt.Sprintf("..%d", n))
				swaps.Add(1)
			}
		}
	}()
	read := 0
	for deadline := time.Now().Add(patience); (swaps.Load() < 100 || read < 100) && time.Now().Before(deadline); {
		source, err := catalog.Open(dir, testr.New(t))
		if err != nil {
			continue // the directory was taken away while it was read
		}
		read++
		if schema := current(t, source.Current(), "note"); !strings.Contains(string(schema.Raw()), `"`+schema.Version()+`"`) {
			t.Errorf("version %s has the schema %s", schema.Version(), schema.Raw())
		}
	}
	close(stop)
	<-stopped
	if n := swaps.Load(); n < 100 || read < 100 {
		t.Errorf("only %d swaps and %d reads", n, read)
	}
}

func TestSourceSeesWhatItIsNotToldOf(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "catalog")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	small.write(t, dir)
	defer catalog.PollEvery(20 * time.Millisecond)()
	r := run(t, dir)
	// The watch is on the directory that is moved away.
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	r.await(t, 0, 1)
	if err := os.Mkdir(dir+".new", 0o700); err != nil {
		t.Fatal(err)
	}
	second.write(t, dir+".new")
	if err := os.Rename(dir+".new", dir); err != nil {
		t.Fatal(err)
	}
	if edition, failure := r.await(t, 1, 1); edition != second.load(t).Edition() || failure != "" {
		t.Errorf("got %s, %q", edition, failure)
	}
}

func TestOpenNeedsAGoodEdition(t *testing.T) {
	dir := t.TempDir()
	broken.write(t, dir)
	if _, err := catalog.Open(dir, testr.New(t)); err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "note.schema.json") {
		t.Errorf("got %v", err)
	}
	if _, err := catalog.Open(filepath.Join(dir, "none"), testr.New(t)); err == nil {
		t.Error("opened what is not there")
	}
}

func TestSourceOfOneCatalog(t *testing.T) {
	source := catalog.NewSource(catalog.StandIn())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	edition, loadedAt, failure := source.Status()
	if err := source.Run(ctx); err != nil || edition != catalog.StandIn().Edition() || loadedAt.IsZero() || failure != "" {
		t.Errorf("got %v, %s, %s, %q", err, edition, loadedAt, failure)
	}
}
