// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package child

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Below the range the kernel hands out for outgoing connections, so that a port
// stays free while its server is stopped.
const firstPort, lastPort = 15000, 32000

// Port is a TCP port on the loopback interface, reserved among the processes that
// use this package: several suites run at once under go test ./...
type Port struct {
	Number int
	lock   *os.File // the kernel drops the lock with the process
}

// ReservePort reserves a port that nothing listens on, until Release.
func ReservePort() (*Port, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("valtuus-ports-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for range 200 {
		p, err := tryPort(dir, firstPort+rand.IntN(lastPort-firstPort))
		if p != nil || err != nil {
			return p, err
		}
	}
	return nil, errors.New("no free port found")
}

// tryPort returns nil when the port is taken.
func tryPort(dir string, number int) (*Port, error) {
	lock, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(number)), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, lock.Close()
	}
	config := net.ListenConfig{}
	listener, err := config.Listen(context.Background(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(number)))
	if err != nil {
		return nil, lock.Close()
	}
	return &Port{Number: number, lock: lock}, listener.Close()
}

// Release gives the port back.
func (p *Port) Release() { _ = p.lock.Close() }
