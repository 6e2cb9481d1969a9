// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/catalog/examples"
	"github.com/valtuus/valtuus/internal/archive/masking"
)

// letter adds lines to the type letter of the small catalog, note to the type note.
func letter(lines string) files {
	return small.replace("catalog.yaml", "formats: [application/xhtml+xml]", "formats: [application/xhtml+xml]\n    "+lines)
}

func noted(lines string) files {
	return small.replace("catalog.yaml", "formats: [application/json, application/xhtml+xml]", "formats: [application/json, application/xhtml+xml]\n    "+lines)
}

func TestWhatIsMaskedIsData(t *testing.T) {
	c := noted(`nonDisclosure: {json: [/text, "/*/text"]}`).load(t)
	paths, known := typeOf(t, c, "note").NonDisclosure()
	if !known || !reflect.DeepEqual(paths.Texts(), []string{"/text", "/*/text"}) {
		t.Errorf("got %v, %q", known, paths.Texts())
	}
	if _, known := typeOf(t, c, "letter").NonDisclosure(); known {
		t.Error("the catalog says nothing of letters")
	}
	c = noted(`nonDisclosure: {json: []}`).load(t)
	if paths, known := typeOf(t, c, "note").NonDisclosure(); !known || len(paths.Texts()) != 0 {
		t.Error("an empty list says that there is nothing to mask")
	}
}

func TestLoadRefusesWhatWouldMaskNothing(t *testing.T) {
	for name, bad := range map[string]struct {
		files files
		says  string
	}{
		"no pointer":             {noted(`nonDisclosure: {json: [text]}`), "documentTypes[0].nonDisclosure.json[0]: is not a JSON Pointer"},
		"a bad escape":           {noted(`nonDisclosure: {json: [/text, /te~2]}`), "documentTypes[0].nonDisclosure.json[1]: has a ~"},
		"a name that is not one": {noted(`nonDisclosure: {json: [/txet]}`), `documentTypes[0].nonDisclosure.json: no schema of the type has the name "txet"`},
		"no list":                {noted(`nonDisclosure: {}`), "documentTypes[0].nonDisclosure.json: is missing"},
		"a null":                 {noted(`nonDisclosure: {json: null}`), "documentTypes[0].nonDisclosure.json: is missing"},
		"no JSON":                {letter(`nonDisclosure: {json: []}`), "documentTypes[1].nonDisclosure.json: the type has no application/json"},
		"too many":               {noted(`nonDisclosure: {json: [` + strings.Repeat("/text, ", 101) + `]}`), "documentTypes[0].nonDisclosure.json[100]: is one of more than 100"},
		"another field":          {noted(`nonDisclosure: {json: [], xhtml: []}`), "unknown field"},
		"a summary":              {noted(`summary: notes`), "documentTypes[0].summary: must be decision, plan or left out"},
	} {
		_, err := catalog.Load(bad.files.fs())
		var told *catalog.LoadError
		if !errors.As(err, &told) || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: got %v, want %q in it", name, err, bad.says)
		}
	}
}

func TestTypesHaveTheirSectionOfTheSummary(t *testing.T) {
	c := catalog.StandIn()
	for code, want := range map[string]catalog.SummarySection{
		"service-decision": catalog.SummaryDecisions, "client-plan": catalog.SummaryPlans, "implementation-plan": catalog.SummaryPlans, "case-note": "",
	} {
		if got := typeOf(t, c, code).Summary(); got != want {
			t.Errorf("%s: %q", code, got)
		}
	}
}

// Every type of the stand-in says what is masked in it, and the paths lead to what the examples hold.
func TestTheStandInSaysWhatIsMasked(t *testing.T) {
	for _, kind := range catalog.StandIn().Types() {
		paths, known := kind.NonDisclosure()
		if !known {
			t.Errorf("%s does not say", kind.Code())
			continue
		}
		got, err := paths.JSON(examples.JSON(kind.Code()))
		if err != nil || strings.Contains(string(got), masking.Mask) != (len(paths.Texts()) > 0) {
			t.Errorf("%s: %s, %v", kind.Code(), got, err)
		}
		for _, secret := range []string{"Esimerkkikatu", "040 1234567", "vaihteen kautta", "Asiakkaan koti"} {
			if strings.Contains(string(got), secret) {
				t.Errorf("%s holds %q", kind.Code(), secret)
			}
		}
	}
}
