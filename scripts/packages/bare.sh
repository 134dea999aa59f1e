# shellcheck shell=bash
# A bare Debian 12 in a folder: what debootstrap makes, nothing else. It is fetched once with the packages that ours depend on, and kept
# outside the checkout, so that later runs need no network. Sourced after lib.sh, never run; needs root.

BARE_MIRROR="${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
# Only downloaded: what is installed decide our packages.
BARE_PACKAGES=(adduser ca-certificates libgcc-s1 libsasl2-2 libsasl2-modules libssl3 libstdc++6 python3-venv systemd zlib1g)
BARE_ARCHIVE="$HOME/.cache/platewatch/bookworm-$(dpkg --print-architecture)-$(printf '%s ' "${BARE_PACKAGES[@]}" | sha256sum | cut -c 1-8).tar"

# need_bare: the archive. Delete it to have Debian's newest packages.
need_bare() {
  local making
  [ -f "$BARE_ARCHIVE" ] && return
  say "fetching a bare Debian 12"
  need_packages debootstrap debian-archive-keyring
  mkdir -p "${BARE_ARCHIVE%/*}"
  making="$(mktemp -d "${BARE_ARCHIVE%/*}/making.XXXXXX")"
  if ! PATH="$PATH:/usr/sbin:/sbin" debootstrap --variant=minbase bookworm "$making" "$BARE_MIRROR" >"$making.log" 2>&1; then
    tail -n 5 "$making.log" >&2
    rm -rf "$making" "$making.log"
    die "debootstrap of Debian 12 failed; is there a network? DEBIAN_MIRROR names another mirror"
  fi
  cp --dereference /etc/resolv.conf "$making/etc/resolv.conf"
  # Packages stay where they were downloaded to.
  inside "$making" sh -c 'apt-get update -qq && apt-get install -y -qq --download-only --no-install-recommends "$@" && rm -f /etc/resolv.conf' \
    sh "${BARE_PACKAGES[@]}" >"$making.log" 2>&1 || { tail -n 5 "$making.log" >&2; rm -rf "$making" "$making.log"; die "the packages of a bare Debian 12 cannot be fetched"; }
  tar --create --file "$making.tar" --directory "$making" .
  mv "$making.tar" "$BARE_ARCHIVE"
  rm -rf "$making" "$making.log"
}

# bare FOLDER: unpacks it.
bare() {
  mkdir -p "$1"
  tar --extract --file "$BARE_ARCHIVE" --directory "$1"
  # The root of the archive is mktemp's, which nobody else may read.
  chmod 755 "$1"
  # The variables are those of the script that is written.
  # shellcheck disable=SC2016
  # Packages are those that were fetched: nothing else can be. Debian starts no service here.
  printf '#!/bin/sh\nfor word; do [ "$word" != update ] || exit 0; done\nexec /usr/bin/apt-get -o Acquire::http::Proxy=http://127.0.0.1:1 "$@"\n' >"$1/usr/local/bin/apt-get"
  printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
  chmod 755 "$1/usr/local/bin/apt-get" "$1/usr/sbin/policy-rc.d"
}

# inside FOLDER COMMAND...: in it as root, with /proc and /dev, which are gone when the command ends, as are all that it started.
inside() {
  # The variables are those of the inner shell.
  # shellcheck disable=SC2016
  env --ignore-environment PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    unshare --mount --pid --fork --kill-child sh -c \
    'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"' "$@"
}
