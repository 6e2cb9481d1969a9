// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// Languages are those that a view is made in.
var Languages = []string{"fi", "sv", "en"}

//go:embed view.html.tmpl
var viewText string

var view = template.Must(template.New("view").Funcs(template.FuncMap{
	"word": func(string) string { return "" }, "in": func(Text) string { return "" }, "name": func(Party) string { return "" },
	"at": moment, "state": func(v1alpha1.TestStepState) string { return "" }, "leaf": func(Step) string { return "" },
}).Parse(viewText))

// In gives the text in a language: fi, sv or else English.
func (t Text) In(language string) string {
	switch language {
	case "fi":
		return t.Fi
	case "sv":
		return t.Sv
	default:
		return t.En
	}
}

// View gives the report as people read it, in XHTML.
func (d *Document) View(language string) ([]byte, error) {
	page, err := view.Clone()
	if err != nil {
		return nil, err
	}
	page.Funcs(template.FuncMap{
		"word":  func(key string) string { return labels[key].In(language) },
		"in":    func(t Text) string { return t.In(language) },
		"state": func(s v1alpha1.TestStepState) string { return states[s].In(language) },
		"name": func(p Party) string {
			if text := (Text{p.Name.Fi, p.Name.Sv, p.Name.En}).In(language); text != "" {
				return text
			}
			return p.Name.Fi
		},
		"leaf": func(s Step) string {
			if e := d.event(s.Event); e != nil && e.Evidence != nil {
				return fmt.Sprintf("%s %d", labels["leaf"].In(language), *e.Evidence.LeafIndex)
			}
			return ""
		},
	})
	var out bytes.Buffer
	out.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	err = page.Execute(&out, struct {
		*Document
		Language string
	}{d, language})
	return out.Bytes(), err
}

// event gives the observed event with the number; nil if there is none.
func (d *Document) event(number *int32) *v1alpha1.TestEvent {
	if number == nil || d.Observation == nil {
		return nil
	}
	for i := range d.Observation.Events {
		if d.Observation.Events[i].Number == *number {
			return &d.Observation.Events[i]
		}
	}
	return nil
}

func moment(t any) string {
	switch t := t.(type) {
	case metav1.Time:
		return t.UTC().Format(time.DateTime)
	case *metav1.Time:
		if t != nil {
			return t.UTC().Format(time.DateTime)
		}
	}
	return "–"
}
