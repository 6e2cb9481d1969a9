// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/testenv"
)

// mishap is one way in which an archive cannot start.
type mishap struct {
	name   string
	reason failure.Reason
	// database says that the archive is on one.
	database bool
	// cause brings it about; what it gives comes behind the archive's flags.
	cause func(g Gomega, b *binary, d *database) []string
	// status is the exit status, 1 unless said otherwise.
	status int
}

// TestAnArchiveThatCannotStartTellsWhy starts real processes into real causes. Each ends with one line and a report, in
// which no secret is.
func TestAnArchiveThatCannotStartTellsWhy(t *testing.T) {
	t.Parallel()
	c := shared.of(t)
	s := c.begin(t, settings{})
	cases := append(mishapsOfTheDatabase(), s.mishapsOfTheStore()...)
	cases = append(cases, s.mishapsOfWhatIsGiven()...)
	for _, m := range cases {
		t.Run(m.name, func(t *testing.T) {
			g := NewWithT(t)
			var d *database
			if m.database {
				d = newDatabase(t)
			}
			b := s.binary("mishap-0", d)
			var flags []string
			if m.cause != nil {
				flags = m.cause(g, b, d)
			}
			b.failsToStart(t, m, flags...)
			if d != nil {
				g.Expect(b.said(g)).NotTo(ContainSubstring(passwordOf(g, d.uri)))
			}
		})
	}
}

// failsToStart starts the process, which must end with the reason.
func (b *binary) failsToStart(t *testing.T, m mishap, flags ...string) {
	t.Helper()
	g := NewWithT(t)
	report := filepath.Join(filepath.Dir(b.log), "termination-log")
	b.command = append(append(b.command, "--termination-log", report), flags...)
	g.Expect(b.launch(t)).To(Succeed())
	select {
	case <-b.ended:
	case <-time.After(patience):
		t.Fatalf("it runs; it said:\n%s", b.said(g))
	}
	var status *exec.ExitError
	g.Expect(errors.As(b.err, &status)).To(BeTrue(), "%v", b.err)
	g.Expect(status.ExitCode()).To(Equal(max(m.status, 1)), b.said(g))
	lines := strings.Split(strings.TrimSpace(b.said(g)), "\n")
	var told failure.Report
	text, err := os.ReadFile(report)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(json.Unmarshal(text, &told)).To(Succeed())
	g.Expect(told.Reason).To(Equal(m.reason), told.Message)
	g.Expect(told.Message).NotTo(BeEmpty())
	g.Expect(lines[len(lines)-1]).To(Equal("valtuus: "+told.String()), "the last line")
	for _, line := range lines[:len(lines)-1] {
		g.Expect(line).To(HavePrefix("{"), "beside the log and the last line")
	}
	t.Logf("%s", lines[len(lines)-1])
}

func (b *binary) said(g Gomega) string {
	text, err := os.ReadFile(b.log)
	g.Expect(err).NotTo(HaveOccurred())
	return string(text)
}

func passwordOf(g Gomega, uri string) string {
	u, err := url.Parse(uri)
	g.Expect(err).NotTo(HaveOccurred())
	password, _ := u.User.Password()
	g.Expect(password).NotTo(BeEmpty())
	return password
}

// with gives the flag of a file with the content.
func with(g Gomega, b *binary, flag, content string) []string {
	file := filepath.Join(filepath.Dir(b.log), strings.TrimLeft(flag, "-"))
	g.Expect(os.WriteFile(file, []byte(content), 0o600)).To(Succeed())
	return []string{flag, file}
}

// at gives the flag of the database's URI after a change.
func at(g Gomega, b *binary, d *database, change func(*url.URL)) []string {
	u, err := url.Parse(d.uri)
	g.Expect(err).NotTo(HaveOccurred())
	change(u)
	return with(g, b, "--postgres-uri-file", u.String())
}

func run(g Gomega, uri string, statements ...string) {
	conn, err := pgx.Connect(background, uri)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = conn.Close(background) }()
	for _, statement := range statements {
		_, err := conn.Exec(background, statement)
		g.Expect(err).NotTo(HaveOccurred(), statement)
	}
}

// role makes a user that may connect to the database and no more.
func role(g Gomega, d *database, clauses string) (name, password string) {
	name, password = "mishap_"+strings.ToLower(rand.Text()), rand.Text()
	run(g, d.uri, "CREATE ROLE "+name+" LOGIN PASSWORD '"+password+"'")
	if clauses != "" {
		run(g, d.uri, "ALTER ROLE "+name+" "+clauses, "GRANT ALL ON SCHEMA public TO "+name)
	}
	return name, password
}

