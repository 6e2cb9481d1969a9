// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package archiveclient_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// wire leads to the archive and can be cut.
type wire struct {
	endpoint string
	cuts     atomic.Int64

	mu    sync.Mutex
	pairs []net.Conn
}

func newWire(t *testing.T) *wire {
	t.Helper()
	var listen net.ListenConfig
	listener := must(listen.Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
	w := &wire{endpoint: "https://" + listener.Addr().String()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			var dial net.Dialer
			far, err := dial.Dial("tcp", strings.TrimPrefix(endpoint, "https://"))
			if err != nil {
				_ = near.Close()
				continue
			}
			w.mu.Lock()
			w.pairs = append(w.pairs, near, far)
			w.mu.Unlock()
			go pass(near, far)
			go pass(far, near)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
		w.cut()
	})
	return w
}

func pass(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if err == nil || errors.Is(err, net.ErrClosed) {
		_ = to.Close()
	}
}

// cut ends every connection.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, end := range w.pairs {
		_ = end.Close()
	}
	w.pairs = nil
	w.cuts.Add(1)
}
