# shellcheck shell=bash
# The accounts' passwords: read from a file, quoted for SQL. Sourced by the scripts beside it, never run.

# read_passwords FILE: NAME=password on each line; what follows the = is the password as it stands, without any quoting.
read_passwords() {
  local file="$1" line name mode
  [ -r "$file" ] || die "$file is not there: copy passwords.example.env to it, chmod 600, and write passwords of your own"
  mode="$(stat -c %a "$file")"
  [ "$((0$mode & 077))" -eq 0 ] || die "$file can be read by others: chmod 600 $file"
  while IFS= read -r line || [ -n "$line" ]; do
    name="${line%%=*}"
    case "$name" in
      PLATEWATCH_PASSWORD | READER_PASSWORD | MYCAT_PASSWORD) printf -v "$name" '%s' "${line#*=}" ;;
      '' | '#'*) ;;
      *) die "$file: there is no password $name" ;;
    esac
  done <"$file"
  for name in PLATEWATCH_PASSWORD READER_PASSWORD MYCAT_PASSWORD; do
    [ -n "${!name:-}" ] || die "$file: $name is missing"
    [ "${!name}" != "change me" ] || die "$file: write a password of your own for $name"
    [[ "${!name}" != *[[:cntrl:]]* ]] || die "$file: $name holds a control character, such as a line ending of Windows"
  done
  export PLATEWATCH_PASSWORD READER_PASSWORD MYCAT_PASSWORD
}

# password_of ACCOUNT
password_of() {
  case "$1" in
    platewatch) printf '%s' "$PLATEWATCH_PASSWORD" ;;
    platewatch_reader) printf '%s' "$READER_PASSWORD" ;;
    mycat) printf '%s' "$MYCAT_PASSWORD" ;;
  esac
}

# sql_text TEXT: a literal of SQL, where backslashes mean something.
sql_text() {
  local text="${1//\\/\\\\}"
  printf "'%s'" "${text//\'/\'\'}"
}

# What users.sql wants before it.
password_statements() {
  printf "SET SESSION sql_mode = 'STRICT_TRANS_TABLES';\nSET NAMES utf8mb4;\n"
  printf 'SET @platewatch_password = %s;\n' "$(sql_text "$PLATEWATCH_PASSWORD")"
  printf 'SET @reader_password = %s;\n' "$(sql_text "$READER_PASSWORD")"
  printf 'SET @mycat_password = %s;\n' "$(sql_text "$MYCAT_PASSWORD")"
}
