#!/usr/bin/env bash
# Installs the development tools on Debian 12 or 13.
#   install-debian.sh [--missing] part...     the parts: build emscripten native fuzz coverage lint browsers
# With --missing it only lists what is not there yet.
#
# Debian 12's own Emscripten, binaryen, xsimd and Catch2 are too old, so there they come from Debian 13 and from
# bookworm-backports. A private apt configuration does this: the machine's own apt sources stay as they are.
set -euo pipefail
shopt -s inherit_errexit

repository=$(cd "$(dirname "$0")/.." && pwd)
tools=$repository/.tools
apt=$tools/apt
. /etc/os-release
release=${VERSION_CODENAME:-unknown}
case $release in
  bookworm) trixie=/trixie backports=/bookworm-backports ;;
  trixie) trixie='' backports='' ;;
  *) echo "This is ${PRETTY_NAME:-an unknown system}; only Debian 12 and 13 are supported." >&2; exit 2 ;;
esac

packages_of() {
  case $1 in
    build) echo cmake ninja-build libxsimd-dev$trixie xtl-dev$trixie ;;
    emscripten) echo emscripten$trixie ;;
    native) echo g++ clang-19 libclang-rt-19-dev catch2$backports libcatch2-dev$backports ;;
    fuzz) echo clang-19 libclang-rt-19-dev g++-multilib ;;
    coverage) echo clang-19 llvm-19 libclang-rt-19-dev ;;
    lint) echo clang-format-19 clang-tidy-19 ;;
    browsers) echo chromium firefox-esr webkit2gtk-driver xvfb xauth fonts-dejavu-core ;;
    *) echo "Unknown part '$1'." >&2; return 2 ;;
  esac
}

declare -A oldest=([emscripten]=3.1.69 [libxsimd-dev]=13 [catch2]=3 [libcatch2-dev]=3)

is_installed() {
  local name=${1%/*} status
  status=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$name" 2>/dev/null) || return 1
  [[ $status == 'installed '* ]] && dpkg --compare-versions "${status#* }" ge "${oldest[$name]:-0}"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt_get() {
  as_root env APT_CONFIG="$apt/apt.conf" DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@"
}

# The first mirror among the machine's own apt sources that serves the given suite, else the given default.
mirror_of() {
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    awk -v suite="$1" -v fallback="$2" '$1 == suite && !uri { uri = $2 } END { print uri ? uri : fallback }'
}

write_apt_configuration() {
  local keys=/usr/share/keyrings/debian-archive-keyring.gpg suites="$release $release-updates"
  mkdir -p "$apt"/{sources,preferences,lists/partial,archives/partial}
  if [ "$release" = bookworm ]; then
    suites+=' bookworm-backports trixie'
    # Below installed packages: without this apt would upgrade and remove parts of the system.
    printf 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n' > "$apt/preferences/trixie"
  fi
  cat > "$apt/sources/debian.sources" <<END
Types: deb
URIs: $(mirror_of "$release" http://deb.debian.org/debian)
Suites: $suites
Components: main
Signed-By: $keys

Types: deb
URIs: $(mirror_of "$release-security" http://deb.debian.org/debian-security)
Suites: $release-security
Components: main
Signed-By: $keys
END
  cat > "$apt/apt.conf" <<END
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$apt/preferences";
Dir::State::Lists "$apt/lists";
Dir::Cache::archives "$apt/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Update::Error-Mode "any";
DPkg::Lock::Timeout "300";
END
}

# Debian 13's binaryen needs Debian 13's C library: both are unpacked into one folder, and each tool is started
# through that library's own loader.
unpack_binaryen() {
  local root=$tools/binaryen-root deb tool
  rm -rf "$root" "$tools/binaryen"
  mkdir -p "$root" "$tools/binaryen/bin"
  (cd "$apt/archives" && apt_get download binaryen/trixie libc6/trixie libstdc++6/trixie libgcc-s1/trixie)
  for deb in "$apt"/archives/*.deb; do dpkg -x "$deb" "$root"; done
  rm -rf "$root/usr/share" "$root/etc"
  for tool in "$root"/usr/bin/wasm*; do
    cat > "$tools/binaryen/bin/${tool##*/}" <<'END'
#!/bin/sh
root=$(dirname "$0")/../../binaryen-root/usr
exec env -u LD_LIBRARY_PATH "$root"/lib/*-linux-gnu/ld-linux-*.so.* \
  --library-path "$(echo "$root"/lib/*-linux-gnu)" "$root/bin/$(basename "$0")" "$@"
END
  done
  chmod +x "$tools"/binaryen/bin/*
}

needs_binaryen() {
  [ "$release" = bookworm ] && [[ " $parts " == *' emscripten '* ]] && [ ! -x "$tools/binaryen/bin/wasm-opt" ]
}

[ "${1:-}" = --missing ] && list_only=yes && shift
parts="$*"
packages=$(for part in "$@"; do packages_of "$part"; done)
missing=$(for package in $packages; do is_installed "$package" || echo "$package"; done)
if needs_binaryen; then missing+=${missing:+$'\n'}binaryen/trixie; fi
if [ "${list_only:-}" ]; then echo "$missing"; exit; fi
[ "$missing" ] || exit 0

mkdir -p "$tools"
exec 9> "$tools/lock"
flock 9
trap 'as_root rm -rf "$apt"; as_root chown -R --reference="$repository" "$tools"' EXIT
write_apt_configuration
apt_get update
apt_get install -y --no-install-recommends $packages
as_root rm -rf "$apt"/archives/*.deb
if needs_binaryen; then unpack_binaryen; fi
# Emscripten looks for acorn where Debian's nodejs package puts a link; with another Node.js there is none.
if [ -e /usr/share/emscripten ] && [ ! -e /usr/share/node_modules ]; then
  as_root ln -sfn /usr/share/nodejs /usr/share/emscripten/node_modules
fi
