// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"time"
)

// bareConfig is what the bare server is started with; all PEM.
type bareConfig struct {
	Certificate, Key, Authority []byte
	// Body is the size of an answer.
	Body int
}

// bareServerChild answers mTLS requests with bytes, and does nothing else.
type bareServerChild struct{}

func (*bareServerChild) start(ctx context.Context, text string) (answer, error) {
	var config bareConfig
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		return answer{}, err
	}
	certificate, err := tls.X509KeyPair(config.Certificate, config.Key)
	if err != nil {
		return answer{}, err
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(config.Authority)
	listen := net.ListenConfig{}
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return answer{}, err
	}
	body := bytes.Repeat([]byte("x"), config.Body)
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{certificate},
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(body)
		}),
	}
	go func() { _ = server.ServeTLS(listener, "", "") }()
	return answer{Address: "https://" + listener.Addr().String()}, nil
}

func (*bareServerChild) answer(_ context.Context, q question) (answer, error) { return noQuestion(q) }
