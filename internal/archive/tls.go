// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"crypto/tls"
	"errors"
	"time"

	"github.com/valtuus/valtuus/internal/archive/failure"
)

var errNoAuthority = errors.New("the authority of client certificates is not known yet")

// CheckCertificate gives an error unless the server certificate holds at the time.
func CheckCertificate(c *tls.Certificate, now time.Time) error {
	switch {
	case c == nil || c.Leaf == nil:
		return failure.New(failure.CertificateInvalid, "there is no server certificate")
	case now.After(c.Leaf.NotAfter):
		return failure.New(failure.CertificateInvalid, "the server certificate ended at "+c.Leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(c.Leaf.NotBefore):
		return failure.New(failure.CertificateInvalid, "the server certificate holds from "+c.Leaf.NotBefore.UTC().Format(time.RFC3339)+" on")
	default:
		return nil
	}
}

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
