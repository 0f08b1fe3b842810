#!/usr/bin/env bash
# Runs every fuzz target in turn, each for the given time. An input that fails stops it; go leaves that input in the
# package's testdata/fuzz, where it is a test from then on.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:?usage: hack/fuzz.sh TIME, such as 30s}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# fuzz TARGET FOLDER. Without a bound go spends up to a minute on making one interesting input shorter, and runs no others
# meanwhile. Now and then it calls the end of the time itself a failure; a real one names the input that failed.
fuzz() {
	echo "=== $1 in $2, $time"
	go test -run '^$' -fuzz "^$1\$" -fuzztime "$time" -fuzzminimizetime 1s "./$2" 2>&1 | tee "$log" && return
	grep -q '^ *context deadline exceeded$' "$log" && ! grep -q 'Failing input' "$log"
}

targets=0
while read -r folder; do
	while read -r target; do
		fuzz "$target" "$folder"
		targets=$((targets + 1))
	done < <(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(f \*testing\.F).*/\1/p' "$folder"/*_test.go)
done < <(git ls-files -co --exclude-standard '*_test.go' | xargs grep -l '^func Fuzz' | xargs -n1 dirname | sort -u)

echo "=== $targets targets passed"
# None would mean that the search above no longer finds them.
[ "$targets" -gt 0 ]
