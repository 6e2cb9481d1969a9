// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/valtuus/valtuus/internal/archive/logproof"
)

// ErrRefused says that the witness does not cosign the checkpoint. It knows the log as something else.
var ErrRefused = errors.New("the witness refuses to cosign")

// Client asks a witness to cosign checkpoints.
type Client struct {
	address  string
	verifier note.Verifier
	http     *http.Client

	mu sync.Mutex
	// sizes are those of the trees that the witness cosigned last, by origin.
	sizes map[string]int64
}

// NewClient makes a client of "URL=VKEY": where the witness takes requests, and its verifier key.
func NewClient(text string, transport http.RoundTripper) (*Client, error) {
	address, key, found := strings.Cut(text, "=")
	at, err := url.Parse(address)
	if !found || err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" || at.RawQuery != "" {
		return nil, errors.New("a witness is given as URL=VKEY")
	}
	verifier, err := ParseVerifier(key)
	if err != nil {
		return nil, err
	}
	return &Client{
		address: at.JoinPath("add-checkpoint").String(), verifier: verifier, sizes: map[string]int64{},
		http: &http.Client{
			Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// ParseVerifier reads the verifier key of a witness.
func ParseVerifier(text string) (note.Verifier, error) {
	verifier, err := cosign.NewVerifierForCosignatureV1(text)
	if err != nil {
		return nil, fmt.Errorf("this is no verifier key of a witness: %w", err)
	}
	return verifier, nil
}

// Verifier knows the witness's cosignatures.
func (c *Client) Verifier() note.Verifier { return c.verifier }

// Cosign gives the note's line of the witness's cosignature of the checkpoint. consistency proves that the
// checkpoint's tree begins with one of a former size. ErrRefused.
func (c *Client) Cosign(ctx context.Context, checkpoint logproof.Checkpoint, consistency func(former int64) (tlog.TreeProof, error)) ([]byte, error) {
	c.mu.Lock()
	former := min(c.sizes[checkpoint.Origin], checkpoint.Tree.N)
	c.mu.Unlock()
	line, known, err := c.ask(ctx, checkpoint, former, consistency)
	if err == nil && line == nil { // it knows another size
		if known > checkpoint.Tree.N || known == former {
			return nil, fmt.Errorf("%w: it knows a tree of %d, and this one has %d", ErrRefused, known, checkpoint.Tree.N)
		}
		if line, _, err = c.ask(ctx, checkpoint, known, consistency); err == nil && line == nil {
			err = fmt.Errorf("%w: it knows another tree of %d", ErrRefused, known)
		}
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sizes[checkpoint.Origin] = checkpoint.Tree.N
	return line, nil
}

// ask sends the checkpoint. Without a line, the witness knows a tree of another size.
func (c *Client) ask(ctx context.Context, checkpoint logproof.Checkpoint, former int64, consistency func(int64) (tlog.TreeProof, error)) (line []byte, known int64, err error) {
	proof, err := consistency(former)
	if err != nil {
		return nil, 0, err
	}
	body := (&request{old: former, proof: proof, checkpoint: checkpoint.Text}).encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	answer, err := c.http.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxBody))
	if err != nil {
		return nil, 0, err
	}
	switch answer.StatusCode {
	case http.StatusOK:
		line, err = c.cosignature(checkpoint, text)
		return line, 0, err
	case http.StatusConflict:
		if answer.Header.Get("Content-Type") != sizeType {
			return nil, 0, fmt.Errorf("%w: it knows another tree of %d", ErrRefused, checkpoint.Tree.N)
		}
		known, err = strconv.ParseInt(strings.TrimSuffix(string(text), "\n"), 10, 64)
		if err != nil || known < 0 {
			return nil, 0, errors.New("the witness answers what is no size")
		}
		return nil, known, nil
	case http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity:
		return nil, 0, fmt.Errorf("%w: %s", ErrRefused, answer.Status)
	default:
		return nil, 0, fmt.Errorf("the witness answers %s", answer.Status)
	}
}

// cosignature gives the line of the witness's own cosignature, once it holds.
func (c *Client) cosignature(checkpoint logproof.Checkpoint, lines []byte) ([]byte, error) {
	opened, err := note.Open(append(bytes.Clone(checkpoint.Text), lines...), note.VerifierList(c.verifier))
	if err != nil {
		return nil, fmt.Errorf("the witness's cosignature does not hold: %w", err)
	}
	for _, one := range opened.Sigs {
		if one.Name == c.verifier.Name() && one.Hash == c.verifier.KeyHash() {
			return fmt.Appendf(nil, "\u2014 %s %s\n", one.Name, one.Base64), nil
		}
	}
	return nil, errors.New("the witness answers without its cosignature")
}
