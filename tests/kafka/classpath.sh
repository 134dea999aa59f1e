#!/usr/bin/env bash
# Prints the class path of the Kafka in pom.xml. Maven is asked once, and again when the pom changes; afterwards this
# needs neither Maven nor a network.

set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/platewatch/kafka"
resolved="$cache/classpath-$(sha256sum "$here/pom.xml" | cut -c 1-16)"

complete() {
  local jar jars
  [ -s "$resolved" ] || return 1
  IFS=: read -r -a jars <"$resolved"
  for jar in "${jars[@]}"; do
    [ -s "$jar" ] || return 1
  done
}

if ! complete; then
  command -v mvn >/dev/null || { echo "error: Maven is not there: install maven and default-jre-headless" >&2; exit 2; }
  mkdir -p "$cache"
  # Tests start in parallel; Maven's repository is not meant for two at once.
  exec 9>"$cache/lock"
  flock 9
  if ! complete; then
    resolve=(mvn -q -B -f "$here/pom.xml" dependency:build-classpath "-Dmdep.outputFile=$resolved.new")
    # What is in the local repository already is enough.
    "${resolve[@]}" -o >/dev/null 2>&1 || "${resolve[@]}" >&2 || {
      echo "error: Maven could not fetch Kafka; is there a network?" >&2
      exit 2
    }
    mv "$resolved.new" "$resolved"
  fi
fi
cat "$resolved"
