// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

type schema = apiextensionsv1.JSONSchemaProps

// compareAll returns what the current CRDs refuse and the earlier ones took.
func compareAll(earlier, current crds) []string {
	r := &report{}
	for _, name := range slices.Sorted(maps.Keys(earlier)) {
		now, ok := current[name]
		if !ok {
			r.add(name, "the kind was removed")
			continue
		}
		r.compareCRD(name, earlier[name], now)
	}
	return r.problems
}

type report struct{ problems []string }

func (r *report) add(where, format string, args ...any) {
	r.problems = append(r.problems, where+": "+fmt.Sprintf(format, args...))
}

func (r *report) compareCRD(name string, was, now *apiextensionsv1.CustomResourceDefinition) {
	if was.Spec.Scope != now.Spec.Scope {
		r.add(name, "the scope changed from %s to %s", was.Spec.Scope, now.Spec.Scope)
	}
	if was.Spec.Names.Kind != now.Spec.Names.Kind {
		r.add(name, "the kind's name changed from %s to %s", was.Spec.Names.Kind, now.Spec.Names.Kind)
	}
	versions := map[string]apiextensionsv1.CustomResourceDefinitionVersion{}
	for _, version := range now.Spec.Versions {
		versions[version.Name] = version
	}
	for _, version := range was.Spec.Versions {
		where := name + " " + version.Name
		current, ok := versions[version.Name]
		if !ok || (version.Served && !current.Served) {
			r.add(where, "the version is not served any more")
			continue
		}
		if version.Subresources != nil && version.Subresources.Status != nil &&
			(current.Subresources == nil || current.Subresources.Status == nil) {
			r.add(where, "the status subresource was removed")
		}
		for _, field := range version.SelectableFields {
			if !slices.Contains(current.SelectableFields, field) {
				r.add(where, "the selectable field %s was removed", field.JSONPath)
			}
		}
		if version.Schema != nil && current.Schema != nil {
			r.compareSchema(where+" ", version.Schema.OpenAPIV3Schema, current.Schema.OpenAPIV3Schema)
		}
	}
}

// compareSchema looks only at what both have: what is new in the current schema
// was not used before, unless it is required.
func (r *report) compareSchema(where string, was, now *schema) {
	if was == nil || now == nil {
		return
	}
	if was.Type != now.Type {
		r.add(where, "the type changed from %q to %q", was.Type, now.Type)
		return
	}
	r.compareValues(where, was, now)
	for _, name := range slices.Sorted(maps.Keys(was.Properties)) {
		property, ok := now.Properties[name]
		if !ok {
			r.add(where+"."+name, "the field was removed")
			continue
		}
		before := was.Properties[name]
		r.compareSchema(where+"."+name, &before, &property)
	}
	for _, name := range now.Required {
		if !slices.Contains(was.Required, name) && now.Properties[name].Default == nil {
			r.add(where+"."+name, "the field is required now")
		}
	}
	if was.Items != nil && now.Items != nil {
		r.compareSchema(where+"[]", was.Items.Schema, now.Items.Schema)
	}
	if was.AdditionalProperties != nil && now.AdditionalProperties != nil {
		r.compareSchema(where+"{}", was.AdditionalProperties.Schema, now.AdditionalProperties.Schema)
	}
}

func (r *report) compareValues(where string, was, now *schema) {
	r.compareEnum(where, was, now)
	upper(r, where, "maxLength", was.MaxLength, now.MaxLength)
	upper(r, where, "maxItems", was.MaxItems, now.MaxItems)
	upper(r, where, "maxProperties", was.MaxProperties, now.MaxProperties)
	upper(r, where, "maximum", was.Maximum, now.Maximum)
	lower(r, where, "minLength", was.MinLength, now.MinLength)
	lower(r, where, "minItems", was.MinItems, now.MinItems)
	lower(r, where, "minProperties", was.MinProperties, now.MinProperties)
	lower(r, where, "minimum", was.Minimum, now.Minimum)
	if now.Pattern != "" && now.Pattern != was.Pattern {
		r.add(where, "the pattern changed from %q to %q", was.Pattern, now.Pattern)
	}
	if now.Format != was.Format {
		r.add(where, "the format changed from %q to %q", was.Format, now.Format)
	}
	if was.Nullable && !now.Nullable {
		r.add(where, "null is refused now")
	}
	// Server-side apply merges by these: changing them changes who owns what.
	if text(was.XListType) != text(now.XListType) {
		r.add(where, "the list type changed from %q to %q", text(was.XListType), text(now.XListType))
	}
	if !slices.Equal(was.XListMapKeys, now.XListMapKeys) {
		r.add(where, "the list keys changed from %v to %v", was.XListMapKeys, now.XListMapKeys)
	}
}

func (r *report) compareEnum(where string, was, now *schema) {
	if len(now.Enum) == 0 {
		return
	}
	if len(was.Enum) == 0 {
		r.add(where, "only listed values are taken now")
		return
	}
	values := map[string]bool{}
	for _, value := range now.Enum {
		values[string(value.Raw)] = true
	}
	for _, value := range was.Enum {
		if !values[string(value.Raw)] {
			r.add(where, "the value %s is refused now", value.Raw)
		}
	}
}

func upper[T cmp.Ordered](r *report, where, name string, was, now *T) {
	if now != nil && (was == nil || *now < *was) {
		r.add(where, "%s went from %s to %v", name, bound(was), *now)
	}
}

func lower[T cmp.Ordered](r *report, where, name string, was, now *T) {
	if now != nil && (was == nil || *now > *was) {
		r.add(where, "%s went from %s to %v", name, bound(was), *now)
	}
}

func bound[T any](value *T) string {
	if value == nil {
		return "none"
	}
	return fmt.Sprint(*value)
}

func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}
