#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: test_install.sh BUILD_DIR CONSUMER_DIR CC
# Installs the build under a prefix, then builds and runs a program against it: with pkg-config,
# shared and static, and with find_package, shared and static.
set -eu
build=$1 consumer=$2 cc=$3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
head -c 8192 /dev/zero | tr '\0' 'A' >"$work/snapshot"

# logged COMMAND...: what it says matters only when it fails.
logged() {
	"$@" >"$work/log" 2>&1 && return
	cat "$work/log"
	exit 1
}

logged cmake --install "$build" --prefix "$prefix"
libdir=$(dirname "$(find "$prefix" -name libntscope.so)")
[ -x "$prefix/bin/ntscope" ] || { echo "no program was installed"; exit 1; }
for file in man/man1/ntscope.1 bash-completion/completions/ntscope zsh/site-functions/_ntscope \
	fish/vendor_completions.d/ntscope.fish doc/ntscope/README.md doc/ntscope/LICENSE; do
	[ -s "$prefix/share/$file" ] || { echo "no share/$file was installed"; exit 1; }
done
# Programs keep to the interface that they were linked with.
soname=$(readelf -dW "$libdir/libntscope.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
major=$("$prefix/bin/ntscope" --version | sed -n 's/^ntscope \([0-9]*\)\..*/\1/p')
[ "$soname" = "libntscope.so.$major" ] || { echo "version $major has SONAME '$soname'"; exit 1; }

run() {
	printf '%s: ' "$1"
	LD_LIBRARY_PATH=$libdir "$2" "$work/snapshot"
}

export PKG_CONFIG_PATH="$libdir/pkgconfig"
# The words that pkg-config prints are arguments each.
# shellcheck disable=SC2046
"$cc" "$consumer/consumer.c" -o "$work/shared" $(pkg-config --cflags --libs ntscope)
run "pkg-config, shared" "$work/shared"
# shellcheck disable=SC2046
"$cc" "$consumer/consumer.c" -o "$work/static" $(pkg-config --cflags ntscope) \
	-Wl,-Bstatic -lntscope -Wl,-Bdynamic $(pkg-config --static --libs ntscope)
run "pkg-config, static" "$work/static"
if ldd "$work/static" | grep -q ntscope; then
	echo "the static program needs the shared library"
	exit 1
fi

logged cmake -G Ninja -S "$consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" \
	-DCMAKE_C_COMPILER="$cc"
logged cmake --build "$work/build"
run "find_package, shared" "$work/build/consumer"
run "find_package, static" "$work/build/consumer_static"
