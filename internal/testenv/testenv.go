// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

// Package testenv runs a real API server for tests, the demo and the benchmarks:
// etcd and kube-apiserver, and where deletion order matters the namespace and
// garbage collector controllers. Unlike controller-runtime's envtest, whose API
// server cannot come back on its port, each server can be stopped, killed, frozen
// and started again, with the data kept.
//
// A test calls ForTest; a program calls Start and Stop.
package testenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/valtuus/valtuus/internal/testenv/child"
)

const startTimeout = 5 * time.Minute

// Options for Start; the zero value suits most suites.
type Options struct {
	// Dir keeps data, certificates and logs, and can be started again later.
	// Empty: a temporary directory that Stop removes.
	Dir string
	// CRDs are the files or directories to install. Nil: config/crd/bases of this module; empty: none.
	CRDs []string
	// ControllerManager also runs kube-controller-manager, with the namespace and garbage collector controllers, and the one
	// that lets claims of volumes go, only.
	ControllerManager bool
	// APIServerPort and EtcdPort are chosen when 0.
	APIServerPort, EtcdPort int
	// APIServerArgs are added to the API server's arguments.
	APIServerArgs []string
	// Fsync makes etcd durable. Off, a test is faster; on for what is measured or shown.
	Fsync bool
}

// Env is a running control plane.
type Env struct {
	// Config is the administrator's, without client-side rate limits.
	Config *rest.Config
	// Etcd, APIServer and ControllerManager (nil unless asked for) can be stopped and started one by one.
	Etcd, APIServer, ControllerManager *Process

	opts   Options
	dir    string
	assets string
	ca     *authority
	ports  []*child.Port
}

