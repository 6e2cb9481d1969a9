#!/usr/bin/env bash
# Copyright The Valtuus Authors.
# SPDX-License-Identifier: Apache-2.0
#
# run.sh [go test flags]   runs the end-to-end suite on the cluster that answers KUBECONFIG, or else on that of
# make cluster-up. Called by make e2e, which has built the image IMAGE and the command HELM. Elsewhere than on
# make cluster-up's node it needs LOAD, a command that gives the cluster the image archive it is called with, and
# DATABASE_URI (see database_test.go).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

own=${CLUSTER_DIR:-${VALTUUS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/valtuus}/cluster}
if [[ -z ${KUBECONFIG:-} || $KUBECONFIG == "$own/kubeconfig" ]] ||
	! kubectl get --raw /readyz --request-timeout=5s >/dev/null 2>&1; then
	KUBECONFIG=$own/kubeconfig
fi
if [[ ! -f $KUBECONFIG ]]; then
	echo "no cluster runs: make cluster-up" >&2
	exit 1
fi
if [[ $KUBECONFIG == "$own/kubeconfig" ]]; then
	PATH=$own/bin:$PATH
	: "${LOAD:=go run ./hack/cluster load}"
fi
KUBECTL=$(command -v kubectl) || {
	echo "kubectl is not in PATH" >&2
	exit 1
}
: "${LOAD:?is not set: the command that gives this cluster an image archive, such as 'kind load image-archive'}"
export KUBECONFIG KUBECTL LOAD PATH
exec go test -tags e2e -count=1 -timeout 120m -v "$@" ./hack/e2e
