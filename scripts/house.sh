# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# What the launcher and tests/run share: installing packages and building presets. Sourced with
# $root set to the source tree. Everything is said on stderr, nothing reads stdin.

# Debian 12's names.
BUILD_PACKAGES="gcc libc6-dev cmake ninja-build pkg-config libjansson-dev liblzma-dev liblz4-dev zlib1g-dev libcapstone-dev
	libbz2-dev liblzo2-dev libsnappy-dev libsqlite3-dev libzstd-dev"
TEST_PACKAGES="$BUILD_PACKAGES libwim-dev lintian lz4 makedumpfile python3-libkdumpfile wimtools zip zstd clang clang-format libclang-rt-dev libcriterion-dev libhivex-bin libunicorn-dev lld llvm python3 xz-utils fish mandoc zsh"

log_dir=$root/build/log

say() {
	echo "ntscope: $*" >&2
}

die() {
	say "$@"
	exit 1
}

# fail_with_log LOG SENTENCE: the end of the log, then the sentence.
fail_with_log() {
	tail -n 30 "$1" >&2
	die "$2 (all of it: $1)"
}

make_log_dir() {
	mkdir -p "$log_dir" 2>/dev/null || true
	[ -w "$log_dir" ] || die "cannot write to $root/build, where the program is built"
}

# Those of the packages named that are not installed.
missing_packages() {
	installed=" $(dpkg-query -W -f '${Package}:${db:Status-Status} ' "$@" 2>/dev/null || true)"
	missing=
	for package; do
		case $installed in
		*" $package:installed "*) ;;
		*) missing="$missing${missing:+ }$package" ;;
		esac
	done
	echo "$missing"
}

# install_packages PACKAGE...: asks apt for what is missing, and for nothing if nothing is.
install_packages() {
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		die "this is no Debian: install the counterparts of its packages $*," \
			"then build with cmake --preset release"
	fi
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	as_root=
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null ||
			die "needs root or sudo to install these packages: $missing"
		as_root=sudo
	fi
	make_log_dir
	say "installing packages: $missing"
	apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300"
	# A failed update (one source of several is down) may still leave what is needed.
	$apt update </dev/null >"$log_dir/apt.log" 2>&1 || true
	# shellcheck disable=SC2086
	$apt install --no-install-recommends $missing </dev/null >>"$log_dir/apt.log" 2>&1 ||
		fail_with_log "$log_dir/apt.log" "apt-get could not install: $missing"
}

# build_preset PRESET [TARGET...]: configures where that was not done yet, and builds. Fails with
# the reason in $log_dir/build-PRESET.log.
build_preset() {
	preset=$1
	shift
	dir=$root/build/$preset
	(
		cd "$root" || exit 1
		if ! grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$dir/CMakeCache.txt"; then
			fresh=--fresh # never configured, or the tree was moved
		elif [ ! -e "$dir/build.ninja" ]; then
			fresh=
		else
			fresh=no
		fi
		# shellcheck disable=SC2086
		[ "$fresh" = no ] || cmake --preset "$preset" $fresh || exit 1
		ninja -C "$dir" "$@"
	) </dev/null >"$log_dir/build-$preset.log" 2>&1
}
