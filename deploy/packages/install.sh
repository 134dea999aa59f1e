#!/bin/sh
# Installs what is beside this file, or takes away what it installed:
#   ./install.sh [--prefix DIR] [--service | --no-service]
#   ./install.sh --uninstall [--prefix DIR] [--purge]
# The prefix is /usr/local for root, and ~/.local otherwise. Root on a machine with systemd also gets the service: account, folder,
# unit and configuration, not started. `--uninstall` keeps configuration and data, `--purge` does not.
set -eu
# Whatever root's own is: the service must read what is installed.
umask 022

here="$(cd "$(dirname "$0")" && pwd)"
prefix=
service=auto
action=install
purge=
while [ $# -gt 0 ]; do
  case "$1" in
    --prefix) shift; prefix="${1:?--prefix needs a folder}" ;;
    --prefix=*) prefix="${1#--prefix=}" ;;
    --service) service=yes ;;
    --no-service) service=no ;;
    --uninstall) action=uninstall ;;
    --purge) purge=yes ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0"; [ "$1" = --help ] && exit 0; exit 2 ;;
  esac
  shift
done
root=
[ "$(id -u)" -ne 0 ] || root=yes
if [ -z "$prefix" ]; then
  if [ -n "$root" ]; then prefix=/usr/local; else prefix="$HOME/.local"; fi
fi
case "$prefix" in
  /*) ;;
  *) prefix="$PWD/$prefix" ;;
esac
if [ "$service" = auto ]; then
  if [ -n "$root" ] && [ -d /run/systemd/system ]; then service=yes; else service=no; fi
fi
# What was installed, one line each; folders that were made come as `folder`.
list="$prefix/share/platewatch/installed"

die() {
  echo "error: $*" >&2
  exit 2
}

# folder DIR: makes it and those above it, and notes which were not there.
folder() {
  [ ! -d "$1" ] || return 0
  folder "$(dirname "$1")"
  mkdir "$1"
  echo "folder $1" >>"$noted"
}

# put MODE SOURCE PLACE
put() {
  folder "$(dirname "$3")"
  # Not in the place of a running program, which cannot be written.
  install -m "$1" "$2" "$3.new"
  mv -f "$3.new" "$3"
  echo "file $3" >>"$noted"
}

missing_libraries() {
  missing="$(ldd "$here/bin/platewatch" 2>&1 | sed -n 's/^[[:space:]]*\([^ ]*\) => not found.*/\1/p; s/.*version .\(GLIBC[A-Z]*_[0-9.]*\). not found.*/\1/p' | sort -u)"
  if [ -z "$missing" ]; then
    "$here/bin/platewatch" --version >/dev/null 2>&1 || die "the program does not run on this machine: it needs glibc and the processor of $(basename "$here")"
    return 0
  fi
  packages=
  for library in $missing; do
    case "$library" in
      libsasl2.so.2) packages="$packages libsasl2-2" ;;
      libssl.so.3 | libcrypto.so.3) packages="$packages libssl3" ;;
      libstdc++.so.6) packages="$packages libstdc++6" ;;
      libz.so.1) packages="$packages zlib1g" ;;
    esac
  done
  # Of several words on purpose.
  # shellcheck disable=SC2086
  packages="$(printf '%s\n' $packages | sort -u | tr '\n' ' ')"
  printf 'error: the program needs what this machine does not have:\n%s\n' "$missing" >&2
  [ -z "$packages" ] || echo "on Debian and Ubuntu: apt-get install --yes $packages" >&2
  exit 3
}

install_service() {
  [ -n "$root" ] || die "--service needs root"
  if ! getent passwd platewatch >/dev/null; then
    useradd --system --user-group --home-dir /var/lib/platewatch --shell /usr/sbin/nologin platewatch
  fi
  install -d -o platewatch -g platewatch -m 0700 /var/lib/platewatch
  for unit in "$here"/systemd/*; do
    scratch="$(mktemp)"
    sed "s|/usr/local/bin/|$prefix/bin/|" "$unit" >"$scratch"
    put 644 "$scratch" "/etc/systemd/system/$(basename "$unit")"
    rm -f "$scratch"
  done
  mkdir -p /etc/platewatch
  # A changed one stays.
  [ -e /etc/platewatch/platewatch.toml ] || install -m 644 "$here/platewatch.toml" /etc/platewatch/platewatch.toml
  scratch="$(mktemp)"
  for tool in platewatch-run platewatch-backup; do
    sed "s|/usr/local/bin/|$prefix/bin/|" "$here/bin/$tool" >"$scratch"
    put 755 "$scratch" "$prefix/bin/$tool"
  done
  rm -f "$scratch"
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl try-restart platewatch.service || echo "the new version does not start, see: systemctl status platewatch" >&2
  fi
}

install_all() {
  missing_libraries
  noted="$(mktemp)"
  names="$(mktemp)"
  trap 'rm -f "$noted" "$names"' EXIT
  # What an earlier installation made is still ours.
  [ ! -f "$list" ] || cat "$list" >>"$noted"
  put 755 "$here/bin/platewatch" "$prefix/bin/platewatch"
  (cd "$here/share" && find . -type f) | sed 's|^\./||' >"$names"
  while read -r name; do
    put 644 "$here/share/$name" "$prefix/share/$name"
  done <"$names"
  [ "$service" = no ] || install_service
  folder "$(dirname "$list")"
  echo "file $list" >>"$noted"
  sort -u "$noted" >"$list"
  echo "installed: $prefix/bin/platewatch"
  if [ "$service" = no ]; then
    echo "try it: $prefix/bin/platewatch demo"
  else
    echo "configure /etc/platewatch/platewatch.toml, then: systemctl enable --now platewatch"
  fi
}

# What is stored and set, but nothing that is mounted in it, and not the account: a stranger could get its number, and with it what lies
# elsewhere.
purge_all() {
  if [ -d /var/lib/platewatch ]; then
    find /var/lib/platewatch/ -xdev -mindepth 1 -delete 2>/dev/null || echo "something is left in /var/lib/platewatch" >&2
    if [ -L /var/lib/platewatch ]; then rm -f /var/lib/platewatch; else rmdir /var/lib/platewatch 2>/dev/null || true; fi
  fi
  rm -rf /etc/platewatch
  echo "purged; remove a data_dir elsewhere and backups yourself, then: userdel platewatch"
}

uninstall_all() {
  if [ ! -f "$list" ] && [ -n "$purge" ] && [ -n "$root" ]; then
    purge_all
    exit 0
  fi
  [ -f "$list" ] || die "nothing was installed in $prefix (--prefix names another)"
  if grep -q '^file /etc/systemd/system/platewatch.service$' "$list"; then
    of_service=yes
    if [ -d /run/systemd/system ]; then
      systemctl --quiet disable --now platewatch-verify.timer platewatch.service || true
    fi
  else
    of_service=
  fi
  noted="$(mktemp)"
  trap 'rm -f "$noted"' EXIT
  cp "$list" "$noted"
  sed -n 's/^file //p' "$noted" | while read -r name; do rm -f "$name"; done
  # The deepest first. A folder in which somebody else put something stays.
  sed -n 's/^folder //p' "$noted" | sort -r | while read -r name; do rmdir "$name" 2>/dev/null || true; done
  if [ -n "$of_service" ]; then
    [ ! -d /run/systemd/system ] || systemctl daemon-reload
    if [ -n "$purge" ]; then
      purge_all
    else
      echo "kept: /etc/platewatch and /var/lib/platewatch (--uninstall --purge removes them)"
    fi
  fi
  echo "removed from $prefix"
}

"${action}_all"