func mishapsOfTheDatabase() []mishap {
	as := func(clauses string) func(Gomega, *binary, *database) []string {
		return func(g Gomega, b *binary, d *database) []string {
			name, password := role(g, d, clauses)
			return at(g, b, d, func(u *url.URL) { u.User = url.UserPassword(name, password) })
		}
	}
	return []mishap{
		{name: "no URI", reason: failure.DatabaseURIInvalid, database: true, cause: func(g Gomega, b *binary, _ *database) []string {
			return with(g, b, "--postgres-uri-file", "\n")
		}},
		{name: "no file of the URI", reason: failure.DatabaseURIInvalid, database: true, cause: func(Gomega, *binary, *database) []string {
			return []string{"--postgres-uri-file", "/nonexistent/uri"}
		}},
		{name: "a wrong URI", reason: failure.DatabaseURIInvalid, database: true, cause: func(g Gomega, b *binary, d *database) []string {
			return with(g, b, "--postgres-uri-file", strings.Replace(d.uri, "sslmode=disable", "sslmode=perhaps", 1))
		}},
		{name: "nobody at the address", reason: failure.DatabaseUnreachable, database: true, cause: func(g Gomega, b *binary, d *database) []string {
			return at(g, b, d, func(u *url.URL) { u.Host = "127.0.0.1:1" })
		}},
		{name: "no such host", reason: failure.DatabaseUnreachable, database: true, cause: func(g Gomega, b *binary, d *database) []string {
			return at(g, b, d, func(u *url.URL) { u.Host = "nowhere.invalid:5432" })
		}},
		{name: "a server without TLS", reason: failure.DatabaseUnreachable, database: true, cause: func(g Gomega, b *binary, d *database) []string {
			return at(g, b, d, func(u *url.URL) { u.RawQuery = "sslmode=verify-full" })
		}},
		{name: "a wrong password", reason: failure.DatabaseAuthenticationFailed, database: true, cause: func(g Gomega, b *binary, d *database) []string {
			return at(g, b, d, func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), passwordOf(g, d.uri)+"-former") })
		}},
		{name: "no such database", reason: failure.DatabaseUnknown, database: true, cause: func(g Gomega, b *binary, d *database) []string {
			return at(g, b, d, func(u *url.URL) { u.Path = "/nowhere" })
		}},
		{name: "no permission", reason: failure.DatabaseForbidden, database: true, cause: as("")},
		{name: "read-only", reason: failure.DatabaseReadOnly, database: true, cause: as("SET default_transaction_read_only = on")},
		{name: "a server that promises nothing", reason: failure.DatabaseUnfit, database: true, cause: func(g Gomega, b *binary, d *database) []string {
			return at(g, b, d, func(u *url.URL) { u.RawQuery += "&synchronous_commit=off" })
		}},
		{name: "an older schema", reason: failure.SchemaTooOld, database: true, cause: func(Gomega, *binary, *database) []string {
			return []string{"--migrate=false"}
		}},
		{name: "a newer schema", reason: failure.SchemaTooNew, database: true, cause: func(g Gomega, _ *binary, d *database) []string {
			_, err := postgres.MigrateSchema(background, d.uri)
			g.Expect(err).NotTo(HaveOccurred())
			run(g, d.uri, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)", "UPDATE schema_writers SET oldest = 9999")
			return nil
		}},
		{name: "a restore that was cut", reason: failure.StoreNotWhole, database: true, cause: func(g Gomega, _ *binary, d *database) []string {
			_, err := postgres.MigrateSchema(background, d.uri)
			g.Expect(err).NotTo(HaveOccurred())
			run(g, d.uri, "UPDATE archive_info SET state = 'importing'")
			return nil
		}},
	}
}

