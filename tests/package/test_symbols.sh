#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: test_symbols.sh NM SHARED STATIC HEADER
# Both libraries define exactly the functions that the header declares.
set -eu
nm=$1 shared=$2 static=$3 header=$4

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tr '\n' ' ' <"$header" | grep -o 'NTS_API [^(;]*(' | sed -n 's/.*[ *]\(nts_[a-z0-9_]*\)($/\1/p' |
	sort >"$work/declared"
[ -s "$work/declared" ] || { echo "no function found in $header"; exit 1; }
"$nm" -D --defined-only "$shared" | awk '{ print $NF }' | sort >"$work/shared"
"$nm" -g --defined-only "$static" | awk 'NF == 3 { print $NF }' | sort >"$work/static"

status=0
for library in shared static; do
	diff -u "$work/declared" "$work/$library" || status=1
done
exit $status
