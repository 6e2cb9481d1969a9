// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// sender sends requests: an assertion on each, and again where that is safe.
type sender struct {
	links        *links
	audience     string
	professional Professional
	language     string
	backoff      wait.Backoff
	onAnswer     func(Answer)
}

// Do sends a request until it is answered, for as long as the context and the backoff allow. The answer has been
// read to its end. A refusal is a [*Problem].
func (s *sender) Do(request *http.Request) (*http.Response, error) {
	ctx, left, pause := request.Context(), s.backoff.Steps, time.Duration(0)
	backoff := s.backoff
	var answer *http.Response
	var failed error
	delay := wait.DelayFunc(func() time.Duration { return max(backoff.Step(), pause) })
	err := delay.Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		left--
		former := failed
		answer, failed = s.attempt(ctx, request)
		var again bool
		pause, again = repeat(request, failed)
		if !again && failed != nil && former != nil && ctx.Err() != nil { // which tells nothing of why there was another attempt
			failed = fmt.Errorf("%w; before that: %w", failed, former)
		}
		return !again || left <= 0 || !timeFor(ctx, pause), nil
	})
	if err != nil { // the context ended during a wait
		return nil, fmt.Errorf("%w; before that: %w", err, failed)
	}
	return answer, failed
}

// attempt sends a request once.
func (s *sender) attempt(ctx context.Context, request *http.Request) (*http.Response, error) {
	link, err := s.links.current()
	if err != nil {
		return nil, err
	}
	sent := request.Clone(ctx)
	if request.GetBody != nil {
		if sent.Body, err = request.GetBody(); err != nil {
			return nil, err
		}
	}
	if s.language != "" {
		sent.Header.Set("Accept-Language", s.language)
	}
	if asserted(request) {
		if s.professional == nil {
			return nil, errors.New("no professional acts: see Config.Professional and Client.As")
		}
		token, err := s.professional.Assert(ctx, Binding{Audience: s.audience, Thumbprint: link.thumbprint})
		if err != nil {
			return nil, fmt.Errorf("the professional's assertion: %w", err)
		}
		sent.Header.Set(assertionHeader, token)
	}
	response, err := link.http.Do(sent)
	if err != nil {
		return nil, &exchangeError{err}
	}
	defer response.Body.Close()
	if s.onAnswer != nil {
		s.onAnswer(Answer{response.Header.Get("X-Request-Id"), response.StatusCode, sent.Method, sent.URL.Path})
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, &exchangeError{err}
	}
	if response.StatusCode >= http.StatusBadRequest {
		return nil, problemOf(response, body)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// assertionHeader carries the professional assertion.
const assertionHeader = "Professional-Assertion"

// asserted tells whether the archive wants to know who sends a request. The catalog holds no client data.
func asserted(request *http.Request) bool {
	return !strings.Contains(request.URL.Path, "/catalog") && !strings.HasSuffix(request.URL.Path, "/openapi.json")
}

// exchangeError is a failure between the client and the archive: nobody knows what became of the request.
type exchangeError struct{ error }

func (e *exchangeError) Unwrap() error { return e.error }

// repeat tells whether to send a request again, and how long the archive asks to wait before.
func repeat(request *http.Request, failed error) (time.Duration, bool) {
	problem, exchange := (*Problem)(nil), (*exchangeError)(nil)
	switch {
	case !repeatable(request):
		return 0, false
	case errors.As(failed, &problem):
		return problem.RetryAfter, problem.Status == http.StatusServiceUnavailable && problem.RetryAfter > 0
	default:
		return 0, errors.As(failed, &exchange) && request.Context().Err() == nil && !foreign(exchange)
	}
}

// repeatable tells whether sending a request twice is the same as sending it once. The API is made so, but for
// storing under an id that the archive gives: that needs a key to be known again by.
func repeatable(request *http.Request) bool {
	path := request.URL.Path
	return request.Method != http.MethodPost || !strings.HasSuffix(path, "/documents") && !strings.HasSuffix(path, "/matters") ||
		request.Header.Get(keyHeader) != ""
}

// keyHeader names a document that is stored under an id that the archive gives.
const keyHeader = "Idempotency-Key"

// foreign tells whether the other side is not the archive. That does not change by itself.
func foreign(err error) bool {
	var verification *tls.CertificateVerificationError
	return errors.As(err, &verification)
}

// timeFor tells whether a wait ends before the context does.
func timeFor(ctx context.Context, pause time.Duration) bool {
	deadline, bounded := ctx.Deadline()
	return !bounded || pause < time.Until(deadline)
}
