// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json"

	"github.com/valtuus/valtuus/api/v1alpha1"
	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/identitycode"
	"github.com/valtuus/valtuus/internal/pki"
)

// maxSize is the longest report, in bytes: a ConfigMap holds no longer one.
const maxSize = 1 << 20

// Errors of a report that is not to be believed. Compare with errors.Is.
var (
	// ErrMalformed: it is no signed report.
	ErrMalformed = errors.New("this is no signed report of a deployment test")
	// ErrSigner: the key was not certified by the authority for reports.
	ErrSigner = errors.New("the key that signed the report was not certified for that by this authority")
	// ErrSignature: it was changed after it was signed, or signed by another key.
	ErrSignature = errors.New("the signature does not fit the report: it was changed, or signed by another key")
	// ErrContradiction: it says what cannot be.
	ErrContradiction = errors.New("the report contradicts itself")
	// ErrEvidence: it is not proven.
	ErrEvidence = errors.New("the evidence does not prove what the report says")
)

// Options are what a report is verified against.
type Options struct {
	// Authority is the certificate of the archive's authority.
	Authority *x509.CertPool
	// Log knows the checkpoints of the archive's access log; nil leaves it open whether the checkpoint is the log's.
	Log *logproof.Verifier
}

// Authority reads the certificates of an authority in PEM.
func Authority(text []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, ErrSigner
	}
	return pool, nil
}

// Verified is a report that holds.
type Verified struct {
	Document
	Digest string
	// Proven counts the events that are proven to be under the checkpoint, Unproven those that are not.
	Proven, Unproven int
}

// Verify reads a signed report and holds it against what is known.
func Verify(jws string, opts Options) (Verified, error) {
	if opts.Authority == nil {
		return Verified{}, ErrSigner
	}
	payload, leaf, err := open(jws)
	if err != nil {
		return Verified{}, err
	}
	v := Verified{Digest: DigestOf(jws)}
	if err := decode(payload, &v.Document); err != nil {
		return Verified{}, err
	}
	if err := certified(leaf, &v.Document, opts); err != nil {
		return Verified{}, err
	}
	if err := v.consistent(); err != nil {
		return Verified{}, fmt.Errorf("%w: %w", ErrContradiction, err)
	}
	if err := v.prove(opts); err != nil {
		return Verified{}, fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	return v, nil
}

// open reads the three parts and checks the signature.
func open(text string) (payload []byte, leaf *x509.Certificate, err error) {
	parts := strings.Split(text, ".")
	if len(text) > maxSize || len(parts) != 3 || strings.ContainsAny(text, "\r\n") {
		return nil, nil, ErrMalformed
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(parts[0])
	if err != nil {
		return nil, nil, ErrMalformed
	}
	var fields map[string]josejson.RawMessage // go-jose's decoder refuses names that come twice
	if err := josejson.Unmarshal(raw, &fields); err != nil || len(fields) != 3 {
		return nil, nil, ErrMalformed
	}
	var (
		algorithm, kind string
		chain           [][]byte
	)
	if josejson.Unmarshal(fields["alg"], &algorithm) != nil || josejson.Unmarshal(fields["typ"], &kind) != nil ||
		josejson.Unmarshal(fields["x5c"], &chain) != nil || algorithm != string(jose.ES256) || kind != joseType || len(chain) != 1 {
		return nil, nil, ErrMalformed
	}
	if leaf, err = x509.ParseCertificate(chain[0]); err != nil {
		return nil, nil, ErrMalformed
	}
	key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, nil, ErrSigner
	}
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, nil, ErrMalformed
	}
	if payload, err = signed.Verify(key); err != nil {
		return nil, nil, ErrSignature
	}
	return payload, leaf, nil
}

// decode reads the document in its one form, so that no two programs read two things.
func decode(payload []byte, d *Document) error {
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(d); err != nil {
		return ErrMalformed
	}
	again, err := d.encode()
	if err != nil || !bytes.Equal(again, payload) || d.Format != Format {
		return ErrMalformed
	}
	return nil
}

// documentSigning is id-kp-documentSigning (RFC 9336). The credentials of the archive's clients are not for that, so that no
// client signs a report.
var documentSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36}

// certified checks that the authority certified the key for documents, as of the time of signing.
func certified(leaf *x509.Certificate, d *Document, opts Options) error {
	at := d.Times.SignedAt.Time
	if at.Before(leaf.NotBefore) || at.After(leaf.NotAfter) || leaf.IsCA || len(leaf.ExtKeyUsage) > 0 ||
		!slices.ContainsFunc(leaf.UnknownExtKeyUsage, documentSigning.Equal) || leaf.Subject.CommonName != pki.SignerName {
		return ErrSigner
	}
	if _, err := leaf.Verify(x509.VerifyOptions{
		Roots: opts.Authority, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}); err != nil {
		return ErrSigner
	}
	return nil
}

