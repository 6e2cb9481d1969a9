// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
)

// linkNode gives the node its address, on a link that leads nowhere, and routes through it:
// the addresses of services need a route before they are rewritten.
func linkNode() error {
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return err
	}
	for _, command := range []string{
		"link set lo up",
		"link add node0 type bridge",
		"link set node0 up",
		"address add " + nodeAddress + "/32 dev node0",
		"route add default dev node0 src " + nodeAddress,
	} {
		if out, err := exec.Command("ip", strings.Fields(command)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", command, err, out)
		}
	}
	return nil
}

// forward passes what comes in from the machine's loopback on to an address of the cluster's.
func forward(outside net.Listener, to string) {
	for {
		in, err := outside.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = in.Close() }()
			out, err := net.Dial("tcp", to)
			if err != nil {
				return
			}
			defer func() { _ = out.Close() }()
			go pass(out, in)
			pass(in, out)
		}()
	}
}

// pass copies until the end, and passes the end on.
func pass(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
}
