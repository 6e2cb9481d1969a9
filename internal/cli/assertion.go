// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/assertion"
	"github.com/valtuus/valtuus/internal/pki"
)

// assertionFlags say who acts, by which card, over which connection.
type assertionFlags struct {
	registry, clientCert, cardCert, cardKey, subject, role string
	lifetime                                               time.Duration
}

func newAssertion() *cobra.Command {
	flags := assertionFlags{}
	cmd := &cobra.Command{
		Use:   "assertion",
		Short: "Print a professional assertion for one request, to try an archive with curl",
		Long: `Print a professional assertion for one request, to try an archive with curl.

A client system makes one for each request with the professional's card. This
command does the same with a key in a file, such as that of a test card.`,
		Example: `  curl --cacert ca.crt --cert tls.crt --key tls.key \
    -H "Professional-Assertion: $(valtuus assertion --registry 1.2.246.10.32213086.19.0 \
        --client-cert tls.crt --card-cert card.crt --card-key card.key --subject 1001)" \
    -H 'Content-Type: application/json' -d '{"identityCode":"020516C903K"}' \
    https://localhost:8443/v1/registries/1.2.246.10.32213086.19.0/clients/_search`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			token, err := flags.sign(clock.RealClock{})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), token)
			return err
		},
	}
	cmd.Flags().StringVar(&flags.registry, "registry", "", "OID of the registry")
	cmd.Flags().StringVar(&flags.clientCert, "client-cert", "", "file of the client certificate that the request is sent with")
	cmd.Flags().StringVar(&flags.cardCert, "card-cert", "", "file of the card's certificate and what it was issued under, leaf first")
	cmd.Flags().StringVar(&flags.cardKey, "card-key", "", "file of the card's key (P-256, PKCS #8)")
	cmd.Flags().StringVar(&flags.subject, "subject", "", "the professional's identifier, as on the card")
	cmd.Flags().StringVar(&flags.role, "role", "social-worker", "the professional's role")
	cmd.Flags().DurationVar(&flags.lifetime, "lifetime", time.Minute, "how long the assertion is good for, 5 minutes at most")
	required(cmd, "registry", "client-cert", "card-cert", "card-key", "subject")
	return cmd
}

func (f *assertionFlags) sign(now clock.PassiveClock) (string, error) {
	bound, err := readCertificates(f.clientCert)
	if err != nil {
		return "", err
	}
	chain, key, err := readCard(f.cardCert, f.cardKey)
	if err != nil {
		return "", err
	}
	at := now.Now()
	return assertion.Sign(assertion.Claims{
		Subject: f.subject, Role: f.role, Audience: assertion.AudienceOf(f.registry), IssuedAt: at, ExpiresAt: at.Add(f.lifetime),
		TokenID: assertion.NewTokenID(), ClientCertificate: pki.FingerprintOf(bound[0]),
	}, key, chain)
}

// readCard reads a card's certificates, leaf first, and its key.
func readCard(certFile, keyFile string) (chain []*x509.Certificate, key pki.Key, err error) {
	if chain, err = readCertificates(certFile); err != nil {
		return nil, pki.Key{}, err
	}
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, pki.Key{}, err
	}
	if key, err = pki.ParseKeyPEM(text); err != nil {
		return nil, pki.Key{}, fmt.Errorf("%s: %w", keyFile, err)
	}
	return chain, key, nil
}

func readCertificates(file string) ([]*x509.Certificate, error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var found []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		found = append(found, certificate)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: %w", file, errors.New("holds no certificate in PEM"))
	}
	return found, nil
}
