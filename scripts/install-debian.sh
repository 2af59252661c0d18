#!/usr/bin/env bash
# Installs the development tools on Debian 12 or 13: install-debian.sh [wasm] [native] [lint] [browsers]
#
# Debian 12's own Emscripten, binaryen, xsimd and Catch2 are too old, so there they come from Debian 13 and
# bookworm-backports. A private apt configuration does this; the machine's own apt sources stay as they are.
set -euo pipefail

repo=$(cd "$(dirname "$0")/.." && pwd)
tools=$repo/.tools
apt=$tools/apt
. /etc/os-release
release=${VERSION_CODENAME:-unknown}
case $release in
  bookworm) new=/trixie backports=/bookworm-backports ;;
  trixie) new='' backports='' ;;
  *) echo "install-debian.sh: this is ${PRETTY_NAME:-an unknown system}; only Debian 12 and 13 are supported." >&2; exit 2 ;;
esac

packages=()
for part in "${@:-wasm}"; do
  case $part in
    wasm) packages+=(emscripten$new libxsimd-dev$new xtl-dev$new cmake ninja-build) ;;
    native) packages+=(g++ clang-19 libclang-rt-19-dev catch2$backports libcatch2-dev$backports libxsimd-dev$new xtl-dev$new cmake ninja-build) ;;
    lint) packages+=(clang-format-19 clang-tidy-19) ;;
    browsers) packages+=(chromium firefox-esr webkit2gtk-driver libwebkit2gtk-4.1-0 xvfb xauth fonts-dejavu-core) ;;
    *) echo "install-debian.sh: unknown part '$part'; the parts are wasm, native, lint and browsers." >&2; exit 2 ;;
  esac
done

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# The first Debian mirror among the machine's own sources that serves the given suite, else the given default.
mirror_of() {
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk -v suite="$1" -v fallback="$2" '$1 == suite && !uri { uri = $2 } END { print uri ? uri : fallback }'
}

write_apt_configuration() {
  local keys=/usr/share/keyrings/debian-archive-keyring.gpg suites="$release $release-updates"
  [ "$release" = trixie ] || suites+=" bookworm-backports trixie"
  mkdir -p "$apt"/{sources,preferences,lists/partial,archives/partial}
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
  # Below the priority of installed packages: without this apt would upgrade and remove parts of a Debian 12.
  [ "$release" = trixie ] || printf 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n' > "$apt/preferences/trixie"
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
DPkg::Lock::Timeout "300";
END
}

apt_get() {
  as_root env APT_CONFIG="$apt/apt.conf" DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@"
}

# Debian 13's binaryen needs Debian 13's C library, so both are unpacked side by side and each tool is run
# through that library's own loader.
unpack_binaryen() {
  local root=$tools/binaryen-root libraries=$tools/binaryen-root/usr/lib/$(gcc -print-multiarch) tool wrapper
  local loader
  rm -rf "$root" "$tools/binaryen"
  mkdir -p "$root" "$tools/binaryen/bin"
  (cd "$apt/archives" && apt_get download binaryen/trixie libc6/trixie libstdc++6/trixie libgcc-s1/trixie)
  for deb in "$apt"/archives/*.deb; do dpkg -x "$deb" "$root"; done
  loader=$(echo "$libraries"/ld-linux-*.so.*)
  for tool in "$root"/usr/bin/wasm*; do
    wrapper=$tools/binaryen/bin/$(basename "$tool")
    printf '#!/bin/sh\nexec env -u LD_LIBRARY_PATH "%s" --library-path "%s" "%s" "$@"\n' "$loader" "$libraries" "$tool" > "$wrapper"
    chmod +x "$wrapper"
  done
}

mkdir -p "$tools"
exec 9> "$tools/lock"
flock 9
trap 'as_root rm -rf "$apt"' EXIT
write_apt_configuration
apt_get update
apt_get install -y --no-install-recommends "${packages[@]}"
as_root rm -rf "$apt"/archives/*.deb
if [[ " ${*:-wasm} " == *" wasm "* ]]; then
  [ "$release" = trixie ] || unpack_binaryen
  # Emscripten looks for acorn where Debian's nodejs package links it; with another Node.js the link is absent.
  [ -e /usr/share/node_modules ] || as_root ln -sfn /usr/share/nodejs /usr/share/emscripten/node_modules
fi
