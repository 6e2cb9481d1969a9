// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// scripted answers the attempts, from 1 on, in the place of a network.
type scripted func(attempt int, ctx context.Context) (*http.Response, error)

// ask asks for the catalog, with up to four attempts a second apart.
func (answer scripted) ask(ctx context.Context) (attempts int, err error) {
	credential := &Credential{}
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		attempts++
		return answer(attempts, r.Context())
	})
	s := &sender{
		links:   &links{source: credential, present: &link{credential: credential, http: &http.Client{Transport: transport}}},
		backoff: wait.Backoff{Duration: time.Second, Factor: 1, Steps: 4},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://archive.example/v1/catalog", nil)
	if err != nil {
		return 0, err
	}
	response, err := s.Do(request)
	if err == nil {
		err = response.Body.Close()
	}
	return attempts, err
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// unavailable asks the caller to come again after so many seconds.
func unavailable(seconds string) *http.Response {
	return &http.Response{
		StatusCode: http.StatusServiceUnavailable,
		Header:     http.Header{"Content-Type": {"application/problem+json"}, "Retry-After": {seconds}},
		Body:       io.NopCloser(strings.NewReader(`{"reason": "store-unavailable"}`)),
	}
}

// A wait that would outlast the context is not begun: the caller hears the reason at once.
func TestNoWaitPastTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		attempts, err := scripted(func(int, context.Context) (*http.Response, error) { return unavailable("30"), nil }).ask(ctx)
		var p *Problem
		if !errors.As(err, &p) || p.Reason != "store-unavailable" || p.RetryAfter != 30*time.Second {
			t.Errorf("got %v", err)
		}
		if attempts != 1 || time.Since(start) != 0 {
			t.Errorf("%d attempts in %s", attempts, time.Since(start))
		}
	})
}

func TestTheArchiveIsAskedAgainWhenItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		attempts, err := scripted(func(attempt int, _ context.Context) (*http.Response, error) {
			if attempt < 3 {
				return unavailable("7"), nil
			}
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
		}).ask(t.Context())
		if err != nil || attempts != 3 || time.Since(start) != 14*time.Second {
			t.Errorf("%d attempts in %s: %v", attempts, time.Since(start), err)
		}
	})
}

// Whenever the context ends, the caller hears why the request was not answered before.
func TestTheCauseOutlivesTheContext(t *testing.T) {
	refused := func() (*http.Response, error) { return nil, syscall.ECONNREFUSED }
	for name, c := range map[string]struct {
		answer   scripted
		cause    error
		reason   string
		attempts int
	}{
		"in a wait that the archive asks for": {
			answer: func(int, context.Context) (*http.Response, error) { return unavailable("600"), nil }, reason: "store-unavailable", attempts: 1,
		},
		"in a wait": {
			answer: func(int, context.Context) (*http.Response, error) { return refused() }, cause: syscall.ECONNREFUSED, attempts: 2,
		},
		"in an attempt": {
			answer: func(attempt int, ctx context.Context) (*http.Response, error) {
				if attempt == 1 {
					return refused()
				}
				<-ctx.Done()
				return nil, ctx.Err()
			}, cause: syscall.ECONNREFUSED, attempts: 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(1500*time.Millisecond, cancel)
				start := time.Now()
				attempts, err := c.answer.ask(ctx)
				if !errors.Is(err, context.Canceled) || c.cause != nil && !errors.Is(err, c.cause) || ReasonOf(err) != c.reason {
					t.Errorf("got %v", err)
				}
				if attempts != c.attempts || time.Since(start) != 1500*time.Millisecond {
					t.Errorf("%d attempts in %s", attempts, time.Since(start))
				}
			})
		})
	}
}
