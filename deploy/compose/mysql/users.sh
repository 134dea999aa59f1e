# shellcheck shell=bash
# Runs once, when an instance is made: the accounts of sql/users.sql with the passwords of .env. They go through standard
# input, where no list of processes shows them. The container's entry point sources this or runs it.
# shellcheck source-path=SCRIPTDIR source=../../../sql/lib.sh
source "${PLATEWATCH_SQL:-/platewatch}/lib.sh"
{
  password_statements
  cat "${PLATEWATCH_SQL:-/platewatch}/users.sql"
} | MYSQL_PWD="${MYSQL_ROOT_PASSWORD:-}" mysql --user=root --protocol=socket
