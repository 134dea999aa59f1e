#!/usr/bin/env bash
# Makes the two instances of MariaDB on Debian or Ubuntu: configuration, data directories, systemd's units, schema, clean-up
# event and accounts. Run it as root; running it again changes nothing but the passwords.
#
#   sql/setup-instances.sh [--passwords FILE] [--bind ADDRESS] [--ports 3306,3307]
#
#   --passwords FILE  the accounts' passwords, see passwords.example.env        [passwords.env beside this script]
#   --bind ADDRESS    the address that MyCat and Platewatch connect to          [127.0.0.1]
#   --ports A,B       the first is Platewatch's shard 0 and MyCat's dn1         [3306,3307]
#   --root FOLDER     everything below this folder, and the servers started without systemd: for tests and containers
#   --user USER       as whom the servers run                                   [mysql]

set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
PATH="$PATH:/usr/sbin"
passwords="$here/passwords.env"
bind=127.0.0.1
ports=3306,3307
root=
user=mysql

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 2
}

while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || die "$1 needs a value"
  case "$1" in
    --passwords) passwords="$2" ;;
    --bind) bind="$2" ;;
    --ports) ports="$2" ;;
    --root) root="$2" ;;
    --user) user="$2" ;;
    *) die "there is no option $1: see the first lines of $0" ;;
  esac
  shift 2
done

