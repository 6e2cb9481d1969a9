// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/valtuus/valtuus/internal/archive/assertion"
)

// BenchmarkRead reads a document over kept connections, each read with an assertion of its own (signed
// before the clock starts) and a durable row in the use log.
func BenchmarkRead(b *testing.B) {
	a := newArena(b)
	id := a.put(a.unit, secretBody, task)
	tokens := make([]string, b.N)
	for i := range tokens {
		tokens[i] = a.unit.assert(a.unit.claims())
	}
	path := a.address + "/v1/registries/" + registryOID + "/documents/" + id
	a.unit.http.Transport.(*http.Transport).ForceAttemptHTTP2 = false
	a.unit.http.Transport.(*http.Transport).MaxIdleConnsPerHost = 16
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range 16 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, path, nil)
				if err != nil {
					b.Error(err)
					return
				}
				request.Header.Set(assertion.Header, tokens[i-1])
				response, err := a.unit.http.Do(request)
				if err != nil {
					b.Error(err)
					return
				}
				_ = response.Body.Close()
				if response.StatusCode != http.StatusOK {
					b.Errorf("answered %d", response.StatusCode)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reads/s")
}
