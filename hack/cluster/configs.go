// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"embed"
	"os"
	"path/filepath"
	"text/template"
)

//go:embed files
var files embed.FS

// The images of the cluster's own: built here like every other, and never pulled.
const (
	pauseImage = "localhost/valtuus/pause:1"
	dnsImage   = "localhost/valtuus/coredns:1"
)

// settings are what the configuration files are filled with.
type settings struct {
	Dir, Socket, Snapshotter                    string
	NodeName, NodeAddress, PodRange, DNSService string
	PauseImage, DNSImage, Provisioner           string
}

func settingsOf(at place, snapshotter string) settings {
	return settings{
		Dir: at.dir, Socket: at.socket(), Snapshotter: snapshotter,
		NodeName: nodeName, NodeAddress: nodeAddress, PodRange: podRange, DNSService: dnsService,
		PauseImage: pauseImage, DNSImage: dnsImage, Provisioner: provisioner,
	}
}

// writeConfigs writes etc/ of the cluster's directory.
func writeConfigs(at place, with settings) error {
	for name, to := range map[string]string{
		"containerd.toml": "containerd.toml",
		"pods.conflist":   "cni/10-pods.conflist",
		"kubelet.yaml":    "kubelet.yaml",
		"kube-proxy.yaml": "kube-proxy.yaml",
		"dns.yaml":        "dns.yaml",
		"storage.yaml":    "storage.yaml",
	} {
		text, err := fill(name, with)
		if err != nil {
			return err
		}
		file := at.path("etc", to)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func fill(name string, with settings) ([]byte, error) {
	parsed, err := template.New(name).Option("missingkey=error").ParseFS(files, "files/"+name)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = parsed.ExecuteTemplate(&out, name, with)
	return out.Bytes(), err
}