// Start brings a control plane up and installs the CRDs. When it returns an error nothing is left running.
func Start(ctx context.Context, opts Options) (_ *Env, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	e := &Env{opts: opts}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("test control plane: %w", err), e.stop(true))
		}
	}()
	if err := e.prepare(); err != nil {
		return nil, err
	}
	if err := e.Etcd.Start(ctx); err != nil {
		return nil, err
	}
	if err := e.APIServer.Start(ctx); err != nil {
		return nil, err
	}
	if err := e.installCRDs(); err != nil {
		return nil, err
	}
	// After the CRDs: the garbage collector learns of new kinds only every 30 s.
	if e.ControllerManager != nil {
		if err := e.ControllerManager.Start(ctx); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// prepare finds the binaries and lays out directory, ports, certificates and command lines.
func (e *Env) prepare() (err error) {
	binaries := []string{Etcd, APIServer}
	if e.opts.ControllerManager {
		binaries = append(binaries, ControllerManager)
	}
	if e.assets, err = Assets(binaries...); err != nil {
		return err
	}
	if e.dir = e.opts.Dir; e.dir == "" {
		if e.dir, err = os.MkdirTemp("", "valtuus-testenv-"); err != nil {
			return err
		}
	}
	for _, sub := range []string{"pki", "logs"} {
		if err := os.MkdirAll(filepath.Join(e.dir, sub), 0o700); err != nil {
			return err
		}
	}
	etcdPort, err := e.port(e.opts.EtcdPort)
	if err != nil {
		return err
	}
	apiPort, err := e.port(e.opts.APIServerPort)
	if err != nil {
		return err
	}
	if err := e.preparePKI(apiPort); err != nil {
		return err
	}
	if err := e.prepareEtcd(etcdPort); err != nil {
		return err
	}
	if err := e.prepareAPIServer(apiPort, etcdPort); err != nil {
		return err
	}
	if e.opts.ControllerManager {
		return e.prepareControllerManager()
	}
	return nil
}

func (e *Env) port(fixed int) (int, error) {
	if fixed != 0 {
		return fixed, nil
	}
	p, err := child.ReservePort()
	if err != nil {
		return 0, err
	}
	e.ports = append(e.ports, p)
	return p.Number, nil
}

func (e *Env) preparePKI(apiPort int) (err error) {
	pki := filepath.Join(e.dir, "pki")
	if e.ca, err = loadOrCreateAuthority(pki); err != nil {
		return err
	}
	cert, key, err := e.ca.server()
	if err != nil {
		return err
	}
	files := map[string][]byte{filepath.Join(pki, "apiserver.crt"): cert, filepath.Join(pki, "apiserver.key"): key}
	if _, err := os.Stat(filepath.Join(pki, "sa.key")); errors.Is(err, os.ErrNotExist) {
		saCert, saKey, _, err := sign(certTemplate(e.ca.cert.Subject), nil)
		if err != nil {
			return err
		}
		files[filepath.Join(pki, "sa.crt")], files[filepath.Join(pki, "sa.key")] = saCert, saKey
	}
	if err := writeFiles(files); err != nil {
		return err
	}
	e.Config = &rest.Config{
		Host:            fmt.Sprintf("https://127.0.0.1:%d", apiPort),
		TLSClientConfig: rest.TLSClientConfig{CAData: e.ca.pem},
		QPS:             -1,
	}
	e.Config, err = e.AddUser("admin", "system:masters")
	return err
}

func (e *Env) process(name string, args ...string) *Process {
	return &Process{name: name, path: filepath.Join(e.assets, name), args: args, log: filepath.Join(e.dir, "logs", name+".log")}
}

func (e *Env) prepareEtcd(clientPort int) error {
	url := fmt.Sprintf("http://127.0.0.1:%d", clientPort)
	e.Etcd = e.process(Etcd,
		"--data-dir="+filepath.Join(e.dir, "etcd"),
		"--listen-client-urls="+url,
		"--advertise-client-urls="+url,
		"--listen-peer-urls=http://127.0.0.1:0",
		"--log-level=warn",
		fmt.Sprintf("--unsafe-no-fsync=%t", !e.opts.Fsync),
	)
	e.Etcd.ready = probe(http.DefaultClient, url+"/health")
	return nil
}

func (e *Env) prepareAPIServer(securePort, etcdPort int) error {
	pki := filepath.Join(e.dir, "pki")
	e.APIServer = e.process(APIServer, append([]string{
		fmt.Sprintf("--etcd-servers=http://127.0.0.1:%d", etcdPort),
		fmt.Sprintf("--secure-port=%d", securePort),
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		// Nobody reaches the API server through a Service here, and a loopback endpoint is refused anyway.
		"--endpoint-reconciler-type=none",
		"--tls-cert-file=" + filepath.Join(pki, "apiserver.crt"),
		"--tls-private-key-file=" + filepath.Join(pki, "apiserver.key"),
		"--client-ca-file=" + filepath.Join(pki, "ca.crt"),
		"--cert-dir=" + pki,
		"--service-account-issuer=" + e.Config.Host,
		"--service-account-key-file=" + filepath.Join(pki, "sa.crt"),
		"--service-account-signing-key-file=" + filepath.Join(pki, "sa.key"),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--authorization-mode=RBAC",
		// Nothing here creates the default service account that it would insist on.
		"--disable-admission-plugins=ServiceAccount",
		"--allow-privileged=true",
	}, e.opts.APIServerArgs...)...)
	client, err := rest.HTTPClientFor(e.Config)
	if err != nil {
		return err
	}
	// The default namespace is created shortly after readyz; tests expect it.
	e.APIServer.ready = probe(client, e.Config.Host+"/readyz", e.Config.Host+"/api/v1/namespaces/default")
	return nil
}

func (e *Env) prepareControllerManager() error {
	port, err := e.port(0)
	if err != nil {
		return err
	}
	user, err := e.AddUser("system:kube-controller-manager", "system:masters")
	if err != nil {
		return err
	}
	kubeconfig := filepath.Join(e.dir, "pki", "controller-manager.kubeconfig")
	if err := WriteKubeconfig(user, kubeconfig); err != nil {
		return err
	}
	e.ControllerManager = e.process(ControllerManager,
		"--kubeconfig="+kubeconfig,
		"--controllers="+strings.Join(controllers, ","),
		"--leader-elect=false",
		"--kube-api-qps=500", "--kube-api-burst=1000",
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", port),
		"--tls-cert-file="+filepath.Join(e.dir, "pki", "apiserver.crt"),
		"--tls-private-key-file="+filepath.Join(e.dir, "pki", "apiserver.key"),
	)
	client, err := rest.HTTPClientFor(e.Config)
	if err != nil {
		return err
	}
	// It serves before its controllers are made, and ends if the API server goes away in between.
	e.ControllerManager.ready = func(ctx context.Context) error {
		text, err := get(ctx, client, fmt.Sprintf("https://127.0.0.1:%d/healthz?verbose", port))
		for _, name := range controllers {
			if err == nil && !strings.Contains(text, name) {
				err = fmt.Errorf("the %s has not been made", name)
			}
		}
		return err
	}
	return nil
}

// controllers are those that a controller manager runs here.
var controllers = []string{"namespace-controller", "garbage-collector-controller", "persistentvolumeclaim-protection-controller"}

// probe returns a check that passes when all URLs answer 200.
func probe(client *http.Client, urls ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, url := range urls {
			if _, err := get(ctx, client, url); err != nil {
				return err
			}
		}
		return nil
	}
}

