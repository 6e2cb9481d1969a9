// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/valtuus/valtuus/api/v1alpha1"
)

// printTables prints each kind's table as the API server renders it: what kubectl prints too.
func printTables(ctx context.Context, cfg *rest.Config) error {
	cfg = rest.CopyConfig(cfg)
	cfg.GroupVersion, cfg.APIPath = &v1alpha1.GroupVersion, "/apis"
	cfg.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	cfg.AcceptContentTypes = "application/json;as=Table;v=v1;g=meta.k8s.io"
	c, err := rest.RESTClientFor(cfg)
	if err != nil {
		return err
	}
	for _, kind := range []struct {
		resource   string
		namespaced bool
	}{
		{"organizations", false}, {"clientsystems", false}, {"archives", true}, {"registries", true}, {"producerunits", true},
		{"deploymenttests", true}, {"registryaccessgrants", true}, {"servicerelationships", true},
	} {
		table := &metav1.Table{}
		if err := c.Get().Resource(kind.resource).Do(ctx).Into(table); err != nil {
			return fmt.Errorf("read the table of %s: %w", kind.resource, err)
		}
		for i := range table.Rows { // the printer reads the namespace from the row's object
			object := &metav1.PartialObjectMetadata{}
			if err := json.Unmarshal(table.Rows[i].Object.Raw, object); err != nil {
				return err
			}
			table.Rows[i].Object.Object = object
		}
		fmt.Printf("\n%s\n", kind.resource)
		if err := printers.NewTablePrinter(printers.PrintOptions{WithNamespace: kind.namespaced}).PrintObj(table, os.Stdout); err != nil {
			return err
		}
	}
	return nil
}
