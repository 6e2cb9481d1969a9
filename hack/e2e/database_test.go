// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
)

// database is a PostgreSQL server that pods reach.
type database struct {
	uri   url.URL
	stdin io.Closer
	cmd   *exec.Cmd
}

// startDatabase runs a server of this machine in the cluster's network, or uses that of DATABASE_URI, a URI whose path is
// /DATABASE and in which the databases are there and empty.
func (s *suite) startDatabase(ctx context.Context, names ...string) (*database, error) {
	if given := os.Getenv("DATABASE_URI"); given != "" {
		uri, err := url.Parse(given)
		if err != nil {
			return nil, errors.New("DATABASE_URI is no URI") // it holds a password
		}
		return &database{uri: *uri}, nil
	}
	if s.node == nil {
		return nil, fmt.Errorf("set DATABASE_URI to that of a PostgreSQL server that pods reach, with /DATABASE in place of the databases %s",
			strings.Join(names, ", "))
	}
	binary := s.file("database")
	if _, err := s.run(ctx, exec.CommandContext(ctx, "go", "build", "-o", binary, "./hack/e2e/database")); err != nil {
		return nil, err
	}
	d := &database{cmd: exec.Command("go", append([]string{"run", "./hack/cluster", "exec", binary, "--address", "10.123.0.1"}, names...)...)}
	d.cmd.Dir, d.cmd.Stderr = s.root, os.Stderr
	var err error
	if d.stdin, err = d.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(errors.New("the database did not start"), d.stop())
	}
	uri, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		return nil, errors.Join(errors.New("the database told no URI"), d.stop())
	}
	d.uri = *uri
	return d, nil
}

// of is the URI of one of the databases.
func (d *database) of(name string) string {
	uri := d.uri
	uri.Path = "/" + name
	return uri.String()
}

// withPassword is that with another password.
func (d *database) withPassword(name, password string) string {
	uri := d.uri
	uri.Path = "/" + name
	uri.User = url.UserPassword(uri.User.Username(), password)
	return uri.String()
}

func (d *database) stop() error {
	if d == nil || d.cmd == nil {
		return nil
	}
	return errors.Join(d.stdin.Close(), d.cmd.Wait())
}
