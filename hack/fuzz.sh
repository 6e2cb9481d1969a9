#!/usr/bin/env bash
# Copyright The Valtuus Authors.
# SPDX-License-Identifier: Apache-2.0
#
# fuzz.sh [duration]   runs every fuzz target for that long, one after another,
# because go test takes only one at a time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
duration=${1:-20s}

found=0
while IFS=: read -r file target; do
	found=$((found + 1))
	printf '== %s in %s\n' "$target" "$(dirname "$file")"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$duration" "./$(dirname "$file")"
done < <(git grep --untracked -oE "^func Fuzz[A-Za-z0-9_]*" -- "*_test.go" | sed "s/:func /:/")
printf '%d fuzz targets run\n' "$found"
