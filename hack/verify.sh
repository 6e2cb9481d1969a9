#!/usr/bin/env bash
# Copyright The Valtuus Authors.
# SPDX-License-Identifier: Apache-2.0
#
# verify.sh   checks all but the behavior of the Go code, and changes nothing; of tests
# it runs only those of the chart. All checks run, then it fails if any did. Called by make verify.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=()

check() {
	local name=$1 start=$SECONDS
	shift
	printf '== %s\n' "$name"
	if "$@"; then
		printf '   ok (%d s)\n' $((SECONDS - start))
	else
		printf '   FAILED (%d s)\n' $((SECONDS - start))
		failed+=("$name")
	fi
}

# The files of this tree, committed or not, without what is ignored or deleted.
tree_files() {
	git ls-files --cached --others --exclude-standard "$@" | sort -u | while IFS= read -r file; do
		[[ -f $file ]] && printf '%s\n' "$file"
	done
}

remove_generated() {
	rm -rf "$1"/api/*/applyconfiguration "$1"/api/*/zz_generated.*.go "$1"/api/*/*/zz_generated.*.go "$1"/config/crd/bases "$1"/config/rbac/role.yaml "$1"/charts/valtuus/files
}

# Generates in a copy without the generated files, so that a left-over is found
# as well as a missing or an edited one.
generated() {
	local want=$work/want got=$work/got
	mkdir -p "$want" "$got"
	tree_files -- Makefile go.mod go.sum api charts config controllers internal hack | tar -cf - -T - | tar -xf - -C "$want"
	tree_files -- api charts config | tar -cf - -T - | tar -xf - -C "$got"
	remove_generated "$want"
	make -C "$want" generate >"$work/generate.log" 2>&1 || {
		cat "$work/generate.log"
		return 1
	}
	local path
	for path in api charts config; do
		diff -ruN "$got/$path" "$want/$path" || {
			echo "generated files are not up to date: run make generate"
			return 1
		}
	done
}

formatted() {
	local list
	list=$(tree_files -- '*.go' | xargs gofmt -s -l) || return 1
	[[ -z $list ]] || {
		printf 'not formatted, run make fmt:\n%s\n' "$list"
		return 1
	}
}

tidy() {
	local module rc=0
	while IFS= read -r module; do
		GOWORK=off go -C "$(dirname "$module")" mod tidy -diff || {
			echo "$module is not tidy"
			rc=1
		}
	done < <(tree_files -- 'go.mod' '**/go.mod')
	return "$rc"
}

scripts() {
	local script rc=0
	while IFS= read -r script; do
		bash -n "$script" || rc=1
	done < <(tree_files -- '*.sh' .ci/run)
	if command -v shellcheck >/dev/null; then
		tree_files -- '*.sh' .ci/run | xargs shellcheck || rc=1
	fi
	return "$rc"
}

vet() { go vet ./... && go vet -tags cluster,e2e ./hack/...; }
lint() { make lint; }
api_description() { make lint-openapi; }
compatible() { go run ./hack/crdcompat; }
chart() { make chart; }

check "generated files" generated
check "formatting" formatted
check "module files" tidy
check "shell scripts" scripts
check "go vet" vet
check "lint" lint
check "API description" api_description
check "CRD compatibility" compatible
check "Helm chart" chart

if [[ ${#failed[@]} -gt 0 ]]; then
	printf 'verify failed:'
	printf ' [%s]' "${failed[@]}"
	printf '\n'
	exit 1
fi
echo "verify passed"
