// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"

	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/valtuus/valtuus/internal/access"
	"github.com/valtuus/valtuus/internal/archive/store"
)

// Limits of a catalog.
const (
	maxFile = 1 << 20 // bytes; a ConfigMap holds no more in all
	maxName = 200     // bytes
)

// codePattern is the form of codes, as in the API's ServiceTaskCode.
var codePattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)

// LoadError tells what is wrong in a file of a catalog.
type LoadError struct {
	// File is the file's name, Field the path of the field in it; Field may be empty.
	File, Field string
	// Err tells what is wrong.
	Err error
}

// Error tells the file and the field first.
func (e *LoadError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s: %s: %v", e.File, e.Field, e.Err)
}

// Unwrap gives what is wrong.
func (e *LoadError) Unwrap() error { return e.Err }

// Load reads a catalog from the root of fsys. All that is wrong is told at once: every error is a
// *LoadError, joined.
func Load(fsys fs.FS) (*Catalog, error) {
	return load(func(name string) ([]byte, error) { return fs.ReadFile(fsys, name) })
}

func load(read func(name string) ([]byte, error)) (*Catalog, error) {
	l := &loader{read: read, files: map[string][]byte{}}
	var m manifest
	if !l.manifest(&m) {
		return nil, errors.Join(l.wrong...)
	}
	c := &Catalog{
		byCode:            map[string]*DocumentType{},
		serviceTasks:      l.codes("serviceTasks", m.ServiceTasks),
		correctionReasons: l.codes("correctionReasons", m.CorrectionReasons),
		annulments:        l.codes("annulmentReasons", m.AnnulmentReasons),
	}
	if len(m.DocumentTypes) == 0 {
		l.fail("documentTypes", "lists none")
	}
	relationships := 0
	for i := range m.DocumentTypes {
		field := fmt.Sprintf("documentTypes[%d]", i)
		t := l.documentType(field, &m.DocumentTypes[i])
		if c.byCode[t.code] != nil {
			l.fail(field+".code", "%q is there twice", t.code)
		}
		if m.DocumentTypes[i].Relationship != nil {
			if relationships++; relationships > 1 {
				l.fail(field+".relationship", "another type has one already")
			}
		}
		c.byCode[t.code] = t
		c.types = append(c.types, t)
	}
	l.roles(c, m.Roles)
	l.retentionRules(c, m.Retention)
	if len(l.wrong) > 0 {
		return nil, errors.Join(l.wrong...)
	}
	c.edition = digest(l.files)
	return c, nil
}

// digest tells sets of files apart.
func digest(files map[string][]byte) string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	sum := sha256.New()
	for _, name := range names {
		_, _ = fmt.Fprintf(sum, "%q %x\n", name, sha256.Sum256(files[name]))
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}

// loader reads the files of one catalog and remembers what is wrong.
type loader struct {
	read  func(name string) ([]byte, error)
	files map[string][]byte
	wrong []error
}

// fail tells of a field in the manifest.
func (l *loader) fail(field, format string, args ...any) {
	l.failIn(ManifestFile, field, fmt.Errorf(format, args...))
}

func (l *loader) failIn(file, field string, err error) {
	l.wrong = append(l.wrong, &LoadError{File: file, Field: field, Err: err})
}

// file reads a file that a field of the manifest names.
func (l *loader) file(field, name string) ([]byte, bool) {
	if !fs.ValidPath(name) || !flatName.MatchString(name) {
		l.fail(field, "is not the plain name of a file in the catalog's directory")
		return nil, false
	}
	raw, err := l.read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.fail(field, "the file %s is not there", name)
		return nil, false
	case err != nil:
		l.failIn(name, "", err)
		return nil, false
	case len(raw) > maxFile:
		l.failIn(name, "", fmt.Errorf("is larger than %d bytes", maxFile))
		return nil, false
	}
	l.files[name] = raw
	return raw, true
}

