#!/usr/bin/env bash
# Copyright The Valtuus Authors.
# SPDX-License-Identifier: Apache-2.0
#
# ensure.sh [binary...]   makes the server binaries of the test suites available
# and prints the directory that holds them: one line on stdout, progress on stderr.
# Known binaries: etcd kube-apiserver (the default) kube-controller-manager.
#
# Looked for, in this order: KUBEBUILDER_ASSETS, the cache, a download of the
# released envtest bundle (VALTUUS_ENVTEST_DOWNLOAD=0 skips it), and a build from
# the two Go modules beside this script, which needs no network but Go's own.
#
# internal/testenv computes the same cache directory; change both together.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
needed=("$@")
[[ ${#needed[@]} -gt 0 ]] || needed=(etcd kube-apiserver)

note() { printf 'envtest: %s\n' "$*" >&2; }
die() {
	note "$*"
	exit 1
}

for bin in "${needed[@]}"; do
	case $bin in
	etcd | kube-apiserver | kube-controller-manager) ;;
	*) die "unknown binary \"$bin\"" ;;
	esac
done

# has DIR BINARY...: every binary is in the directory.
has() {
	local dir=$1 bin
	shift
	for bin in "$@"; do
		[[ -x $dir/$bin ]] || return 1
	done
}

if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
	if has "$KUBEBUILDER_ASSETS" "${needed[@]}"; then
		printf '%s\n' "$KUBEBUILDER_ASSETS"
		exit 0
	fi
	note "KUBEBUILDER_ASSETS does not hold ${needed[*]}; looking further"
fi

command -v go >/dev/null || die "go is not in PATH; it is the one thing needed"
# The host's platform, not GOOS: these binaries run here.
{ read -r host_os && read -r host_arch; } < <(go env GOHOSTOS GOHOSTARCH)

sha256() {
	if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi
}
key=$(cat "$here"/apiserver/go.{mod,sum} "$here"/etcd/go.{mod,sum} | sha256)
cache=${VALTUUS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/valtuus}
dir=$cache/envtest/${key:0:16}-$host_os-$host_arch

if has "$dir" "${needed[@]}"; then
	printf '%s\n' "$dir"
	exit 0
fi

mkdir -p "$dir"
work= # temporary directory, on the file system of $dir so that mv is a rename
child=
lock_dir=
cleanup() {
	if [[ -n $child ]]; then kill "$child" 2>/dev/null || true; fi
	if [[ -n $work ]]; then rm -rf "$work"; fi
	if [[ -n $lock_dir ]]; then rm -rf "$lock_dir"; fi
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# lock waits until no other ensure.sh works on the same directory.
lock() {
	if command -v flock >/dev/null; then
		exec 9>"$dir/.lock"
		flock -n 9 && return
		note "another run is making the binaries; waiting for it"
		flock 9
		return
	fi
	local candidate=$dir/.lock.d owner told=
	until mkdir "$candidate" 2>/dev/null; do
		owner=$(cat "$candidate/pid" 2>/dev/null || true)
		if [[ -n $owner ]] && ! kill -0 "$owner" 2>/dev/null; then
			rm -rf "$candidate" # left behind by a run that was killed
			continue
		fi
		[[ -n $told ]] || note "another run is making the binaries; waiting for it"
		told=yes
		sleep 1
	done
	lock_dir=$candidate
	echo $$ >"$lock_dir/pid"
}

# beat WHAT COMMAND...: runs the command, and shows every 20 s that it still does.
beat() {
	local what=$1 start=$SECONDS next=20 rc=0
	shift
	"$@" >&2 9>&- &
	child=$!
	while kill -0 "$child" 2>/dev/null; do
		sleep 0.2
		if ((SECONDS - start >= next)); then
			note "$what: $((SECONDS - start)) s"
			next=$((next + 20))
		fi
	done
	wait "$child" || rc=$?
	child=
	if ((rc == 0)); then note "$what: done in $((SECONDS - start)) s"; fi
	return "$rc"
}

# missing BINARY...: those of the named binaries that the cache still lacks.
missing() {
	local bin
	for bin in "$@"; do
		[[ -x $dir/$bin ]] || printf '%s\n' "$bin"
	done
}

# go_build MODULE ARGS...: a static build in one of the tool modules. Runs under
# beat only: with exec, the process that cleanup ends is go itself.
go_build() {
	local module=$1
	shift
	exec env GOOS="$host_os" GOARCH="$host_arch" CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=readonly \
		go build -C "$here/$module" -trimpath -buildvcs=false "$@"
}

# module_version MODULE PATH: the version of a dependency in the module's go.mod.
module_version() {
	awk -v path="$2" '$1 == "require" { $0 = $2 " " $3 } $1 == path && $2 ~ /^v/ { print $2; exit }' "$here/$1/go.mod"
}
kube_version=$(module_version apiserver k8s.io/kubernetes) # v1.36.3
IFS=. read -r major minor _ <<<"${kube_version#v}"

# download fetches etcd and kube-apiserver as released for setup-envtest. Both
# the probe and the fetch are short: where the network refuses, building is next.
download() {
	local index=https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml from bin
	[[ ${VALTUUS_ENVTEST_DOWNLOAD:-1} != 0 ]] && command -v curl >/dev/null && command -v timeout >/dev/null || return 1
	# Probed before setup-envtest is compiled for nothing.
	curl -fsSL --connect-timeout 3 --max-time 8 -o /dev/null "$index" 2>/dev/null || return 1
	beat "building setup-envtest" env GOWORK=off GOFLAGS=-mod=readonly CGO_ENABLED=0 \
		go build -C "$here/../tools" -buildvcs=false -o "$work/setup-envtest" sigs.k8s.io/controller-runtime/tools/setup-envtest || return 1
	from=$(timeout 120 "$work/setup-envtest" use "$major.$minor.x" --bin-dir "$work/bundle" -p path 2>/dev/null) || return 1
	has "$from" etcd kube-apiserver || return 1
	for bin in etcd kube-apiserver; do
		chmod u+w "$from" "$from/$bin"
		mv -f "$from/$bin" "$dir/$bin"
	done
}

build_etcd() {
	note "building etcd $(module_version etcd go.etcd.io/etcd/server/v3) from its Go module; first time only, about 1 minute on two cores"
	beat "etcd" go_build etcd -ldflags "-s -w" -o "$work/etcd" go.etcd.io/etcd/server/v3
	mv -f "$work/etcd" "$dir/etcd"
}

# build_kubernetes BINARY...: one go build for all, so that they share the work.
build_kubernetes() {
	local version=k8s.io/component-base/version what="$*" bin packages=()
	for bin in "$@"; do packages+=("k8s.io/kubernetes/cmd/$bin"); done
	note "building ${what// / and } $kube_version from its Go module; first time only, about 6 minutes on two cores"
	beat "${what// / and }" go_build apiserver \
		-ldflags "-s -w -X $version.gitVersion=$kube_version -X $version.gitMajor=$major -X $version.gitMinor=$minor" \
		-o "$work/" "${packages[@]}"
	for bin in "$@"; do mv -f "$work/$bin" "$dir/$bin"; done
}

lock
work=$(mktemp -d "$dir/.work.XXXXXX")

# Asked again: another run may have made them while this one waited for the lock.
if [[ -n $(missing etcd kube-apiserver) ]] && [[ -n $(missing "${needed[@]}") ]]; then
	if download; then
		note "using the released envtest bundle for Kubernetes $major.$minor"
	else
		note "no released bundle to be had from here; building instead"
	fi
fi
to_build=()
for bin in $(missing "${needed[@]}"); do
	if [[ $bin == etcd ]]; then build_etcd; else to_build+=("$bin"); fi
done
if [[ ${#to_build[@]} -gt 0 ]]; then build_kubernetes "${to_build[@]}"; fi

printf '%s\n' "$dir"
