#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: test_minimal.sh PROGRAM FIXTURES
# A program that was built with NTSCOPE_WITHOUT=all answers as every other, but where it says what
# it was built without. FIXTURES: the generated samples of the golden tests.
set -eu
program=$(readlink -f "$1") fixtures=$(readlink -f "$2")
cd "$(dirname "$0")/../golden"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "$@"
	exit 1
}

# shellcheck disable=SC2046
python3 run.py --program "$program" --fixtures "$fixtures" \
	$(sed -n 's/^\([a-z0-9_-]*\):.*/\1/p' cases.txt | grep -Ev '^(formats|disasm)')

for library in snappy lzo zstd bzip2 capstone sqlite3; do
	"$program" --version | grep -q "^built without $library:" ||
		fail "--version does not say that $library is missing"
done
for codec in snappy lzo zstd; do
	"$program" formats --format csv --columns kind,name,built --where kind=codec |
		grep -q "^codec,$codec,built without" || fail "formats: codec $codec"
done
for container in zstd bzip2; do
	"$program" formats --format csv --columns kind,name,built --where kind=container |
		grep -q "^container,$container,built without" || fail "formats: container $container"
done

# refused NAME COMMAND...: it fails, and says that NAME is missing.
refused() {
	name=$1
	shift
	if "$@" >"$work/log" 2>&1; then
		fail "$* does not fail"
	fi
	grep -q "built without $name" "$work/log" || fail "$*: $(cat "$work/log")"
}
refused capstone "$program" disasm ../../testdata/small-windows.dmp 0xfffff80042a00000
echo "a snapshot" | zstd -q >"$work/snapshot.zst"
refused zstd "$program" info "$work/snapshot.zst"