// order is that of the steps.
var order = []v1alpha1.TestStepName{
	v1alpha1.StepRelationshipStored, v1alpha1.StepProducerSearched, v1alpha1.StepProducerRead, v1alpha1.StepProducerStored,
	v1alpha1.StepOrganizerSearched, v1alpha1.StepOrganizerRead, v1alpha1.StepRelationshipEnded, v1alpha1.StepProducerRefused,
}

// consistent checks what the report says against itself.
func (d *Document) consistent() error {
	switch {
	case d.Result != v1alpha1.ResultPassed && d.Result != v1alpha1.ResultFailed:
		return errors.New("it has no result")
	case d.Title != title || d.ResultText != results[d.Result]:
		return errors.New("its words are not those of its result")
	case d.Simulated != (d.Test.Mode == v1alpha1.ModeSimulated) || d.Simulated != (d.Notice != nil) || d.Notice != nil && *d.Notice != simulated:
		return errors.New("it does not say of a simulated test that it is one, or of another that it is not")
	}
	if text, err := d.encode(); err != nil || identitycode.LooksLike(string(text)) {
		return errors.New("it holds what looks like a personal identity code")
	}
	if err := d.eventsFit(); err != nil {
		return err
	}
	return d.stepsFit()
}

// eventsFit checks that the events are numbered in the order of their times, and each has a place of its own in the log.
func (d *Document) eventsFit() error {
	if d.Observation == nil {
		return nil
	}
	places := map[int64]bool{}
	for i := range d.Observation.Events {
		e := &d.Observation.Events[i]
		if e.Number != int32(i+1) || e.At == nil {
			return errors.New("its events are not numbered, or have no time")
		}
		if i > 0 && e.At.Before(d.Observation.Events[i-1].At) {
			return fmt.Errorf("event %d was before the one that it comes after", e.Number)
		}
		if evidence := e.Evidence; evidence != nil && evidence.LeafIndex != nil {
			if places[*evidence.LeafIndex] {
				return fmt.Errorf("event %d has the place in the log of another event", e.Number)
			}
			places[*evidence.LeafIndex] = true
		}
	}
	return nil
}

// operations are what a step may rest on; the refusal of anything is one.
var operations = map[v1alpha1.TestStepName][]v1alpha1.TestOperation{
	v1alpha1.StepRelationshipStored: {v1alpha1.OperationStoreRelationship, v1alpha1.OperationStore},
	v1alpha1.StepProducerSearched:   {v1alpha1.OperationSearch},
	v1alpha1.StepProducerRead:       {v1alpha1.OperationRead},
	v1alpha1.StepProducerStored:     {v1alpha1.OperationStore},
	v1alpha1.StepOrganizerSearched:  {v1alpha1.OperationSearch},
	v1alpha1.StepOrganizerRead:      {v1alpha1.OperationRead},
	v1alpha1.StepRelationshipEnded:  {v1alpha1.OperationEndRelationship},
}

func (d *Document) stepsFit() error {
	seen, last := 0, int32(0)
	for i, s := range d.Steps {
		if i >= len(order) || s.Name != order[i] || s.Title != stepTitles[s.Name] {
			return errors.New("its steps are not those of a deployment test")
		}
		if s.State != v1alpha1.StepSeen {
			continue
		}
		e := d.event(s.Event)
		switch {
		case e == nil:
			return fmt.Errorf("step %s rests on an event that is not there", s.Name)
		case e.Party != s.Party:
			return fmt.Errorf("step %s is of the %s and rests on an event that is not", s.Name, s.Party)
		case s.SeenAt == nil || s.SeenAt.Unix() != e.At.Unix():
			return fmt.Errorf("step %s was seen at another time than its event", s.Name)
		case e.Number <= last:
			return fmt.Errorf("step %s rests on an event that is not after that of the step before it", s.Name)
		case s.Name == v1alpha1.StepProducerRefused && e.Reason == "":
			return fmt.Errorf("step %s rests on a request that was allowed", s.Name)
		case s.Name != v1alpha1.StepProducerRefused && e.Reason != "":
			return fmt.Errorf("step %s rests on a request that was refused: %s", s.Name, e.Reason)
		case s.Name != v1alpha1.StepProducerRefused && !slices.Contains(operations[s.Name], e.Operation):
			return fmt.Errorf("step %s rests on a request that is no such step: %s", s.Name, e.Operation)
		}
		seen, last = seen+1, e.Number
	}
	if d.Result == v1alpha1.ResultPassed && (seen != len(order) || d.Times.PassedAt == nil) {
		return fmt.Errorf("it says passed, and %d of %d steps were seen", seen, len(order))
	}
	return nil
}
