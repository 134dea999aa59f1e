# shellcheck shell=bash
# Runs once, when an instance is made: the accounts of sql/users.sql with the passwords of .env. They go through standard
# input, where no list of processes shows them.
{
  printf "SET @platewatch_password = '%s';\n" "$PLATEWATCH_PASSWORD"
  printf "SET @reader_password = '%s';\n" "$READER_PASSWORD"
  printf "SET @mycat_password = '%s';\n" "$MYCAT_PASSWORD"
  cat /platewatch/users.sql
} | MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysql --user=root --protocol=socket
