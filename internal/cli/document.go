// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/card"
	"github.com/valtuus/valtuus/internal/archive/signature"
	"github.com/valtuus/valtuus/internal/archive/store"
)

func newDocument() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "document",
		Short: "Work with documents outside an archive",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDocumentSign(), newDocumentVerify())
	return cmd
}

// signFlags say what to sign, and with which card.
type signFlags struct {
	body, contentType, cardCert, cardKey string
}

func newDocumentSign() *cobra.Command {
	flags := signFlags{}
	cmd := &cobra.Command{
		Use:   "sign",
		Short: "Print a signature over a document, to try an archive with curl",
		Long: `Print a signature over a document, to try an archive with curl.

A client system signs with the professional's card. This command does the same
with a key in a file, such as that of a test card.`,
		Example: `  curl ... --header "Document-Signature: $(valtuus document sign --body note.json \
    --card-cert card.crt --card-key card.key)" --data-binary @note.json ...`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			jws, err := flags.sign(clock.RealClock{})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), jws)
			return err
		},
	}
	cmd.Flags().StringVar(&flags.body, "body", "", "file of the document's bytes")
	contentTypeFlag(cmd, &flags.contentType)
	cmd.Flags().StringVar(&flags.cardCert, "card-cert", "", "file of the card's certificate and what it was issued under, leaf first")
	cmd.Flags().StringVar(&flags.cardKey, "card-key", "", "file of the card's key (P-256, PKCS #8)")
	required(cmd, "body", "card-cert", "card-key")
	return cmd
}

func (f *signFlags) sign(now clock.PassiveClock) (string, error) {
	if err := checkContentType(f.contentType); err != nil {
		return "", err
	}
	body, err := os.ReadFile(f.body)
	if err != nil {
		return "", err
	}
	chain, key, err := readCard(f.cardCert, f.cardKey)
	if err != nil {
		return "", err
	}
	return signature.Sign(body, f.contentType, key, chain, now.Now())
}

func contentTypeFlag(cmd *cobra.Command, value *string) {
	cmd.Flags().StringVar(value, "content-type", store.ContentJSON, "media type of the document: "+store.ContentJSON+" or "+store.ContentXHTML)
}

func checkContentType(text string) error {
	if text != store.ContentJSON && text != store.ContentXHTML {
		return usageError{fmt.Errorf("--content-type is %q, and must be %s or %s", text, store.ContentJSON, store.ContentXHTML)}
	}
	return nil
}

// verifyFlags say which document was signed, how, and what to judge it by.
type verifyFlags struct {
	body, contentType, signature, anchors, crl, at string
}

func newDocumentVerify() *cobra.Command {
	flags := verifyFlags{}
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Verify a professional's signature over a document, without the archive",
		Long: `Verify a professional's signature over a document, without the archive.

The body is the stored bytes as the archive gives them, the signature the JWS
that it gives beside them (JAdES baseline B-B). The card must have been valid when
it was signed and at --at, so for a signature whose card has expired since, give
the time when the archive stored the version. Whether the card had been revoked by then
is looked up in the lists of --crl.`,
		Example: `  valtuus document verify --body note.json --signature note.jws --anchors cards.pem \
    --at 2026-11-21T12:00:00Z`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := flags.verify(clock.RealClock{})
			if err != nil {
				return err
			}
			signer := found.Signer
			if signer == "" {
				signer = "unknown (the card has no identifier)"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "The signature is valid.\nSigner: %s\nSigned: %s\nCard:   %s\n",
				signer, found.SignedAt.Format(time.RFC3339), found.CardThumbprint)
			return err
		},
	}
	cmd.Flags().StringVar(&flags.body, "body", "", "file of the document's bytes")
	contentTypeFlag(cmd, &flags.contentType)
	cmd.Flags().StringVar(&flags.signature, "signature", "", "file of the signature")
	cmd.Flags().StringVar(&flags.anchors, "anchors", "", "file of the authorities of professionals' cards (PEM)")
	cmd.Flags().StringVar(&flags.crl, "crl", "", "file of the authorities' revocation lists (default: no card is known to be revoked)")
	cmd.Flags().StringVar(&flags.at, "at", "", "time at which the signature is known to have existed, as 2026-11-21T12:00:00Z (default: now)")
	required(cmd, "body", "signature", "anchors")
	return cmd
}

func (f *verifyFlags) verify(now clock.PassiveClock) (signature.Signature, error) {
	at := now.Now()
	if f.at != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, f.at); err != nil {
			return signature.Signature{}, usageError{fmt.Errorf("--at is %q, and must be a time such as 2026-11-21T12:00:00Z", f.at)}
		}
	}
	if err := checkContentType(f.contentType); err != nil {
		return signature.Signature{}, err
	}
	authorities, err := readCertificates(f.anchors)
	if err != nil {
		return signature.Signature{}, err
	}
	anchors := x509.NewCertPool()
	for _, authority := range authorities {
		anchors.AddCert(authority)
	}
	var revocations *card.Revocations
	if f.crl != "" {
		text, err := os.ReadFile(f.crl)
		if err != nil {
			return signature.Signature{}, err
		}
		if revocations, err = card.ParseRevocations(text); err != nil {
			return signature.Signature{}, fmt.Errorf("%s: %w", f.crl, err)
		}
	}
	jws, err := os.ReadFile(f.signature)
	if err != nil {
		return signature.Signature{}, err
	}
	body, err := os.ReadFile(f.body)
	if err != nil {
		return signature.Signature{}, err
	}
	// An editor or a shell ends a file with a line break.
	return new(signature.Verifier).Verify(strings.TrimRight(string(jws), "\r\n"), body, f.contentType, signature.Options{
		Anchors: anchors, Revocations: revocations, At: at,
	})
}
