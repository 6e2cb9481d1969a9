// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/catalog"
)

// badCatalogs are refused, each with an error that names the file and the field.
var badCatalogs = map[string]struct {
	files files
	says  string
}{
	"no manifest":               {small.with("catalog.yaml", ""), "catalog.yaml is not there"},
	"not YAML":                  {small.with("catalog.yaml", "a: ["), "catalog.yaml: "},
	"unknown field":             {small.replace("catalog.yaml", "correctionReasons:", "correctionReason:"), `catalog.yaml: unknown field "correctionReason"`},
	"unknown field within":      {small.replace("catalog.yaml", "    operation: M", "    operatoin: M"), `catalog.yaml: unknown field "documentTypes[2].operatoin"`},
	"another case":              {small.replace("catalog.yaml", "validFrom", "validfrom"), `unknown field "serviceTasks[1].validfrom"`},
	"field twice":               {small.replace("catalog.yaml", "formats: [application/xhtml+xml]", "formats: [application/xhtml+xml]\n    formats: [application/json]"), `catalog.yaml: `},
	"number for text":           {small.replace("catalog.yaml", `version: "1"`, "version: 1.0"), "catalog.yaml: "},
	"code":                      {small.replace("catalog.yaml", "code: t1", `code: "t 1"`), "catalog.yaml: serviceTasks[0].code: "},
	"code twice":                {small.replace("catalog.yaml", "code: t2", "code: t1"), `catalog.yaml: serviceTasks[1].code: "t1" is there twice`},
	"no name":                   {small.replace("catalog.yaml", "sv: b", `sv: ""`), "catalog.yaml: serviceTasks[0].names.sv: "},
	"no codes":                  {small.replace("catalog.yaml", "  - {code: c1, names: {fi: a, sv: b, en: c}, validFrom: \"2026-01-01\"}", "  []"), "catalog.yaml: correctionReasons: lists none"},
	"day":                       {small.replace("catalog.yaml", `validFrom: "2026-01-01"`, `validFrom: "2026-02-30"`), "catalog.yaml: serviceTasks[1].validFrom: "},
	"until before from":         {small.replace("catalog.yaml", `validUntil: "2026-06-30"`, `validUntil: "2025-06-30"`), "catalog.yaml: serviceTasks[1].validUntil: is before"},
	"type twice":                {small.replace("catalog.yaml", "code: letter", "code: note"), `catalog.yaml: documentTypes[1].code: "note" is there twice`},
	"format":                    {small.replace("catalog.yaml", "formats: [application/xhtml+xml]", "formats: [application/pdf]"), "catalog.yaml: documentTypes[1].formats[0]: "},
	"format twice":              {small.replace("catalog.yaml", "formats: [application/xhtml+xml]", "formats: [application/xhtml+xml, application/xhtml+xml]"), "documentTypes[1].formats[1]: "},
	"no formats":                {small.replace("catalog.yaml", "formats: [application/xhtml+xml]", "formats: []"), "documentTypes[1].formats: lists none"},
	"schema without JSON":       {small.replace("catalog.yaml", "formats: [application/json, application/xhtml+xml]", "formats: [application/xhtml+xml]"), "documentTypes[0].schemas: "},
	"operation":                 {small.replace("catalog.yaml", "formats: [application/xhtml+xml]", "formats: [application/xhtml+xml]\n    operation: Read"), "documentTypes[1].operation: "},
	"sector":                    {small.replace("catalog.yaml", "formats: [application/xhtml+xml]", "formats: [application/xhtml+xml]\n    sector: care"), "documentTypes[1].sector: "},
	"a relationship of health":  {small.replace("catalog.yaml", "    operation: ManageRelationship\n", "    operation: ManageRelationship\n    sector: health\n"), "documentTypes[2].sector: "},
	"no first day":              {small.replace("catalog.yaml", `validFrom: "2026-02-01", `, ""), "catalog.yaml: documentTypes[0].schemas[1].validFrom: is missing"},
	"overlapping":               {small.replace("catalog.yaml", "2026-02-01", "2025-12-31"), `documentTypes[0].schemas: versions "1" and "2" are both in force on 2025-12-31`},
	"open end before another":   {small.replace("catalog.yaml", `, validUntil: "2025-12-31", file`, ", file"), `documentTypes[0].schemas: versions "1" and "2" are both in force on 2026-02-01`},
	"version twice":             {small.replace("catalog.yaml", `version: "2"`, `version: "1"`), `documentTypes[0].schemas[1].version: "1" is there twice`},
	"missing file":              {small.with("note.schema.json", ""), "catalog.yaml: documentTypes[0].schemas[0].file: the file note.schema.json is not there"},
	"file elsewhere":            {small.replace("catalog.yaml", "note.schema.json", "../note.schema.json"), "documentTypes[0].schemas[0].file: is not the plain name"},
	"schema is no JSON":         {small.with("note.schema.json", "{"), "note.schema.json: breaks the format's grammar"},
	"schema's name twice":       {small.with("note.schema.json", `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","type":"array"}`), "note.schema.json: has a name twice"},
	"other dialect":             {small.replace("note.schema.json", "draft/2020-12", "draft/2019-09"), "note.schema.json: /$schema: "},
	"no dialect":                {small.with("note.schema.json", `{"type":"object"}`), "note.schema.json: /$schema: "},
	"misspelled keyword":        {small.replace("note.schema.json", `"type": "string"`, `"type": "string", "maxLenght": 3`), "note.schema.json: /properties/text/maxLenght: "},
	"unknown format":            {small.replace("note.schema.json", `"type": "string"`, `"format": "datetime"`), "note.schema.json: /properties/text/format: "},
	"remote reference":          {small.replace("note.schema.json", `"type": "string"`, `"$ref": "https://example.org/x.json"`), "note.schema.json: /properties/text/$ref: "},
	"reference to a file":       {small.replace("note.schema.json", `"type": "string"`, `"$ref": "note2.schema.json"`), "note.schema.json: /properties/text/$ref: "},
	"reference to nothing":      {small.replace("note2.schema.json", "#/$defs/text", "#/$defs/other"), "note2.schema.json: "},
	"bad keyword value":         {small.replace("note.schema.json", `"type": "string"`, `"type": "text"`), "note.schema.json: "},
	"bad pattern":               {small.replace("note.schema.json", `"type": "string"`, `"pattern": "("`), "note.schema.json: "},
	"no pointer":                {small.replace("catalog.yaml", "start: /from", "start: from"), "catalog.yaml: documentTypes[2].relationship.start: "},
	"bad pointer":               {small.replace("catalog.yaml", "start: /from", "start: /fr~om"), "catalog.yaml: documentTypes[2].relationship.start: "},
	"procurement":               {small.replace("catalog.yaml", "Outsourced", "Gift"), "catalog.yaml: documentTypes[2].relationship.procurementCodes: "},
	"no template":               {small.replace("catalog.yaml", ", template: relationship.json", ""), "documentTypes[2].schemas[0].template: "},
	"needless template":         {small.replace("catalog.yaml", "file: note.schema.json", "file: note.schema.json, template: relationship.json"), "documentTypes[0].schemas[0].template: "},
	"template without place":    {small.with("relationship.json", `{"made": "by the archive"}`), "catalog.yaml: documentTypes[2].schemas[0].template: "},
	"template against schema":   {small.with("relationship.json", `{"where": {}}`), "catalog.yaml: documentTypes[2].schemas[0].template: "},
	"template is no JSON":       {small.with("relationship.json", `{`), "catalog.yaml: documentTypes[2].schemas[0].template: "},
	"overlapping pointers":      {small.replace("catalog.yaml", "end: /until", "end: /from"), "documentTypes[2].schemas[0].template: "},
	"mapping without operation": {small.replace("catalog.yaml", "    operation: ManageRelationship\n", ""), "documentTypes[2].relationship: "},
	"operation without mapping": {small.replace("catalog.yaml", "formats: [application/xhtml+xml]", "formats: [application/xhtml+xml]\n    operation: ManageRelationship"), "documentTypes[1].relationship: "},
	"two relationship types":    {small.replace("catalog.yaml", "roles:", strings.Replace(relationshipType(), "code: relationship", "code: second", 1)+"roles:"), "documentTypes[3].relationship: another type has one"},
	"large file":                {small.with("note.schema.json", strings.Repeat(" ", 1<<20+1)), "note.schema.json: is larger"},
}

// relationshipType is the last type of the small catalog.
func relationshipType() string {
	text := small["catalog.yaml"]
	return text[strings.Index(text, "  - code: relationship"):strings.Index(text, "roles:")]
}

func TestLoadRefuses(t *testing.T) {
	for name, bad := range badCatalogs {
		_, err := catalog.Load(bad.files.fs())
		var told *catalog.LoadError
		if !errors.As(err, &told) || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: got %v, want %q in it", name, err, bad.says)
		}
	}
}

func TestLoadTellsAllThatIsWrong(t *testing.T) {
	_, err := catalog.Load(small.replace("catalog.yaml", "code: t1", `code: "t 1"`).with("note.schema.json", "{").fs())
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("got %v", err)
	}
}

func TestEditionTellsCatalogsApart(t *testing.T) {
	first, again := small.load(t).Edition(), small.load(t).Edition()
	other := small.with("note.schema.json", small["note.schema.json"]+"\n").load(t).Edition()
	unread := small.with("unread.json", "{").load(t).Edition()
	if first != again || first == other || first != unread {
		t.Errorf("got %s, %s, %s and %s", first, again, other, unread)
	}
}