// get gives what a URL answers with 200.
func get(ctx context.Context, client *http.Client, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, response.Status)
	}
	return string(text), err
}

func (e *Env) installCRDs() error {
	paths := e.opts.CRDs
	if paths == nil {
		root, err := ModuleRoot()
		if err != nil {
			return err
		}
		paths = []string{filepath.Join(root, "config", "crd", "bases")}
	}
	if len(paths) == 0 {
		return nil
	}
	_, err := envtest.InstallCRDs(e.Config, envtest.CRDInstallOptions{
		Paths:              paths,
		ErrorIfPathMissing: true,
		PollInterval:       50 * time.Millisecond,
		MaxTime:            2 * time.Minute,
	})
	return err
}

// AddUser returns a configuration for a user of that name and groups, who may do
// what RBAC allows (see Grant); nothing needs to be created on the server for it.
func (e *Env) AddUser(name string, groups ...string) (*rest.Config, error) {
	cert, key, err := e.ca.client(name, groups)
	if err != nil {
		return nil, err
	}
	config := rest.CopyConfig(e.Config)
	config.CertData, config.KeyData = cert, key
	return config, nil
}

// Kubeconfig renders a client configuration of this control plane as a kubeconfig file.
func Kubeconfig(config *rest.Config) ([]byte, error) {
	const name = "valtuus"
	file := clientcmdapi.NewConfig()
	file.Clusters[name] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	file.AuthInfos[name] = &clientcmdapi.AuthInfo{ClientCertificateData: config.CertData, ClientKeyData: config.KeyData}
	file.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name, Namespace: "default"}
	file.CurrentContext = name
	return clientcmd.Write(*file)
}

// WriteKubeconfig writes Kubeconfig to a file only its owner can read.
func WriteKubeconfig(config *rest.Config, path string) error {
	content, err := Kubeconfig(config)
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// LogDir holds one log file per server.
func (e *Env) LogDir() string { return filepath.Join(e.dir, "logs") }

// Stop ends all servers and removes a temporary directory. Call it once.
func (e *Env) Stop() error { return e.stop(false) }

func (e *Env) stop(keepLogs bool) error {
	kept := e.opts.Dir != ""
	for _, p := range []*Process{e.ControllerManager, e.APIServer, e.Etcd} {
		if p == nil {
			continue
		}
		if p == e.Etcd && kept {
			// The only server with data of its own.
			if err := p.Stop(); err != nil {
				return err
			}
		}
		p.Kill()
	}
	for _, p := range e.ports {
		p.Release()
	}
	switch {
	case kept || e.dir == "":
		return nil
	case keepLogs:
		return errors.Join(os.RemoveAll(filepath.Join(e.dir, "etcd")), os.RemoveAll(filepath.Join(e.dir, "pki")))
	default:
		return os.RemoveAll(e.dir)
	}
}
