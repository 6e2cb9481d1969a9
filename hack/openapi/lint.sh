#!/usr/bin/env bash
# Copyright The Valtuus Authors.
# SPDX-License-Identifier: Apache-2.0
#
# lint.sh   lints the description of the archive's HTTP API with Redocly CLI, which
# npm fetches once into the cache. It is one package without dependencies, so there
# is no lock file. Where npm is missing the lint is left out, except with
# VALTUUS_REQUIRE_INSTALLED=1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=2.77.0
cache=${VALTUUS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/valtuus}
dir=$cache/npm/redocly-cli-$version

if ! command -v npm >/dev/null; then
	echo "openapi: npm is not in PATH, so the API's description is not linted" >&2
	[[ ${VALTUUS_REQUIRE_INSTALLED:-} != 1 ]]
	exit
fi

# Installed under a temporary name: a directory that exists is complete.
if [[ ! -d $dir ]]; then
	echo "openapi: fetching @redocly/cli $version; first time only" >&2
	mkdir -p "$cache/npm"
	part=$(mktemp -d "$dir.XXXXXX")
	trap 'rm -rf "$part"' EXIT
	npm install --prefix "$part" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel error \
		"@redocly/cli@$version" >&2
	[[ -d $dir ]] || mv "$part" "$dir"
fi

export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
"$dir/node_modules/.bin/redocly" lint --config hack/openapi/redocly.yaml internal/archive/openapi.yaml
