// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pki_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/pki"
)

func pool(t testing.TB, bundle []byte) *x509.CertPool {
	t.Helper()
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(bundle) {
		t.Fatal("bundle holds no certificate")
	}
	return p
}

func verify(t testing.TB, cert *x509.Certificate, issuer pki.Issuer, usage x509.ExtKeyUsage, at time.Time) error {
	t.Helper()
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: pool(t, issuer.Bundle()), CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage},
	})
	return err
}

func TestCA(t *testing.T) {
	g := NewWithT(t)
	ca := newCA(t)
	cert := ca.Certificate()
	g.Expect(cert.IsCA).To(BeTrue())
	g.Expect(cert.MaxPathLenZero).To(BeTrue())
	g.Expect(cert.KeyUsage).To(Equal(x509.KeyUsageCertSign))
	g.Expect(cert.ExtKeyUsage).To(BeEmpty())
	g.Expect(cert.NotBefore).To(Equal(start.Add(-time.Hour)))
	g.Expect(cert.NotAfter).To(Equal(start.Add(365 * 24 * time.Hour)))
	g.Expect(cert.SubjectKeyId).NotTo(BeEmpty())

	loaded, err := pki.LoadCA(ca.CertificatePEM(), ca.KeyPEM())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(loaded.CertificatePEM()).To(Equal(ca.CertificatePEM()))
	g.Expect(loaded.KeyPEM()).To(Equal(ca.KeyPEM()))

	_, err = pki.NewCA("x", start, 0)
	g.Expect(err).To(MatchError(pki.ErrValidity))
	var zero pki.CA
	g.Expect(zero.IsZero()).To(BeTrue())
	g.Expect(zero.KeyPEM()).To(BeNil())
	g.Expect(zero.CertificatePEM()).To(BeNil())
}

func TestLoadCARefuses(t *testing.T) {
	g := NewWithT(t)
	ca, other := newCA(t), newCA(t)
	_, err := pki.LoadCA(ca.CertificatePEM(), other.KeyPEM())
	g.Expect(err).To(MatchError(pki.ErrCA), "another CA's key")
	_, err = pki.LoadCA(append(ca.CertificatePEM(), other.CertificatePEM()...), ca.KeyPEM())
	g.Expect(err).To(MatchError(pki.ErrCA), "two certificates")
	_, err = pki.LoadCA(ca.CertificatePEM(), nil)
	g.Expect(err).To(MatchError(pki.ErrKey), "no key")
	_, err = pki.LoadCA(nil, ca.KeyPEM())
	g.Expect(err).To(MatchError(pki.ErrCA), "no certificate")
	key := newKey(t)
	request := clientRequest(t)
	request.PublicKey = key.Public()
	leaf, err := pki.NewBuiltIn(ca).Issue(context.Background(), request)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = pki.LoadCA(leaf.PEM, key.PEM())
	g.Expect(err).To(MatchError(pki.ErrCA), "a leaf")
	for name, template := range map[string]*x509.Certificate{
		"not an authority":      {KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true},
		"signs no certificates": {KeyUsage: x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true},
		"no constraints":        {KeyUsage: x509.KeyUsageCertSign},
	} {
		template.SerialNumber = pki.NewSerial()
		template.NotBefore, template.NotAfter = start, start.Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		g.Expect(err).NotTo(HaveOccurred())
		_, err = pki.LoadCA(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), key.PEM())
		g.Expect(err).To(MatchError(pki.ErrCA), name)
	}
}

