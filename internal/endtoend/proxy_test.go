// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"net"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
)

// wire is a connection to the API server that can be frozen: everything stays open and nothing passes.
type wire struct {
	listener net.Listener
	target   string
	gate     sync.RWMutex // held for writing while frozen

	mutex sync.Mutex
	open  []net.Conn
}

// newWire makes a wire to a server. It ends with the test.
func newWire(t *testing.T, host string) *wire {
	t.Helper()
	var listen net.ListenConfig
	listener, err := listen.Listen(background, "tcp", "127.0.0.1:0")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	w := &wire{listener: listener, target: strings.TrimPrefix(host, "https://")}
	go w.accept()
	t.Cleanup(w.close)
	return w
}

// through makes a configuration go through the wire. The API server's certificate names the address, not the port.
func (w *wire) through(cfg *rest.Config) { cfg.Host = "https://" + w.listener.Addr().String() }

// freeze returns when nothing passes any more.
func (w *wire) freeze() { w.gate.Lock() }

func (w *wire) thaw() { w.gate.Unlock() }

func (w *wire) accept() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		var dial net.Dialer
		far, err := dial.DialContext(background, "tcp", w.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		w.mutex.Lock()
		w.open = append(w.open, near, far)
		w.mutex.Unlock()
		go w.carry(near, far)
		go w.carry(far, near)
	}
}

func (w *wire) carry(to, from net.Conn) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			w.gate.RLock()
			_, failed := to.Write(buffer[:n])
			w.gate.RUnlock()
			if failed != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (w *wire) close() {
	_ = w.listener.Close()
	w.cut()
}

// cut closes what is open. What has not passed by then never does.
func (w *wire) cut() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, c := range w.open {
		_ = c.Close()
	}
	w.open = nil
}
