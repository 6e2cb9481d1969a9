// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package failure_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/valtuus/valtuus/internal/archive/failure"
)

func TestTheReasonIsFoundWithinAnError(t *testing.T) {
	known := failure.New(failure.SchemaTooNew, "newer")
	path := func(errno syscall.Errno) error { return &fs.PathError{Op: "open", Path: "/data", Err: errno} }
	for name, c := range map[string]struct {
		err  error
		want failure.Reason
	}{
		"it says so":              {known, failure.SchemaTooNew},
		"wrapped":                 {fmt.Errorf("open the store: %w", known), failure.SchemaTooNew},
		"beside another":          {errors.Join(errors.New("closing"), known), failure.SchemaTooNew},
		"the outer one counts":    {failure.As(failure.KeyMissing, path(syscall.EACCES)), failure.KeyMissing},
		"read-only":               {path(syscall.EROFS), failure.VolumeReadOnly},
		"full":                    {fmt.Errorf("make: %w", path(syscall.ENOSPC)), failure.VolumeFull},
		"over the quota":          {path(syscall.EDQUOT), failure.VolumeFull},
		"an error of the disk":    {path(syscall.EIO), failure.VolumeFailed},
		"somebody else's":         {path(syscall.EACCES), failure.VolumeForbidden},
		"another of the system's": {path(syscall.ENOENT), failure.Unknown},
		"any other":               {errors.New("no idea"), failure.Unknown},
	} {
		if got := failure.Of(c.err); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if failure.As(failure.KeyMissing, nil) != nil {
		t.Error("no error became one")
	}
	if err := failure.As(failure.KeyMissing, fs.ErrNotExist); !errors.Is(err, fs.ErrNotExist) || err.Error() != fs.ErrNotExist.Error() {
		t.Errorf("the error became another: %v", err)
	}
}

func TestAReportIsOneLineWithoutSecrets(t *testing.T) {
	for name, text := range map[string]string{
		"a URI":                     "cannot parse postgres://valtuus:hunter2@db:5432/x",
		"a URI with a slash in it":  "cannot parse postgres://valtuus:pass/hunter2@db:5432/x",
		"a URI without a user":      "cannot parse postgres://:hunter2@db/x",
		"the words of libpq":        "cannot parse host=db password=hunter2 user=x",
		"the words of libpq quoted": "cannot parse password = 'hunter2 and more' user=x",
		"lines":                     "first\n  postgres://valtuus:hunter2@db\r\nlast\n",
	} {
		got := failure.Tell(errors.New(text))
		if strings.Contains(got.Message, "hunter2") || strings.Contains(got.String(), "hunter2") {
			t.Errorf("%s: %s", name, got)
		}
		if strings.ContainsAny(got.String(), "\r\n") {
			t.Errorf("%s: more than one line: %q", name, got)
		}
	}
	long := failure.Tell(errors.New(strings.Repeat("ä", 5000)))
	if len(long.Message) > 1500 || !utf8.ValidString(long.Message) {
		t.Errorf("a message of %d bytes", len(long.Message))
	}
}

func TestAReportIsWrittenAsJSON(t *testing.T) {
	file := filepath.Join(t.TempDir(), "termination-log")
	if err := os.WriteFile(file, []byte(strings.Repeat("former ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	want := failure.Report{Reason: failure.VolumeFull, Message: `no "room"`}
	if err := want.Write(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got failure.Report
	if err := json.Unmarshal(text, &got); err != nil || got != want {
		t.Errorf("%s: %+v, %v", text, got, err)
	}
	if err := want.Write(""); err != nil {
		t.Errorf("without a file: %v", err)
	}
	if err := want.Write(filepath.Join(file, "below")); err == nil {
		t.Error("a file that cannot be written")
	}
}
