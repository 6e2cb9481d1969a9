// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package endtoend_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/testworld"
)

const (
	// probeEvery is how often the balancer asks whether a replica is ready.
	probeEvery = 100 * time.Millisecond
	// endpointsLag is how long it takes until nobody is sent to a replica that ends, as with kube-proxy.
	endpointsLag = 700 * time.Millisecond
)

// balancer sends each new connection to one of the replicas that were ready a while ago, and have not begun to end. What has
// been sent to one stays there.
type balancer struct {
	listener net.Listener
	// triesNext has it send a connection that one replica refuses to the next, as some balancers do and others do not.
	triesNext bool

	mutex    sync.Mutex
	replicas map[string]bool // by the address of the API: whether connections are sent there
	order    []string
	next     int
	ended    chan struct{}
}

func newBalancer(t *testing.T) *balancer {
	t.Helper()
	var listen net.ListenConfig
	listener, err := listen.Listen(background, "tcp", "127.0.0.1:0")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	b := &balancer{listener: listener, replicas: map[string]bool{}, ended: make(chan struct{})}
	go b.accept()
	t.Cleanup(func() { close(b.ended); _ = listener.Close() })
	return b
}

// replica is the balancer as one endpoint.
func (b *balancer) replica() *testworld.Replica {
	return &testworld.Replica{Name: "balancer", Endpoint: "https://" + b.listener.Addr().String()}
}

// add follows a replica from now on.
func (b *balancer) add(r *testworld.Replica) {
	address := strings.TrimPrefix(r.Endpoint, "https://")
	b.mutex.Lock()
	b.order = append(b.order, address)
	b.mutex.Unlock()
	go func() {
		for was := false; ; {
			select {
			case <-b.ended:
				return
			case <-time.After(probeEvery):
			}
			ready := takesCallers(r.Admin, was)
			if ready == was {
				continue
			}
			was = ready
			time.AfterFunc(endpointsLag, func() {
				b.mutex.Lock()
				defer b.mutex.Unlock()
				b.replicas[address] = ready
			})
		}
	}()
}

// sends says to how many replicas connections are sent.
func (b *balancer) sends() (n int) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, ready := range b.replicas {
		if ready {
			n++
		}
	}
	return n
}

// takesCallers asks a replica's probe. One that is not ready for another reason than that it ends stays where it was, as under
// a probe that must fail several times: it tells its callers so itself, and on a busy machine each is now and then.
func takesCallers(admin string, was bool) bool {
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(admin + "/readyz")
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil || strings.Contains(string(text), string(failure.Draining)):
		return false
	case response.StatusCode == http.StatusOK:
		return true
	}
	return was
}

func (b *balancer) pick() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for range b.order {
		b.next = (b.next + 1) % len(b.order)
		if address := b.order[b.next]; b.replicas[address] {
			return address
		}
	}
	return ""
}

func (b *balancer) accept() {
	for {
		near, err := b.listener.Accept()
		if err != nil {
			return
		}
		far, err := b.dial()
		if err != nil {
			_ = near.Close()
			continue
		}
		go pass(near.(*net.TCPConn), far.(*net.TCPConn))
	}
}

func (b *balancer) dial() (net.Conn, error) {
	var dial net.Dialer
	far, err := dial.DialContext(background, "tcp", b.pick())
	if err != nil && b.triesNext {
		return dial.DialContext(background, "tcp", b.pick())
	}
	return far, err
}

// pass carries both ways, each until its end.
func pass(near, far *net.TCPConn) {
	var both sync.WaitGroup
	for _, way := range [][2]*net.TCPConn{{near, far}, {far, near}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_ = way[0].CloseWrite()
		})
	}
	both.Wait()
	_, _ = near.Close(), far.Close()
}
