#!/bin/sh
# Writes MyCat's schema.xml, rule.xml and server.xml with the passwords and the addresses of the two instances in them. Run
# it as the user that runs MyCat: nobody else can read the files.
#
#   sql/mycat/configure.sh CONF [FIRST SECOND]
#
#   CONF          MyCat's folder conf, such as /opt/mycat/conf
#   FIRST SECOND  host:port of the instances, in the order of dn1,dn2   [127.0.0.1:3306 127.0.0.1:3307]
#
# The passwords come from the environment (MYCAT_PASSWORD, PLATEWATCH_PASSWORD, READER_PASSWORD), or from the file that
# PASSWORDS names, by default passwords.env in the folder above. As arguments a list of processes would show them.
set -eu

here="$(cd "$(dirname "$0")" && pwd)"
conf="${1:?the folder conf of MyCat}"
first="${2:-127.0.0.1:3306}"
second="${3:-127.0.0.1:3307}"
passwords="${PASSWORDS:-$here/../passwords.env}"
[ -d "$conf" ] || { echo "error: $conf is no folder: unpack MyCat first" >&2; exit 2; }

# Only NAME=… lines are taken, and what follows the = as it stands.
if [ -z "${MYCAT_PASSWORD:-}" ] && [ -r "$passwords" ]; then
  while IFS= read -r line || [ -n "$line" ]; do
    case "$line" in
      MYCAT_PASSWORD=*) MYCAT_PASSWORD="${line#*=}" ;;
      PLATEWATCH_PASSWORD=*) PLATEWATCH_PASSWORD="${line#*=}" ;;
      READER_PASSWORD=*) READER_PASSWORD="${line#*=}" ;;
    esac
  done <"$passwords"
fi
: "${MYCAT_PASSWORD:?write it into $passwords}" "${PLATEWATCH_PASSWORD:?write it into $passwords}" \
  "${READER_PASSWORD:?write it into $passwords}"
export MYCAT_PASSWORD PLATEWATCH_PASSWORD READER_PASSWORD
for name in MYCAT_PASSWORD PLATEWATCH_PASSWORD READER_PASSWORD; do
  value=
  eval "value=\$$name"
  # MyCat takes white space away around a password, and XML knows no control characters.
  trimmed="$(printf '%s' "$value" | LC_ALL=C tr -d '\000-\037\177' | sed 's/^ *//; s/ *$//')"
  if [ "$trimmed" != "$value" ]; then
    echo "error: MyCat cannot take $name: no control characters, no blank before or behind it" >&2
    exit 2
  fi
done

umask 077
# What awk puts in is what the environment holds, with XML's own signs escaped; & and \ mean nothing to it.
fill() {
  FIRST="$first" SECOND="$second" awk '
    function xml(text) {
      gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); gsub(/>/, "\\&gt;", text); gsub(/"/, "\\&quot;", text)
      return text
    }
    function put(word, value,   at) {
      at = index($0, word)
      if (at) $0 = substr($0, 1, at - 1) xml(value) substr($0, at + length(word))
      return at
    }
    /127\.0\.0\.1:3306/ { put("127.0.0.1:3306", ENVIRON["FIRST"]) }
    /127\.0\.0\.1:3307/ { put("127.0.0.1:3307", ENVIRON["SECOND"]) }
    /<user name="/ { split($0, part, "\""); name = part[2] }
    /"change me"|>change me</ {
      put("change me", ENVIRON[name == "" ? "MYCAT_PASSWORD" : name == "platewatch" ? "PLATEWATCH_PASSWORD" : "READER_PASSWORD"])
    }
    { print }
  ' "$here/$1" >"$conf/$1.new"
  mv "$conf/$1.new" "$conf/$1"
}
fill schema.xml
fill server.xml
cp "$here/rule.xml" "$conf/rule.xml"
echo "MyCat is configured: $conf/schema.xml, rule.xml and server.xml; start it again" >&2