[[ "$ports" =~ ^[0-9]+,[0-9]+$ ]] || die "--ports takes two ports with a comma between, such as 3306,3307"
first="${ports%,*}"
second="${ports#*,}"
[ "$first" != "$second" ] || die "--ports takes two different ports"
[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || die "this changes /etc/mysql and starts services: run it as root"
for program in mariadbd mariadb mariadb-install-db; do
  command -v "$program" >/dev/null || die "$program is not there: apt-get install mariadb-server"
done

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"
read_passwords "$passwords"

configuration="$root/etc/mysql/mariadb.conf.d"
run="$root/run/mysqld"
datadir() { [ "$1" = "$first" ] && printf '%s' "$root/var/lib/mysql" || printf '%s' "$root/var/lib/mysql-$1"; }
tmpdir() { [ "$1" = "$first" ] && printf '%s' "$root/var/lib/mysql-tmp" || printf '%s' "$root/var/lib/mysql-$1-tmp"; }
socket() { [ "$1" = "$first" ] && printf '%s' "$run/mysqld.sock" || printf '%s' "$run/mysqld-$1.sock"; }
pid_file() { [ "$1" = "$first" ] && printf '%s' "$run/mysqld.pid" || printf '%s' "$run/mysqld-$1.pid"; }

# As the server's user where this is root, so that the servers can write there.
folder() {
  if [ "$(id -u)" -eq 0 ]; then
    install -d -o "$user" -g "$(id -gn "$user")" -m "$1" "$2"
  else
    install -d -m "$1" "$2"
  fi
}

places() {
  printf 'port = %s\nserver-id = %s\ndatadir = %s\ntmpdir = %s\nsocket = %s\npid-file = %s\n' \
    "$1" "$2" "$(datadir "$1")" "$(tmpdir "$1")" "$(socket "$1")" "$(pid_file "$1")"
}

# Files are read in the order of their names and the last one wins: Debian's own is 50-server.cnf. The unit mariadb@PORT
# reads the groups with the suffix .PORT beside those without.
write_configuration() {
  mkdir -p "$configuration"
  {
    cat "$here/instance.cnf"
    printf '\n# Written by setup-instances.sh.\nbind-address = %s\n' "$bind"
    places "$first" 1
    printf '\n[mysqld.%s]\n' "$second"
    places "$second" 2
  } >"$configuration/90-platewatch.cnf"
  if [ -n "$root" ] && [ ! -e "$root/etc/mysql/my.cnf" ]; then
    printf '!includedir %s/\n' "$configuration" >"$root/etc/mysql/my.cnf"
  fi
}

# Without the test database, and so without its anonymous accounts: ''@'localhost' would be taken before
# 'platewatch'@'%' for everybody who comes from this machine.
make_data() {
  local port="$1" data
  data="$(datadir "$port")"
  folder 750 "$(tmpdir "$port")"
  [ -d "$data/mysql" ] && return
  say "making the data directory $data"
  folder 750 "$data"
  local install=(mariadb-install-db --no-defaults "--datadir=$data" "--tmpdir=$(tmpdir "$port")" --skip-test-db
    --skip-name-resolve --auth-root-authentication-method=socket "--auth-root-socket-user=$(id -un)")
  [ "$(id -u)" -ne 0 ] || install+=("--user=$user")
  # It works with temporary files of its own too.
  TMPDIR="$(tmpdir "$port")" "${install[@]}" >"$(tmpdir "$port")/install.log" 2>&1 ||
    die "mariadb-install-db failed: $(tail -n 5 "$(tmpdir "$port")/install.log")"
}

sql() {
  local port="$1"
  shift
  mariadb --no-defaults --default-character-set=utf8mb4 --batch --skip-column-names "--socket=$(socket "$port")" "$@"
}

start_without_systemd() {
  local port="$1" server
  sql "$port" -e 'SELECT 1' >/dev/null 2>&1 && return
  server=(mariadbd "--defaults-file=$root/etc/mysql/my.cnf")
  [ "$port" = "$first" ] || server+=("--defaults-group-suffix=.$port")
  [ "$(id -u)" -ne 0 ] || server+=("--user=$user")
  setsid "${server[@]}" >"$root/mariadbd-$port.log" 2>&1 </dev/null &
}

start() {
  if [ -n "$root" ]; then
    folder 755 "$run"
    start_without_systemd "$first"
    start_without_systemd "$second"
  else
    systemctl restart mariadb
    systemctl enable --quiet "mariadb@$second"
    systemctl restart "mariadb@$second"
  fi
}

wait_for() {
  local port="$1" attempt
  for ((attempt = 0; attempt < 600; attempt++)); do
    sql "$port" -e 'SELECT 1' >/dev/null 2>&1 && return
    sleep 0.1
  done
  die "the instance on port $port does not answer at $(socket "$port"): $(sql "$port" -e 'SELECT 1' 2>&1 || true)"
}

refuse_anonymous() {
  local port="$1" accounts
  accounts="$(sql "$port" -e "SELECT CONCAT('DROP USER ', QUOTE(User), '@', QUOTE(Host), ';') FROM mysql.user WHERE User = ''")"
  [ -z "$accounts" ] || die "the instance on port $port has accounts without a name, which are taken before ours: remove them \
as root (mariadb --socket=$(socket "$port")) and run this again: $accounts"
}

load() {
  { password_statements; cat "$here/schema.sql" "$here/events.sql" "$here/users.sql"; } | sql "$1" ||
    die "the schema or the accounts cannot be loaded on port $1"
}

# Each account comes in over TCP with its password, and the server is set as instance.cnf says.
check() {
  local port="$1" name found
  for name in platewatch platewatch_reader mycat; do
    found="$(MYSQL_PWD="$(password_of "$name")" mariadb --no-defaults --batch --skip-column-names --protocol=tcp \
      --host="$bind" --port="$port" --user="$name" -e 'SELECT COUNT(*) FROM traffic_db.kkmc_info; SELECT CURRENT_USER()')" ||
      die "the account $name cannot use the instance on port $port"
    [[ "$found" == *"$name@%" ]] || die "on port $port $name is taken for another account: $found"
  done
  found="$(sql "$port" -e "SELECT @@collation_server, @@event_scheduler, @@sql_mode LIKE '%STRICT_TRANS_TABLES%',
    (SELECT STATUS FROM information_schema.EVENTS WHERE EVENT_NAME = 'auto_clean_traffic')")"
  [ "$found" = "$(printf 'utf8mb4_bin\tON\t1\tENABLED')" ] ||
    die "the instance on port $port is not set as instance.cnf says ($found): does another file in $configuration override it?"
}

write_configuration
for port in "$first" "$second"; do make_data "$port"; done
start
for port in "$first" "$second"; do
  wait_for "$port"
  refuse_anonymous "$port"
  load "$port"
  check "$port"
  say "the instance on port $port is ready: $(datadir "$port"), socket $(socket "$port")"
done
