// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
)

// lock lets one up or down work on a cluster at a time. The kernel lets go of it when
// the process ends, however it does, and there is no file to remove.
func lock(at place) (unlock func(), err error) {
	held, err := net.Listen("unix", "@"+at.id())
	if err != nil {
		return nil, fmt.Errorf("another cluster up or down is at work on %s", at.dir)
	}
	return func() { _ = held.Close() }, nil
}
