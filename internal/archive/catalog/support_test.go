// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/valtuus/valtuus/internal/archive/catalog"
)

var noon = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

func current(t testing.TB, c *catalog.Catalog, documentType string) *catalog.Schema {
	t.Helper()
	schema, err := typeOf(t, c, documentType).SchemaOn("", noon)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func typeOf(t testing.TB, c *catalog.Catalog, code string) *catalog.DocumentType {
	t.Helper()
	kind, known := c.Type(code)
	if !known {
		t.Fatalf("the catalog has no %s", code)
	}
	return kind
}

// files are those of a catalog, by name.
type files map[string]string

// small is a catalog with a type of each operation.
var small = files{
	"catalog.yaml": `
serviceTasks:
  - {code: t1, names: {fi: a, sv: b, en: c}}
  - {code: t2, names: {fi: a, sv: b, en: c}, validFrom: "2026-01-01", validUntil: "2026-06-30"}
  - {code: t3, names: {fi: a, sv: b, en: c}}
correctionReasons:
  - {code: c1, names: {fi: a, sv: b, en: c}, validFrom: "2026-01-01"}
annulmentReasons:
  - {code: a1, names: {fi: a, sv: b, en: c}, validUntil: "2025-12-31"}
documentTypes:
  - code: note
    names: {fi: a, sv: b, en: c}
    formats: [application/json, application/xhtml+xml]
    schemas:
      - {version: "1", validFrom: "2025-01-01", validUntil: "2025-12-31", file: note.schema.json}
      - {version: "2", validFrom: "2026-02-01", file: note2.schema.json}
  - code: letter
    names: {fi: a, sv: b, en: c}
    formats: [application/xhtml+xml]
  - code: relationship
    names: {fi: a, sv: b, en: c}
    operation: ManageRelationship
    formats: [application/json]
    schemas:
      - {version: "1", validFrom: "2025-01-01", file: relationship.schema.json, template: relationship.json}
    relationship:
      producerUnit: /where/unit
      start: /from
      end: /until
      procurement: /how
      procurementCodes: {1: Outsourced, 2: Voucher, 3: Voucher}
roles:
  - code: worker
    names: {fi: a, sv: b, en: c}
    rights:
      - operations: [FindClient]
      - operations: [Read, Search]
        serviceTasks: [t3, t2]
        documentTypes: [note]
      - operations: [Read]
        serviceTasks: [t2]
        documentTypes: ["*"]
  - code: clerk
    names: {fi: a, sv: b, en: c}
    validFrom: "2026-01-01"
    validUntil: "2026-06-30"
    rights:
      - operations: [Store]
        serviceTasks: ["*"]
        documentTypes: [letter]
`,
	"note.schema.json":         `{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {"text": {"type": "string"}}}`,
	"note2.schema.json":        `{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {"text": {"$ref": "#/$defs/text"}}, "$defs": {"text": {"type": "string"}}}`,
	"relationship.schema.json": `{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["from", "made"], "properties": {"from": {"format": "date-time"}, "until": {"format": "date-time"}}}`,
	"relationship.json":        `{"made": "by the archive", "where": {}}`,
}

// with gives the files with one changed; an empty text takes it away.
func (f files) with(name, text string) files {
	changed := maps.Clone(f)
	if changed[name] = text; text == "" {
		delete(changed, name)
	}
	return changed
}

// replace gives the files with a part of one changed, which must be there.
func (f files) replace(name, old, text string) files {
	if !strings.Contains(f[name], old) {
		panic("there is no " + old)
	}
	return f.with(name, strings.Replace(f[name], old, text, 1))
}

func (f files) fs() fs.FS {
	system := fstest.MapFS{}
	for name, text := range f {
		system[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return system
}

func (f files) load(t testing.TB) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Load(f.fs())
	if err != nil {
		t.Fatal(err)
	}
	return c
}