// flatName is the form of file names, which are also keys of a ConfigMap.
var flatName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$`)

func (l *loader) manifest(m *manifest) bool {
	raw, ok := l.file("", ManifestFile)
	if !ok {
		return false
	}
	asJSON, err := yaml.YAMLToJSONStrict(raw)
	if err != nil {
		l.failIn(ManifestFile, "", err)
		return false
	}
	unknown, err := kjson.UnmarshalStrict(asJSON, m)
	for _, err := range append(unknown, err) {
		if err != nil {
			l.failIn(ManifestFile, "", err)
		}
	}
	return len(l.wrong) == 0
}

func (l *loader) codes(field string, list []Code) codes {
	c := codes{all: list, byCode: map[string]Period{}}
	if len(list) == 0 {
		l.fail(field, "lists none")
	}
	for i, entry := range list {
		at := fmt.Sprintf("%s[%d]", field, i)
		l.named(at, entry.Code, entry.Names)
		l.period(at, entry.Period)
		if _, twice := c.byCode[entry.Code]; twice {
			l.fail(at+".code", "%q is there twice", entry.Code)
		}
		c.byCode[entry.Code] = entry.Period
	}
	return c
}

func (l *loader) named(field, code string, names Names) {
	if !codePattern.MatchString(code) {
		l.fail(field+".code", "must be 1 to 63 letters, digits, dots, hyphens and underscores, with a letter or digit at both ends")
	}
	for language, name := range map[string]string{"fi": names.Finnish, "sv": names.Swedish, "en": names.English} {
		if name == "" || len(name) > maxName {
			l.fail(field+".names."+language, "must be given, in at most %d bytes", maxName)
		}
	}
}

func (l *loader) period(field string, p Period) {
	for _, end := range []struct {
		name string
		day  Day
	}{{"validFrom", p.ValidFrom}, {"validUntil", p.ValidUntil}} {
		if end.day != "" && !end.day.valid() {
			l.fail(field+"."+end.name, "must be a day such as 2026-03-01")
		}
	}
	if p.ValidUntil != "" && p.ValidUntil < p.ValidFrom {
		l.fail(field+".validUntil", "is before validFrom")
	}
}

// The words for the branches of care.
const (
	sectorSocial = "social"
	sectorHealth = "health"
)

func (l *loader) documentType(field string, m *manifestType) *DocumentType {
	t := &DocumentType{code: m.Code, names: m.Names, operation: m.Operation, formats: m.Formats}
	l.named(field, m.Code, m.Names)
	if !slices.Contains([]string{"", access.ManageRelationship.String(), access.ManageMatter.String()}, m.Operation) {
		l.fail(field+".operation", "must be ManageRelationship, ManageMatter or left out")
	}
	switch m.Sector {
	case "", sectorSocial:
	case sectorHealth:
		if t.sector = access.HealthCare; m.Operation != "" {
			l.fail(field+".sector", "must be social where there is an operation")
		}
	default:
		l.fail(field+".sector", "must be %s, %s or left out", sectorSocial, sectorHealth)
	}
	if (m.Relationship != nil) != (m.Operation == access.ManageRelationship.String()) {
		l.fail(field+".relationship", "must be given if the operation is ManageRelationship, and only then")
	}
	if len(m.Formats) == 0 {
		l.fail(field+".formats", "lists none")
	}
	for i, format := range m.Formats {
		if format != store.ContentJSON && format != store.ContentXHTML || slices.Contains(m.Formats[:i], format) {
			l.fail(fmt.Sprintf("%s.formats[%d]", field, i), "must be %s or %s, each once", store.ContentJSON, store.ContentXHTML)
		}
	}
	if len(m.Schemas) > 0 && !t.structured() {
		l.fail(field+".schemas", "the type has no %s to be held to them", store.ContentJSON)
	}
	l.schemas(field, m, t)
	l.nonDisclosure(field, m, t)
	l.summary(field, m, t)
	if m.Relationship != nil {
		if len(m.Schemas) == 0 {
			l.fail(field+".schemas", "lists none, and a type with a relationship needs one")
		}
		t.mapping = l.mapping(field, m.Relationship)
		l.templates(field, t)
	}
	return t
}
