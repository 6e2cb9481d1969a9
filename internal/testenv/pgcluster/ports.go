// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package pgcluster

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

// Below the range the kernel hands out for outgoing connections, so that a port stays free while its server is
// stopped, and apart from the range of the package testenv.
const firstPort, lastPort = 15000, 20000

// port is a TCP port on the loopback interface, reserved among the programs that use this package.
type port struct {
	number int
	lock   *os.File // the kernel drops the lock with the process
}

func reservePort() (*port, error) {
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
func tryPort(dir string, number int) (*port, error) {
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
	return &port{number: number, lock: lock}, listener.Close()
}

func (p *port) release() { _ = p.lock.Close() }
