#!/usr/bin/env bash
# Generates everything into a copy of the repository and compares. The working tree stays as it is, so this
# neither hides a stale file by refreshing it nor needs a commit to compare with.
set -euo pipefail
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar --exclude=./.git --exclude=./bin --exclude=./dist -cf - . | tar -xf - -C "$copy"

make --no-print-directory -C "$copy" generate manifests reference chart

stale=0
for path in api config/crd/bases config/rbac integrations/argocd charts docs/reference.md; do
	diff -ruN "$path" "$copy/$path" || stale=1
done
if [ "$stale" -ne 0 ]; then
	echo "generated files are stale (- is here, + is what it should be); run: make generate manifests reference chart" >&2
	exit 1
fi
echo "generated files are up to date"
