// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/valtuus/valtuus/api/archiveclient"
)

// scripted answers what a test tells it to, and keeps the assertions that it was sent.
type scripted struct {
	*httptest.Server
	mu         sync.Mutex
	assertions []string
}

func newScripted(t *testing.T, answer func(attempt int, w http.ResponseWriter)) *scripted {
	t.Helper()
	s := &scripted{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.assertions = append(s.assertions, r.Header.Get("Professional-Assertion"))
		attempt := len(s.assertions)
		s.mu.Unlock()
		answer(attempt, w)
	}))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// client is a client of the scripted archive, which tries up to four times without long waits.
func (s *scripted) client(t *testing.T) *archiveclient.Client {
	t.Helper()
	return unit(t, func(c *archiveclient.Config) {
		c.Endpoint = s.URL
		credential := must(archiveclient.CredentialDir(unitSecret).Current())(t)
		credential.Authority = x509.NewCertPool()
		credential.Authority.AddCert(s.Certificate())
		c.Credential = credential
		c.Backoff = &wait.Backoff{Duration: time.Millisecond, Factor: 1, Steps: 4}
	})
}

func (s *scripted) attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.assertions)
}

func problem(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"type": "urn:x", "title": "t", "detail": "d", "requestId": "r", "reason": "` + reason + `"}`))
}

func TestUnavailableIsRepeated(t *testing.T) {
	id := uuid.New()
	s := newScripted(t, func(attempt int, w http.ResponseWriter) {
		if attempt < 3 {
			w.Header().Set("Retry-After", "1")
			problem(w, http.StatusServiceUnavailable, "store-unavailable")
			return
		}
		_, _ = w.Write([]byte(`{"id": "` + id.String() + `"}`))
	})
	start := time.Now()
	if got := must(s.client(t).FindClient(t.Context(), identityCode))(t); got != id {
		t.Errorf("got %s", got)
	}
	if took := time.Since(start); took < 2*time.Second {
		t.Errorf("came again after %s, before it was asked to", took)
	}
	seen := map[string]bool{}
	for _, a := range s.assertions {
		seen[a] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d assertions for 3 attempts", len(seen))
	}
}

func TestRefusalIsNotRepeated(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"forbidden":                  func(w http.ResponseWriter) { problem(w, http.StatusForbidden, "no-relationship") },
		"unavailable without a time": func(w http.ResponseWriter) { problem(w, http.StatusServiceUnavailable, "stale-view") },
		"another's answer":           func(w http.ResponseWriter) { http.Error(w, "no upstream", http.StatusBadGateway) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(t, func(_ int, w http.ResponseWriter) { answer(w) })
			_, err := s.client(t).FindClient(t.Context(), identityCode)
			if p := problemOf(t, err); p.Status < 400 || p.Detail == "" {
				t.Errorf("got %+v", p)
			}
			if s.attempts() != 1 {
				t.Errorf("%d attempts", s.attempts())
			}
		})
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	s := newScripted(t, func(int, http.ResponseWriter) { panic(http.ErrAbortHandler) })
	if _, err := s.client(t).FindClient(t.Context(), identityCode); err == nil || archiveclient.ReasonOf(err) != "" {
		t.Errorf("got %v", err)
	}
	if s.attempts() != 4 {
		t.Errorf("%d attempts", s.attempts())
	}
}

func TestDigestIsChecked(t *testing.T) {
	const right = "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:" // of {}
	for digest, want := range map[string]error{
		right:                      nil,
		"sha-512=:AAAA:, " + right: nil,
		"":                         archiveclient.ErrDigest,
		"sha-256=:AAAA:":           archiveclient.ErrDigest,
		"sha-512=:AAAA:":           archiveclient.ErrDigest,
	} {
		s := newScripted(t, func(_ int, w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Repr-Digest", digest)
			w.Header().Set("ETag", `"12-json"`)
			w.Header().Set("Last-Modified", "Sat, 21 Nov 2026 10:00:00 GMT")
			_, _ = w.Write([]byte(`{}`))
		})
		content, err := s.client(t).Read(t.Context(), uuid.New(), archiveclient.ReadOptions{})
		if !errors.Is(err, want) || want == nil && content.Version != 12 {
			t.Errorf("%q: %+v, %v", digest, content, err)
		}
	}
}

func TestForeignArchive(t *testing.T) {
	s := newScripted(t, func(_ int, w http.ResponseWriter) { problem(w, http.StatusForbidden, "x") })
	attempts := 0
	mistaken := unit(t, func(c *archiveclient.Config) { c.Endpoint = s.URL }).As(counting{&attempts})
	_, err := mistaken.FindClient(t.Context(), identityCode)
	if err == nil || !strings.Contains(err.Error(), "certificate") || attempts != 1 || s.attempts() != 0 {
		t.Errorf("%d attempts: %v", attempts, err)
	}
}

// counting counts the attempts.
type counting struct{ attempts *int }

func (c counting) Assert(ctx context.Context, binding archiveclient.Binding) (string, error) {
	*c.attempts++
	return testCard().Assert(ctx, binding)
}

func TestRefusedCertificate(t *testing.T) {
	// Nobody of the archive's authority issued this one.
	credential := must(archiveclient.CredentialDir(unitSecret).Current())(t)
	credential.Certificate = newScripted(t, nil).TLS.Certificates[0]
	stranger := unit(t, func(c *archiveclient.Config) {
		c.Credential, c.Backoff = credential, &wait.Backoff{Duration: time.Millisecond, Steps: 3}
	})
	if _, err := stranger.FindClient(t.Context(), identityCode); err == nil || archiveclient.ReasonOf(err) != "" {
		t.Errorf("got %v", err)
	}
}

// A renewed credential is used without a restart, and files in the middle of a change do no harm.
func TestCredentialDir(t *testing.T) {
	read := func(name string) []byte { return must(os.ReadFile(filepath.Join(unitSecret, name)))(t) }
	dir := t.TempDir()
	if err := writeSecret(dir, read("tls.crt"), read("tls.key"), read("ca.crt")); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		source := archiveclient.CredentialDir(dir)
		first := must(source.Current())(t)
		other := func(name string) []byte { return must(os.ReadFile(filepath.Join(organizerSecret, name)))(t) }
		if err := writeSecret(dir, other("tls.crt"), read("tls.key"), read("ca.crt")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if must(source.Current())(t) != first {
			t.Error("a certificate was taken without its key")
		}
		if err := writeSecret(dir, other("tls.crt"), other("tls.key"), read("ca.crt")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		second := must(source.Current())(t)
		if second == first || second.Thumbprint() == first.Thumbprint() {
			t.Error("the renewed credential is not taken")
		}
		time.Sleep(time.Minute)
		if must(source.Current())(t) != second {
			t.Error("the same files are another credential")
		}
	})
}

// switching is a credential source that changes.
type switching struct {
	mu      sync.Mutex
	current *archiveclient.Credential
}

func (s *switching) Current() (*archiveclient.Credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current, nil
}

// An assertion names the certificate of its connection: with a new certificate both change together.
func TestRenewalUnderWay(t *testing.T) {
	source := &switching{current: must(archiveclient.CredentialDir(unitSecret).Current())(t)}
	c := unit(t, func(c *archiveclient.Config) { c.Credential = source })
	client := must(c.FindClient(t.Context(), identityCode))(t)
	source.mu.Lock()
	source.current = must(archiveclient.CredentialDir(organizerSecret).Current())(t)
	source.mu.Unlock()
	if again := must(c.RegisterClient(t.Context(), identityCode))(t); again != client { // the organizer only
		t.Error("another client")
	}
}

func TestConfig(t *testing.T) {
	for name, c := range map[string]archiveclient.Config{
		"no TLS":        {Endpoint: "http://localhost:1", Registry: registry, Credential: archiveclient.CredentialDir("x")},
		"no registry":   {Endpoint: endpoint, Credential: archiveclient.CredentialDir("x")},
		"no credential": {Endpoint: endpoint, Registry: registry},
	} {
		if _, err := archiveclient.New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	missing := unit(t, func(c *archiveclient.Config) { c.Credential = archiveclient.CredentialDir(t.TempDir()) })
	if _, err := missing.FindClient(t.Context(), identityCode); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no files: %v", err)
	}
	if _, err := archiveclient.ReadCredential(nil, nil, nil); err == nil {
		t.Error("an empty credential was read")
	}
	if _, err := archiveclient.ReadCard("1", "x", nil, cardKey); err == nil {
		t.Error("a card without a certificate was read")
	}
	broken := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})
	if _, err := archiveclient.ReadCard("1", "x", broken, cardKey); err == nil {
		t.Error("a broken card was read")
	}
	empty := note(uuid.New(), "")
	empty.JSON = nil
	if _, err := unit(t).StoreDocument(t.Context(), empty); err == nil || archiveclient.ReasonOf(err) != "" {
		t.Errorf("a document without bytes: %v", err)
	}
}
