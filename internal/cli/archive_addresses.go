// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"net"

	"github.com/valtuus/valtuus/internal/archive/replica"
)

// addresses are where an archive listens; log may be empty.
type addresses struct{ api, admin, log string }

// listen opens the listeners of the configuration, all or none.
func (a addresses) listen(ctx context.Context, config *replica.Config) (err error) {
	var opened []net.Listener
	defer func() {
		if err == nil {
			return
		}
		for _, one := range opened {
			err = errors.Join(err, one.Close())
		}
	}()
	var listener net.ListenConfig
	for _, one := range []struct {
		address string
		to      *net.Listener
	}{{a.api, &config.Listener}, {a.admin, &config.AdminListener}, {a.log, &config.LogListener}} {
		if one.address == "" {
			continue
		}
		if *one.to, err = listener.Listen(ctx, "tcp", one.address); err != nil {
			return err
		}
		opened = append(opened, *one.to)
	}
	return nil
}
