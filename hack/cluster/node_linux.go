// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// node is the first process in the cluster's namespaces. It makes the node's view of the
// machine, keeps the components running, and ends when it is told to; the kernel then
// ends all that is left of the processes, mounts and links.
func node(at place) error {
	if os.Getpid() != 1 {
		return fmt.Errorf("%s: for cluster up only", os.Args[1])
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	signal.Ignore(syscall.SIGHUP)
	outside, err := net.FileListener(os.NewFile(listenerFD, "listener"))
	if err != nil {
		return err
	}
	if err := mountNode(at); err != nil {
		return err
	}
	if err := splitGroups(); err != nil {
		return err
	}
	if err := linkNode(); err != nil {
		return err
	}
	go forward(outside, apiAddress)
	running := supervise(at, components(at))
	<-stop
	running.end(3 * time.Second)
	return nil
}
