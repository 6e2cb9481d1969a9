// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Credential is a client certificate with its key, and the authority that the archive is verified against.
type Credential struct {
	Certificate tls.Certificate
	Authority   *x509.CertPool
}

// ReadCredential reads a credential as its Secret holds it: tls.crt, tls.key and ca.crt, all PEM.
func ReadCredential(cert, key, ca []byte) (*Credential, error) {
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		// The parser's own text could tell of the key.
		return nil, errors.New("tls.crt and tls.key do not hold a certificate and its key")
	}
	if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
		return nil, fmt.Errorf("tls.crt: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, errors.New("ca.crt holds no certificate")
	}
	return &Credential{Certificate: pair, Authority: pool}, nil
}

// Current returns the credential itself, which makes it a source.
func (c *Credential) Current() (*Credential, error) { return c, nil }

// Thumbprint is the SHA-256 of the certificate.
func (c *Credential) Thumbprint() [sha256.Size]byte {
	return sha256.Sum256(c.Certificate.Certificate[0])
}

// CredentialSource gives the credential that is to be used now: the same pointer until it changes.
type CredentialSource interface {
	Current() (*Credential, error)
}

// CredentialDir is a credential in the files tls.crt, tls.key and ca.crt of a directory, such as a mounted
// Secret. Credentials live for hours: the files are read again every ten seconds, and new connections are made
// with what is in them. While they cannot be read, or do not belong together, the former credential is kept.
func CredentialDir(dir string) CredentialSource { return &directory{path: dir} }

// freshFor is how long what was read counts as what is there.
const freshFor = 10 * time.Second

type directory struct {
	path string

	mu      sync.Mutex
	readAt  time.Time
	files   [3]string
	current *Credential
}

// Current implements CredentialSource.
func (d *directory) Current() (*Credential, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current != nil && time.Since(d.readAt) < freshFor {
		return d.current, nil
	}
	if err := d.read(); err != nil && d.current == nil {
		return nil, err
	}
	d.readAt = time.Now()
	return d.current, nil
}

func (d *directory) read() error {
	var files [3]string
	for i, name := range [...]string{"tls.crt", "tls.key", "ca.crt"} {
		content, err := os.ReadFile(filepath.Join(d.path, name))
		if err != nil {
			return err
		}
		files[i] = string(content)
	}
	if d.current != nil && files == d.files {
		return nil
	}
	read, err := ReadCredential([]byte(files[0]), []byte(files[1]), []byte(files[2]))
	if err == nil {
		d.files, d.current = files, read
	}
	return err
}

// links keeps the connections of the present credential. A request's assertion names the certificate of its
// connection, so a new certificate gets connections of its own.
type links struct {
	source  CredentialSource
	timeout time.Duration

	mu      sync.Mutex
	present *link
}

type link struct {
	credential *Credential
	thumbprint [sha256.Size]byte
	http       *http.Client
}

func (l *links) current() (*link, error) {
	credential, err := l.source.Current()
	if err != nil {
		return nil, fmt.Errorf("the credential cannot be read: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.present == nil || l.present.credential != credential {
		if l.present != nil {
			l.present.http.CloseIdleConnections()
		}
		l.present = &link{credential, credential.Thumbprint(), &http.Client{Transport: transport(credential), Timeout: l.timeout}}
	}
	return l.present, nil
}

func (l *links) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.present != nil {
		l.present.http.CloseIdleConnections()
	}
}

// transport speaks HTTP/2 only: there a request is repeated below this package only if the archive has not
// taken it up, so that no assertion is used twice.
func transport(credential *Credential) *http.Transport {
	protocols := &http.Protocols{}
	protocols.SetHTTP2(true)
	return &http.Transport{
		Protocols: protocols, ForceAttemptHTTP2: true, IdleConnTimeout: 90 * time.Second,
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, RootCAs: credential.Authority, Certificates: []tls.Certificate{credential.Certificate},
		},
	}
}
