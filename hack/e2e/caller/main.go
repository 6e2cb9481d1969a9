// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Caller is the client system that the end-to-end suite runs in pods: it has its credential mounted from the
// Secret that the manager delivered, and does over the archive's Service what it is told to.
//
//	caller --endpoint URL --registry OID --credential DIR --card DIR
//	caller --idle       takes orders, but has no credential
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/valtuus/valtuus/api/archiveclient"
	"github.com/valtuus/valtuus/hack/e2e/wire"
)

func main() {
	var endpoint, registry, credential, card string
	var idle bool
	flag.StringVar(&endpoint, "endpoint", "", "base URL of the archive")
	flag.StringVar(&registry, "registry", "", "OID of the client registry")
	flag.StringVar(&credential, "credential", "", "directory of the credential")
	flag.StringVar(&card, "card", "", "directory of the professional's card: card.crt and card.key")
	flag.BoolVar(&idle, "idle", false, "have no credential")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, endpoint, registry, credential, card, idle); err != nil {
		fmt.Fprintln(os.Stderr, "caller:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, endpoint, registry, credential, card string, idle bool) error {
	s := &system{loads: map[string]*load{}}
	if !idle {
		professional, err := readCard(card)
		if err != nil {
			return err
		}
		config := archiveclient.Config{
			Endpoint: endpoint, Registry: registry, Language: "en", Professional: professional,
			Credential: archiveclient.CredentialDir(credential), Timeout: time.Minute,
		}
		s.source = config.Credential
		// As the library repeats by itself, but for a minute and a half: a busy node takes its time to send requests elsewhere.
		backoff := archiveclient.DefaultBackoff()
		backoff.Steps = 20
		config.Backoff = &backoff
		if s.patient, err = archiveclient.New(config); err != nil {
			return err
		}
		config.Backoff = &wait.Backoff{Steps: 1}
		if s.once, err = archiveclient.New(config); err != nil {
			return err
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /order", func(w http.ResponseWriter, r *http.Request) {
		var order wire.Order
		if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(s.do(r.Context(), order))
	})
	server := &http.Server{Addr: fmt.Sprintf(":%d", wire.Port), ReadHeaderTimeout: time.Minute, Handler: mux}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func readCard(dir string) (archiveclient.Card, error) {
	chain, err := os.ReadFile(filepath.Join(dir, "card.crt"))
	if err != nil {
		return archiveclient.Card{}, err
	}
	key, err := os.ReadFile(filepath.Join(dir, "card.key"))
	if err != nil {
		return archiveclient.Card{}, err
	}
	return archiveclient.ReadCard("1001", "social-worker", chain, key)
}
