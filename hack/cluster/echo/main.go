// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Echo is what the cluster's own test runs in pods: a server that answers with its
// host's name, and a caller that ends well once it has been answered by all it names.
//
//	echo serve                    on :8080
//	echo call URL NAME...         within a minute
//	echo write FILE TEXT
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	var err error
	switch args := os.Args[1:]; {
	case len(args) == 1 && args[0] == "serve":
		err = serve()
	case len(args) > 2 && args[0] == "call":
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		err = call(ctx, args[1], args[2:])
	case len(args) == 3 && args[0] == "write":
		err = os.WriteFile(args[1], []byte(args[2]), 0o600)
	default:
		err = fmt.Errorf("usage: echo serve | echo call URL NAME... | echo write FILE TEXT")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

func serve() error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	server := &http.Server{Addr: ":8080", ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			fmt.Println("asked by", r.RemoteAddr)
			_, _ = fmt.Fprintln(w, name)
		})}
	return server.ListenAndServe()
}

// call asks over a new connection each time, so that a service chooses each time.
func call(ctx context.Context, url string, missing []string) error {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for len(missing) > 0 {
		name, err := ask(ctx, client, url)
		if err != nil && ctx.Err() != nil {
			return fmt.Errorf("no answer from %v: %w", missing, err)
		}
		if at := slices.Index(missing, name); err == nil && at >= 0 {
			fmt.Println("answered by", name)
			missing = slices.Delete(missing, at, at+1)
			continue
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

func ask(ctx context.Context, client *http.Client, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return strings.TrimSpace(string(text)), err
}
