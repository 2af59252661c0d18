#!/usr/bin/env bash
# Proves that a bare Debian needs nothing but Node.js and git: makes minimal systems with debootstrap, clones the
# committed HEAD into them, and times `npm test` and `npm run demo` there. Needs root, debootstrap, npm and 10 GB.
#
#   tests/clean/run.sh [bookworm] [trixie]      default: both; TMPDIR says where the systems are made
#
# The logs are left in build/clean/. Of this machine only the network settings (mirror, name servers, proxies,
# certificates, npm configuration) are carried into the systems.
set -euo pipefail

if [ "$(id -u)" != 0 ] || ! command -v debootstrap > /dev/null; then
  printf 'Needs root and debootstrap:\n\n  sudo apt-get install -y debootstrap && sudo %s %s\n\n' "$0" "$*" >&2
  exit 2
fi
repository=$(cd "$(dirname "$0")/../.." && pwd)
logs=$repository/build/clean
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
mkdir -p "$logs"

mirror_of() {
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    awk -v suite="$1" -v fallback="$2" '$1 == suite && !uri { uri = $2 } END { print uri ? uri : fallback }'
}
here=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
mirror=$(mirror_of "$here" http://deb.debian.org/debian)
security=$(mirror_of "$here-security" http://deb.debian.org/debian-security)

# Runs a shell command in the system at $root. Mounts and processes live in namespaces of their own, so nothing of
# them can outlive the command.
inside() {
  unshare --mount --pid --fork --kill-child bash -euc '
    mount -t proc proc "$0/proc"; mount --rbind /sys "$0/sys"; mount --rbind /dev "$0/dev"
    exec chroot "$0" /usr/bin/env -i "${@:2}" /bin/bash -euc "$1"' \
    "$root" "$1" HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${network[@]}"
}

# grep, content with no match: its status is 1 then, and 2 where it failed.
matching() { grep "$@" || [ $? = 1 ]; }

settings=$(env | matching -iE '^(https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|GIT_SSL_CAINFO)=')
network=()
[ -z "$settings" ] || mapfile -t network <<< "$settings"

copy_network_settings() {
  local file files
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  install -D /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  apt-config dump | matching -E '^Acquire::(https?|Check)' > "$root/etc/apt/apt.conf.d/99network"
  files=$(npm config get globalconfig && npm config get userconfig)
  while read -r file; do
    [ ! -e "$file" ] || cat "$file" >> "$root/root/.npmrc"
  done <<< "$files"
}

# The oldest Node.js that must do: Debian 13 has it; for Debian 12 it comes, with npm, from npm's own packages.
install_node() {
  if [ "$release" = trixie ]; then
    inside 'apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends nodejs npm'
  else
    npm install --silent --no-save --prefix "$root/opt/node" "node-linux-$(node -p process.arch)@20.19" npm@10
    ln -s "/opt/node/node_modules/node-linux-$(node -p process.arch)/bin/node" "$root/usr/local/bin/node"
    ln -s /opt/node/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
    ln -s /opt/node/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
  fi
}

make_system() {
  debootstrap --variant=minbase --include=git,ca-certificates "$release" "$root" "$mirror"
  printf 'deb %s %s main\n' "$mirror" "$release" "$mirror" "$release-updates" "$security" "$release-security" \
    > "$root/etc/apt/sources.list"
  copy_network_settings
  install_node
  git -C "$repository" bundle create -q "$root/attention-wasm.bundle" HEAD
  inside 'git clone -q /attention-wasm.bundle ~/attention-wasm'
}

in_clone() { inside "cd ~/attention-wasm && $1"; }

# Runs a named step with its output in a log, and adds its outcome and seconds to the table. After a failed step the
# others of that system are left out.
step() {
  local name=$1 log="$logs/$release-${1// /-}.log" began=$SECONDS outcome=passed status
  shift
  [ $failed = no ] || return 0
  echo "$release: $name ..."
  set +e # Not '||': that would switch -e off within the step as well.
  (set -e; "$@") > "$log" 2>&1
  status=$?
  set -e
  [ $status = 0 ] || { outcome=FAILED failed=yes any_failed=yes; tail -n 30 "$log"; }
  table+=$(printf '%-10s%-16s%-8s%6d s' "$release" "$name" $outcome $((SECONDS - began)))$'\n'
}

table='' any_failed=no
[ $# -gt 0 ] || set -- bookworm trixie
for release in "$@"; do
  root=$work/$release failed=no
  step 'bare system' make_system
  step 'npm test' in_clone 'npm test'
  step 'set-up again' in_clone 'node scripts/setup.mjs'
  step 'npm run demo' in_clone 'node tests/clean/fetch-demo.mjs'
  rm -rf --one-file-system "$root"
done
printf '\n%s' "$table"
[ $any_failed = no ]
