// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
)

// bareServer is a running bare server with its clients.
type bareServer struct {
	*child
	clients []*http.Client
	url     string
}

// startBareServer starts a bare server that answers with that many bytes, with the archive's certificate, and
// makes clients with a unit's.
func (c *cluster) startBareServer(ctx context.Context, clients, size int) (*bareServer, error) {
	credential, err := c.Credential(ctx, c.UnitSecret(c.units[0]))
	if err != nil {
		return nil, err
	}
	secret, err := c.secret(ctx, c.Platform, c.Archive.Name+"-server")
	if err != nil {
		return nil, err
	}
	s := &bareServer{}
	s.child, err = c.bench.spawn(ctx, "bare-server", bareConfig{
		Certificate: secret.Data["tls.crt"], Key: secret.Data["tls.key"], Authority: secret.Data["ca.crt"], Body: size,
	})
	if err != nil {
		return nil, err
	}
	s.url = s.first.Address + "/v1/registries/" + string(c.Registry.Spec.OID) + "/documents/x"
	for range clients { // as the archive's client has it: HTTP/2, one connection each
		s.clients = append(s.clients, &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, RootCAs: credential.Authority, Certificates: []tls.Certificate{credential.Certificate},
		}}})
	}
	return s, nil
}

// stop ends the server; it may be nil.
func (s *bareServer) stop() {
	if s == nil {
		return
	}
	for _, client := range s.clients {
		client.CloseIdleConnections()
	}
	s.child.stop()
}

func (s *bareServer) get(ctx context.Context, worker int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return err
	}
	response, err := s.clients[worker].Do(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return err
}
