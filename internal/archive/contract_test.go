// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

var contract = sync.OnceValues(func() (routers.Router, error) {
	raw, err := OpenAPI()
	if err != nil {
		return nil, err
	}
	document, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		return nil, err
	}
	if err := document.Validate(context.Background()); err != nil {
		return nil, err
	}
	openapi3filter.RegisterBodyDecoder("application/xhtml+xml", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("multipart/related", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/jose", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/schema+json", openapi3filter.JSONBodyDecoder)
	return legacy.NewRouter(document)
})

// holdToContract checks a real answer against the API's description, and the request too where the
// server took it.
func holdToContract(t testing.TB, request *http.Request, body []byte, got reply) {
	t.Helper()
	router, err := contract()
	if err != nil {
		t.Fatalf("the API's description: %v", err)
	}
	relative := request.Clone(request.Context())
	relative.URL.Scheme, relative.URL.Host, relative.Host = "", "", ""
	relative.Body = io.NopCloser(bytes.NewReader(body))
	route, parameters, err := router.FindRoute(relative)
	if err != nil {
		if got.status != http.StatusNotFound && got.status != http.StatusMethodNotAllowed && got.status != http.StatusBadRequest {
			t.Errorf("the description lacks %s, which answered %d", request.Method, got.status)
		}
		return
	}
	options := &openapi3filter.Options{
		AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
		IncludeResponseStatus: true,
	}
	input := &openapi3filter.RequestValidationInput{Request: relative, PathParams: parameters, Route: route, Options: options}
	if got.status < 300 {
		if err := openapi3filter.ValidateRequest(request.Context(), input); err != nil {
			t.Errorf("the server took a request that the description refuses: %v", err)
		}
	}
	if request.Method == http.MethodHead {
		return
	}
	err = openapi3filter.ValidateResponse(request.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: got.status, Header: got.header,
		Body: io.NopCloser(bytes.NewReader(got.body)), Options: options,
	})
	if err != nil {
		t.Errorf("an answer is not as described: %v", err)
	}
}

func TestTheDescriptionIsServedAndValid(t *testing.T) {
	a := newArena(t)
	got := a.unit.get("/openapi.json")
	if got.status != http.StatusOK || got.json["openapi"] != "3.1.0" {
		t.Fatalf("got %d", got.status)
	}
}

func TestTheDescriptionSeesAWrongAnswer(t *testing.T) {
	router, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/registries/"+registryOID+"/clients", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = ""
	route, parameters, err := router.FindRoute(request)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"r"}, "Cache-Control": {"no-store"}}
	for body, fits := range map[string]bool{
		`{"id":"3f2f8a38-7d1f-4a3c-9d8e-2c8f4d8a9b10"}`:          true,
		`{"id":"3f2f8a38-7d1f-4a3c-9d8e-2c8f4d8a9b10","more":1}`: false,
		`{}`: false,
	} {
		err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: &openapi3filter.RequestValidationInput{Request: request, PathParams: parameters, Route: route},
			Status:                 http.StatusCreated, Header: header, Body: io.NopCloser(bytes.NewBufferString(body)),
		})
		if (err == nil) != fits {
			t.Errorf("%s: %v", body, err)
		}
	}
}