func TestIssueClient(t *testing.T) {
	g := NewWithT(t)
	issuer := pki.NewBuiltIn(newCA(t))
	request := clientRequest(t)
	issued, err := issuer.Issue(context.Background(), request)
	g.Expect(err).NotTo(HaveOccurred())

	cert := issued.Certificate
	g.Expect(cert.KeyUsage).To(Equal(x509.KeyUsageDigitalSignature))
	g.Expect(cert.ExtKeyUsage).To(Equal([]x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}))
	g.Expect(cert.UnknownExtKeyUsage).To(BeEmpty())
	g.Expect(cert.IsCA).To(BeFalse())
	g.Expect(cert.SerialNumber).To(Equal(request.Serial))
	g.Expect(cert.NotBefore).To(Equal(request.NotBefore))
	g.Expect(cert.NotAfter).To(Equal(request.NotAfter))
	g.Expect(cert.Subject.String()).To(Equal("CN=unit"))
	g.Expect(cert.DNSNames).To(BeEmpty())
	g.Expect(pki.IdentityOf(cert)).To(Equal(unit))
	g.Expect(cert.PublicKey.(*ecdsa.PublicKey).Equal(request.PublicKey)).To(BeTrue())
	g.Expect(issued.Fingerprint).To(Equal(pki.FingerprintOf(cert)))
	block, rest := pem.Decode(issued.PEM)
	g.Expect(block.Bytes).To(Equal(issued.DER))
	g.Expect(rest).To(BeEmpty())

	g.Expect(verify(t, cert, issuer, x509.ExtKeyUsageClientAuth, start)).To(Succeed())
	g.Expect(verify(t, cert, issuer, x509.ExtKeyUsageServerAuth, start)).NotTo(Succeed())
	g.Expect(verify(t, cert, issuer, x509.ExtKeyUsageClientAuth, request.NotAfter.Add(time.Second))).NotTo(Succeed())
}

func TestIssueOrganizer(t *testing.T) {
	g := NewWithT(t)
	request := clientRequest(t)
	request.Identity.Unit = ""
	issued, err := pki.NewBuiltIn(newCA(t)).Issue(context.Background(), request)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(issued.Certificate.Subject.String()).To(Equal("CN=organizer"))
	g.Expect(pki.IdentityOf(issued.Certificate)).To(Equal(request.Identity))
}

// Both authorities have the same name on purpose: only the key tells them apart.
func TestLeafOfAnotherCADoesNotVerify(t *testing.T) {
	g := NewWithT(t)
	ours, theirs := pki.NewBuiltIn(newCA(t)), pki.NewBuiltIn(newCA(t))
	issued, err := theirs.Issue(context.Background(), clientRequest(t))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(verify(t, issued.Certificate, theirs, x509.ExtKeyUsageClientAuth, start)).To(Succeed())
	g.Expect(verify(t, issued.Certificate, ours, x509.ExtKeyUsageClientAuth, start)).NotTo(Succeed())
}

