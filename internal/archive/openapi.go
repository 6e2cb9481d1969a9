// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	_ "embed"
	"fmt"
	"net/http"

	"sigs.k8s.io/yaml"
)

//go:embed openapi.yaml
var openAPIDocument []byte

// OpenAPI gives the description of the API, OpenAPI 3.1 as JSON.
func OpenAPI() ([]byte, error) {
	raw, err := yaml.YAMLToJSONStrict(openAPIDocument)
	if err != nil {
		return nil, fmt.Errorf("reading the API description: %w", err)
	}
	return raw, nil
}

// openAPIHandler serves the description. It holds no data, so reading it is not recorded.
func openAPIHandler() (http.Handler, error) {
	raw, err := OpenAPI()
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(raw)
	}), nil
}
