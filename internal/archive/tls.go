// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"crypto/tls"
	"errors"
)

var errNoAuthority = errors.New("the authority of client certificates is not known yet")

// tlsConfig makes every connection TLS 1.3 with a client certificate of the archive's own authority.
func (s *Server) tlsConfig() *tls.Config {
	base := &tls.Config{
		MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequireAndVerifyClientCert,
		NextProtos: []string{"h2", "http/1.1"},
		// A resumed session would pass a client that the authority of now would not let in.
		SessionTicketsDisabled: true,
		Time:                   s.opts.Clock.Now,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return s.opts.Certificate()
		},
	}
	config := base.Clone()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		pool := s.opts.ClientCAs()
		if pool == nil { // crypto/tls would take the system's authorities
			return nil, errNoAuthority
		}
		fresh := base.Clone()
		fresh.ClientCAs = pool
		return fresh, nil
	}
	return config
}
