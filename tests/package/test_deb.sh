#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: test_deb.sh BUILD_DIR CONSUMER_DIR CC TESTDATA_DIR
# Makes the Debian packages of a build, asks lintian about them, unpacks them into an empty folder
# and uses what is there. Skips (exit status 77) where the tools are missing.
set -eu
build=$1 consumer=$2 cc=$3 testdata=$4

for tool in cpack dpkg-deb dpkg-shlibdeps lintian man readelf; do
	command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
	echo "$@"
	exit 1
}

cpack --config "$build/CPackConfig.cmake" -G DEB -B "$work/packages" >"$work/log" 2>&1 ||
	{ cat "$work/log"; fail "cpack failed"; }
cd "$work"
ls packages/*.deb
status=0
lintian --allow-root --fail-on error,warning packages/*.deb || status=1

root=$work/root
for package in packages/*.deb; do
	dpkg-deb -x "$package" "$root"
done
libdir=$(dirname "$(find "$root" -name libntscope.so)")
export LD_LIBRARY_PATH="$libdir"

# The program's package stands alone: it needs neither of the others.
dpkg-deb -f packages/ntscope_*.deb Depends
dpkg-deb -f packages/ntscope_*.deb Depends | grep -q libc6 || fail "no libraries in Depends"
"$root/usr/bin/ntscope" --version
"$root/usr/bin/ntscope" ps --format csv --columns pid,name "$testdata/small-windows.dmp" |
	grep -q '^4,System' || fail "the program does not list System"
man -l "$root/usr/share/man/man1/ntscope.1.gz" 2>&1 | grep -q SYNOPSIS || fail "no manual page"
for file in bash-completion/completions/ntscope zsh/vendor-completions/_ntscope \
	fish/vendor_completions.d/ntscope.fish; do
	[ -s "$root/usr/share/$file" ] || fail "no $file"
done
find "$root" -name '*.gz' -exec gzip -t {} +

# What makes flaws harder to use. Whether calls are fortified depends on the kind of build.
for file in "$root/usr/bin/ntscope" "$libdir"/libntscope.so.*.*; do
	readelf -hW "$file" | grep -q 'Type: *DYN' || fail "$file: not position-independent"
	readelf -lW "$file" | grep -q GNU_RELRO || fail "$file: no RELRO"
	readelf -dW "$file" | grep -q BIND_NOW || fail "$file: not bound at the start"
	readelf -SW "$file" | grep -q debug && fail "$file: not stripped"
done

# A program is built against what the packages hold, as below /usr.
PKG_CONFIG_LIBDIR="$libdir/pkgconfig:$(pkg-config --variable pc_path pkg-config)"
export PKG_CONFIG_LIBDIR
head -c 8192 /dev/zero | tr '\0' 'A' >snapshot
depends=" $(dpkg-deb -f packages/libntscope-dev_*.deb Depends | tr -d ,) "
for module in $(pkg-config --print-requires-private ntscope); do
	package=$(dpkg -S "$(pkg-config --variable pcfiledir "$module")/$module.pc" | cut -d: -f1)
	[ "${depends#* "$package" }" != "$depends" ] ||
		fail "libntscope-dev does not depend on $package, which has $module.pc"
done
# The words that pkg-config prints are arguments each.
# shellcheck disable=SC2046
"$cc" "$consumer/consumer.c" -o using $(pkg-config --cflags --libs ntscope)
./using snapshot

if command -v python3 >/dev/null; then
	PYTHONPATH=$root/usr/lib/python3/dist-packages NTSCOPE_LIBRARY=$libdir/libntscope.so.0 \
		PYTHONDONTWRITEBYTECODE=1 python3 -c 'import ntscope; print(ntscope.__file__)' |
		grep -q "$root" || fail "the Python module does not load"
fi
exit $status
