# shellcheck shell=bash
# What the scripts share: the checkout's root, the tools that a build needs, and one cargo for all of them.
# Sourced, never run. It installs only what is missing, so that a machine that has everything needs no network.

set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
PATH="$HOME/.cargo/bin:$PATH"
# Outside the checkout: RocksDB takes about 20 minutes to compile, and a fresh clone should not pay for it again.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/platewatch/target}"
# The command that the scripts run.
export BINARY="$CARGO_TARGET_DIR/release/platewatch"

# The last four are librdkafka's, for TLS, Kerberos and compression.
BUILD_PACKAGES=(build-essential clang libclang-dev cmake pkg-config
  libcurl4-openssl-dev libssl-dev libsasl2-dev zlib1g-dev)

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 2
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root: install sudo, or run as root: $*"
  fi
}

is_installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need_packages PACKAGE...: Debian packages, installed where they are missing.
need_packages() {
  local package missing=()
  if ! command -v dpkg-query >/dev/null; then
    say "note: this is not Debian or Ubuntu; make sure that you have the counterparts of: $*"
    return
  fi
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [ "${#missing[@]}" -eq 0 ] && return
  say "installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

# A browser where the package is a real one; Ubuntu's `chromium` package needs snap, so a present browser wins.
need_chromium() {
  CHROMIUM="$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)"
  if [ -z "$CHROMIUM" ]; then
    need_packages chromium fonts-noto-cjk
    CHROMIUM="$(command -v chromium)" || die "chromium is not there: install it"
  fi
}

# Node.js for the page, and its packages exactly as web/package-lock.json pins them; fetched once.
need_page_packages() {
  local stamp="$ROOT/web/node_modules/.package-lock.installed"
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    need_packages nodejs npm
  fi
  node --eval 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)' ||
    die "Node.js $(node --version) is too old: install 20.19 or later (https://nodejs.org), then run this again"
  cmp --silent "$ROOT/web/package-lock.json" "$stamp" && return
  say "installing the packages of the page"
  (cd "$ROOT/web" && npm ci --prefer-offline --no-audit --no-fund >&2) || die "the packages of the page cannot be installed; is there a network?"
  cp "$ROOT/web/package-lock.json" "$stamp"
}

# page SCRIPT [ARGS]: a script of web/package.json.
page() {
  (cd "$ROOT/web" && npm run --silent "$@")
}

java_version() {
  java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1
}

# A real Kafka for the tests: Java 17 or later, Kafka's jars, which Maven fetches once, and openssl for certificates.
need_kafka() {
  local version
  command -v openssl >/dev/null || need_packages openssl
  command -v java >/dev/null || need_packages default-jre-headless
  version="$(java_version)"
  if [ "${version:-0}" -lt 17 ]; then
    need_packages openjdk-17-jre-headless
    version="$(java_version)"
    [ "${version:-0}" -ge 17 ] || die "Kafka needs Java 17 or later, and \`java\` is ${version:-none}: choose one with update-alternatives --config java"
  fi
  "$ROOT/tests/kafka/classpath.sh" >/dev/null 2>&1 && return
  command -v mvn >/dev/null || need_packages maven
  "$ROOT/tests/kafka/classpath.sh" >/dev/null
}

# need_programs PROGRAM PACKAGE...: packages whose servers are only wanted as programs. Debian would start them as
# services on their usual ports after the installation: its own policy file says no, unless the machine has one already.
need_programs() {
  local program="$1" policy=/usr/sbin/policy-rc.d ours=
  shift
  PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null && return
  if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
  need_packages "$@" || true
  [ -z "$ours" ] || as_root rm -f "$policy"
  PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null || die "$program is not there: install $*"
}

# A real MariaDB and a real Redis for the tests, which start their own on free ports.
need_mysql() {
  PATH="$PATH:/usr/sbin"
  need_programs mariadbd mariadb-server mariadb-client
  command -v openssl >/dev/null || need_packages openssl
}

need_redis() {
  need_programs redis-server redis-server
}

# What reads the examples in deploy/ and sql/: XML and YAML, and systemd's units.
need_deploy_checks() {
  python3 -c 'import yaml' 2>/dev/null || need_packages python3 python3-yaml
  command -v systemd-analyze >/dev/null || need_packages systemd
}

# Rust as rust-toolchain.toml pins it: through rustup, or a distribution's own that is new enough.
need_rust() {
  local wanted found
  if ! command -v cargo >/dev/null && apt-cache show rustup >/dev/null 2>&1; then
    need_packages rustup
  fi
  command -v cargo >/dev/null || die "cargo is not there: install Rust with rustup (https://rustup.rs), then run this again"
  wanted="$(sed -n 's/^channel = "\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml")"
  # rustup installs the pinned toolchain at the first call.
  found="$(cd "$ROOT" && rustc --version | cut -d' ' -f2)" || die "the Rust toolchain $wanted cannot be installed; is there a network?"
  if [ "$(printf '%s\n%s\n' "$wanted" "$found" | sort --version-sort | head -n 1)" != "$wanted" ]; then
    die "Rust $found is older than $wanted: install Rust with rustup (https://rustup.rs), then run this again"
  fi
}

need_build_tools() {
  need_packages "${BUILD_PACKAGES[@]}"
  need_rust
  # Without a network what was fetched before is enough.
  if ! (cd "$ROOT" && cargo fetch --locked --quiet --target "$(rustc -vV | sed -n 's/^host: //p')"); then
    say "note: crates cannot be fetched; going on with those that are here"
    export CARGO_NET_OFFLINE=true
  fi
}

# cargo_all COMMAND [ARGS]: cargo on the whole workspace in the one profile. IMPORTANT: another profile, or `-p` on
# one package, resolves other features and compiles RocksDB a second time.
cargo_all() {
  local command="$1"
  shift
  (cd "$ROOT" && cargo "$command" --release --locked --workspace "$@")
}
