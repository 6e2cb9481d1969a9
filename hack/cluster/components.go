// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// component is a process of the node: its log is log/NAME.log, and it is started
// again when it ends.
type component struct {
	name string
	args []string
}

// volumesComponent is this program itself: see provision.
const volumesComponent = "volumes"

// components are all that makes the node, in the order in which they are started. Each
// waits for, or tries again without, what it needs, so that the order only saves time.
func components(at place) []component {
	pki := func(name string) string { return at.path("pki", name) }
	own := func(name string) string { return at.path("kubeconfigs", name) }
	return []component{
		// The data is thrown away when the cluster goes down: no write waits for the disk.
		{"etcd", []string{
			"--data-dir=/var/lib/etcd", "--unsafe-no-fsync", "--log-level=warn",
			"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
			"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
			"--initial-cluster=default=http://127.0.0.1:2380",
		}},
		{"containerd", []string{"--config=" + at.path("etc", "containerd.toml")}},
		{"kube-apiserver", []string{
			"--etcd-servers=http://127.0.0.1:2379",
			"--advertise-address=" + nodeAddress, "--secure-port=" + apiPort,
			"--service-cluster-ip-range=" + serviceCIDR,
			"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged",
			"--client-ca-file=" + pki("ca.crt"),
			"--tls-cert-file=" + pki("apiserver.crt"), "--tls-private-key-file=" + pki("apiserver.key"),
			"--kubelet-certificate-authority=" + pki("ca.crt"),
			"--kubelet-client-certificate=" + pki("apiserver-kubelet.crt"), "--kubelet-client-key=" + pki("apiserver-kubelet.key"),
			"--kubelet-preferred-address-types=InternalIP",
			"--requestheader-client-ca-file=" + pki("ca.crt"), "--requestheader-allowed-names=front-proxy",
			"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group", "--requestheader-extra-headers-prefix=X-Remote-Extra-",
			"--proxy-client-cert-file=" + pki("front-proxy.crt"), "--proxy-client-key-file=" + pki("front-proxy.key"),
			"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
			"--service-account-key-file=" + pki("service-accounts.crt"), "--service-account-signing-key-file=" + pki("service-accounts.key"),
		}},
		{"kube-controller-manager", []string{
			"--kubeconfig=" + own("kube-controller-manager"),
			"--authentication-kubeconfig=" + own("kube-controller-manager"), "--authorization-kubeconfig=" + own("kube-controller-manager"),
			"--bind-address=127.0.0.1", "--leader-elect=false", "--use-service-account-credentials",
			"--service-account-private-key-file=" + pki("service-accounts.key"), "--root-ca-file=" + pki("ca.crt"),
			"--cluster-signing-cert-file=" + pki("ca.crt"), "--cluster-signing-key-file=" + pki("ca.key"),
			"--service-cluster-ip-range=" + serviceCIDR, "--flex-volume-plugin-dir=/var/lib/kubelet/volume-plugins",
		}},
		{"kube-scheduler", []string{
			"--kubeconfig=" + own("kube-scheduler"),
			"--authentication-kubeconfig=" + own("kube-scheduler"), "--authorization-kubeconfig=" + own("kube-scheduler"),
			"--bind-address=127.0.0.1", "--leader-elect=false",
		}},
		{"kubelet", []string{
			"--config=" + at.path("etc", "kubelet.yaml"), "--kubeconfig=" + own("kubelet"),
			"--hostname-override=" + nodeName, "--node-ip=" + nodeAddress,
		}},
		{"kube-proxy", []string{"--config=" + at.path("etc", "kube-proxy.yaml")}},
		{volumesComponent, []string{"provision"}},
	}
}