func (s *scene) mishapsOfTheStore() []mishap {
	return []mishap{
		{name: "a data directory in use", reason: failure.VolumeInUse, cause: func(g Gomega, b *binary, _ *database) []string {
			unlock, err := sqlite.Lock(b.DataDir)
			g.Expect(err).NotTo(HaveOccurred())
			s.t.Cleanup(func() { _ = unlock() }) // nor does the garbage collector close it before
			return nil
		}},
		{name: "a file that is no store", reason: failure.StoreDamaged, cause: func(g Gomega, b *binary, _ *database) []string {
			g.Expect(os.MkdirAll(b.DataDir, 0o700)).To(Succeed())
			g.Expect(os.WriteFile(filepath.Join(b.DataDir, "identity.key"), make([]byte, 32), 0o600)).To(Succeed())
			g.Expect(os.WriteFile(filepath.Join(b.DataDir, sqlite.FileName), []byte(strings.Repeat("no store ", 1000)), 0o600)).To(Succeed())
			return nil
		}},
		{name: "a store without its key", reason: failure.KeyMissing, cause: func(g Gomega, b *binary, _ *database) []string {
			_, err := sqlite.MigrateSchema(background, b.DataDir)
			g.Expect(err).NotTo(HaveOccurred())
			return nil
		}},
		{name: "a new store that is not to be made", reason: failure.SchemaTooOld, cause: func(Gomega, *binary, *database) []string {
			return []string{"--migrate=false"}
		}},
		{name: "no file of the identity key", reason: failure.KeyMissing, database: true, cause: func(Gomega, *binary, *database) []string {
			return []string{"--identity-key-file", "/nonexistent/identity.key"}
		}},
		{name: "no file of client keys", reason: failure.KeyMissing, database: true, cause: func(Gomega, *binary, *database) []string {
			return []string{"--client-key-file", "/nonexistent/client.key"}
		}},
		{name: "no file of the log's key", reason: failure.KeyMissing, database: true, cause: func(Gomega, *binary, *database) []string {
			return []string{"--log-key-file", "/nonexistent/log.key"}
		}},
		{name: "a short identity key", reason: failure.KeyInvalid, database: true, cause: func(g Gomega, b *binary, _ *database) []string {
			return with(g, b, "--identity-key-file", "short")
		}},
		{name: "a damaged file of client keys", reason: failure.KeyInvalid, database: true, cause: func(g Gomega, b *binary, _ *database) []string {
			return with(g, b, "--client-key-file", "no key")
		}},
		{name: "a damaged key of the log", reason: failure.KeyInvalid, database: true, cause: func(g Gomega, b *binary, _ *database) []string {
			return with(g, b, "--log-key-file", "no key")
		}},
		{name: "another identity key", reason: failure.KeyMismatch, database: true, cause: func(g Gomega, b *binary, d *database) []string {
			_, err := postgres.MigrateSchema(background, d.uri)
			g.Expect(err).NotTo(HaveOccurred())
			run(g, d.uri, `UPDATE archive_info SET identity_key_check = '\x00', store_id = '\x0123456789abcdef0123456789abcdef'`)
			return nil
		}},
	}
}

func (s *scene) mishapsOfWhatIsGiven() []mishap {
	other := func(flag, value string) func(Gomega, *binary, *database) []string {
		return func(Gomega, *binary, *database) []string { return []string{flag, value} }
	}
	return []mishap{
		{name: "no certificate", reason: failure.CertificateInvalid, cause: other("--tls-cert", "/nonexistent/tls.crt")},
		{name: "an expired certificate", reason: failure.CertificateInvalid, cause: func(g Gomega, b *binary, _ *database) []string {
			cert, key := certificateUntil(g, time.Now().Add(-time.Hour))
			return append(with(g, b, "--tls-cert", cert), with(g, b, "--tls-key", key)...)
		}},
		{name: "no authority of clients", reason: failure.ClientAuthorityInvalid, cause: func(g Gomega, b *binary, _ *database) []string {
			return with(g, b, "--client-ca", "no certificate")
		}},
		{name: "no revocation list", reason: failure.RevocationListInvalid, cause: other("--card-crl", "/nonexistent/crl")},
		{name: "no catalog", reason: failure.CatalogInvalid, cause: func(g Gomega, b *binary, _ *database) []string {
			return []string{"--catalog", s.t.TempDir()}
		}},
		{name: "a witness without a key", reason: failure.WitnessInvalid, cause: other("--log-witness", "https://witness.example.fi")},
		{name: "an address in use", reason: failure.AddressUnavailable, cause: func(g Gomega, b *binary, _ *database) []string {
			var listen net.ListenConfig
			taken, err := listen.Listen(background, "tcp", "127.0.0.1:0")
			g.Expect(err).NotTo(HaveOccurred())
			s.t.Cleanup(func() { _ = taken.Close() })
			return []string{"--listen", taken.Addr().String()}
		}},
		{name: "no way to a cluster", reason: failure.ClusterUnknown, cause: other("--kubeconfig", "/nonexistent/kubeconfig")},
		{name: "no such Archive", reason: failure.ArchiveUnknown, cause: other("--archive", s.Platform+"/nowhere")},
		{name: "an Archive that it may not read", reason: failure.ArchiveForbidden, cause: func(g Gomega, b *binary, _ *database) []string {
			cfg, err := s.cluster.AddUser("nobody-of-mishaps")
			g.Expect(err).NotTo(HaveOccurred())
			file := filepath.Join(filepath.Dir(b.log), "kubeconfig-of-nobody")
			g.Expect(testenv.WriteKubeconfig(cfg, file)).To(Succeed())
			return []string{"--kubeconfig", file}
		}},
		{name: "a command line that cannot be followed", reason: failure.CommandInvalid, status: 2, cause: other("--archive", "no-namespace")},
	}
}

// certificateUntil makes a server certificate that ends at the time, with its key.
func certificateUntil(g Gomega, end time.Time) (cert, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	g.Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: end.Add(-time.Hour), NotAfter: end, DNSNames: []string{"localhost"}}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	g.Expect(err).NotTo(HaveOccurred())
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	g.Expect(err).NotTo(HaveOccurred())
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}
