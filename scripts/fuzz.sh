#!/bin/sh
# Runs every fuzzer of the module for the given time, one after the other, and fails at the first finding.
set -eu
time=${1:?"say for how long: 10m"}
fuzzers=$(grep -rn --include='*_test.go' '^func Fuzz' . | sed 's/^\.\/\(.*\)\/[^/]*:[0-9]*:func \(Fuzz[A-Za-z0-9]*\).*/\1 \2/')
if [ -z "$fuzzers" ]; then
	echo "fuzz: no fuzzers here; run it in the module's root" >&2
	exit 1
fi
# No pipe into the loop: its failure has to be the script's.
while read -r package fuzzer; do
	echo "fuzz: $fuzzer of ./$package for $time"
	go test "./$package" -run '^$' -fuzz "^$fuzzer\$" -fuzztime "$time" -fuzzminimizetime 5x -parallel 2 </dev/null
done <<END
$fuzzers
END