func TestIssueRefuses(t *testing.T) {
	ca := newCA(t)
	issuer := pki.NewBuiltIn(ca)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*pki.ClientRequest)
		want   error
	}{
		"P-384":            {func(r *pki.ClientRequest) { r.PublicKey = p384.Public() }, pki.ErrKeyType},
		"RSA":              {func(r *pki.ClientRequest) { r.PublicKey = rsaKey.Public() }, pki.ErrKeyType},
		"no key":           {func(r *pki.ClientRequest) { r.PublicKey = nil }, pki.ErrKeyType},
		"nil key":          {func(r *pki.ClientRequest) { r.PublicKey = (*ecdsa.PublicKey)(nil) }, pki.ErrKeyType},
		"off the curve":    {func(r *pki.ClientRequest) { r.PublicKey = offCurve() }, pki.ErrKeyType},
		"no serial":        {func(r *pki.ClientRequest) { r.Serial = nil }, pki.ErrSerial},
		"serial zero":      {func(r *pki.ClientRequest) { r.Serial = new(big.Int) }, pki.ErrSerial},
		"negative serial":  {func(r *pki.ClientRequest) { r.Serial = big.NewInt(-1) }, pki.ErrSerial},
		"long serial":      {func(r *pki.ClientRequest) { r.Serial = new(big.Int).Lsh(big.NewInt(1), 159) }, pki.ErrSerial},
		"outlives the CA":  {func(r *pki.ClientRequest) { r.NotAfter = ca.Certificate().NotAfter.Add(time.Second) }, pki.ErrValidity},
		"ends at start":    {func(r *pki.ClientRequest) { r.NotAfter = r.NotBefore }, pki.ErrValidity},
		"no time":          {func(r *pki.ClientRequest) { r.NotAfter = time.Time{} }, pki.ErrValidity},
		"no trust domain":  {func(r *pki.ClientRequest) { r.Identity.TrustDomain = "" }, pki.ErrIdentity},
		"registry no OID":  {func(r *pki.ClientRequest) { r.Identity.Registry = "x/unit" }, pki.ErrIdentity},
		"unit no OID":      {func(r *pki.ClientRequest) { r.Identity.Unit = "../organizer" }, pki.ErrIdentity},
		"SPIFFE ID domain": {func(r *pki.ClientRequest) { r.Identity.TrustDomain = "spiffe://a" }, pki.ErrIdentity},
	} {
		request := clientRequest(t)
		c.change(&request)
		if issued, err := issuer.Issue(context.Background(), request); !errors.Is(err, c.want) || issued.Certificate != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (pki.BuiltIn{}).Issue(context.Background(), clientRequest(t)); !errors.Is(err, pki.ErrCA) {
		t.Errorf("zero issuer: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := issuer.Issue(ctx, clientRequest(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestIssueServer(t *testing.T) {
	g := NewWithT(t)
	issuer := pki.NewBuiltIn(newCA(t))
	request := pki.ServerRequest{
		DNSNames:  []string{"archive.example"},
		IPs:       []net.IP{net.IPv4(192, 0, 2, 1)},
		PublicKey: newKey(t).Public(), Serial: pki.NewSerial(),
		NotBefore: start, NotAfter: start.Add(time.Hour),
	}
	issued, err := issuer.IssueServer(context.Background(), request)
	g.Expect(err).NotTo(HaveOccurred())
	cert := issued.Certificate
	g.Expect(cert.ExtKeyUsage).To(Equal([]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}))
	g.Expect(cert.Subject.String()).To(BeEmpty())
	g.Expect(cert.VerifyHostname("archive.example")).To(Succeed())
	g.Expect(cert.VerifyHostname("192.0.2.1")).To(Succeed())
	g.Expect(verify(t, cert, issuer, x509.ExtKeyUsageServerAuth, start)).To(Succeed())
	g.Expect(verify(t, cert, issuer, x509.ExtKeyUsageClientAuth, start)).NotTo(Succeed())
	_, err = pki.IdentityOf(cert)
	g.Expect(err).To(MatchError(pki.ErrIdentity))

	request.DNSNames, request.IPs = nil, nil
	_, err = issuer.IssueServer(context.Background(), request)
	g.Expect(err).To(MatchError(pki.ErrNoName))
}

// A key handed to crypto/tls as a crypto.Signer serves TLS 1.3 in both roles.
func TestHandshake(t *testing.T) {
	g := NewWithT(t)
	issuer := pki.NewBuiltIn(newCA(t))
	serverKey, clientKey := newKey(t), newKey(t)
	server, err := issuer.IssueServer(context.Background(), pki.ServerRequest{
		DNSNames: []string{"archive.example"}, PublicKey: serverKey.Public(), Serial: pki.NewSerial(),
		NotBefore: start, NotAfter: start.Add(time.Hour),
	})
	g.Expect(err).NotTo(HaveOccurred())
	request := clientRequest(t)
	request.PublicKey = clientKey.Public()
	client, err := issuer.Issue(context.Background(), request)
	g.Expect(err).NotTo(HaveOccurred())

	clock := func() time.Time { return start }
	roots := pool(t, issuer.Bundle())
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	result := make(chan error, 1)
	serverConn := tls.Server(a, &tls.Config{
		MinVersion: tls.VersionTLS13, Time: clock, ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert,
		Certificates:           []tls.Certificate{{Certificate: [][]byte{server.DER}, PrivateKey: serverKey}},
		SessionTicketsDisabled: true,
	})
	go func() { result <- serverConn.Handshake() }()
	clientConn := tls.Client(b, &tls.Config{
		MinVersion: tls.VersionTLS13, Time: clock, RootCAs: roots, ServerName: "archive.example",
		Certificates: []tls.Certificate{{Certificate: [][]byte{client.DER}, PrivateKey: clientKey}},
	})
	g.Expect(clientConn.Handshake()).To(Succeed())
	g.Expect(<-result).To(Succeed())
	g.Expect(pki.FingerprintOf(serverConn.ConnectionState().PeerCertificates[0])).To(Equal(client.Fingerprint))
}

func TestNewSerial(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		n := pki.NewSerial()
		if n.Sign() <= 0 || n.BitLen() > 128 || seen[n.String()] {
			t.Fatalf("serial %s", n)
		}
		seen[n.String()] = true
	}
}

func BenchmarkIssue(b *testing.B) {
	issuer := pki.NewBuiltIn(newCA(b))
	request := clientRequest(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := issuer.Issue(context.Background(), request); err != nil {
			b.Fatal(err)
		}
	}
}

// offCurve sets the coordinates directly: every proper way in checks the point.
func offCurve() *ecdsa.PublicKey {
	return &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)} //nolint:staticcheck // see above
}
