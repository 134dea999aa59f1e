#!/bin/sh
# Puts the passwords of the environment and the addresses of the two instances into MyCat's configuration, and runs it in the
# foreground.
set -eu
mycat="${MYCAT_HOME:-/opt/mycat}"
sh "${CONFIGURATION:-/opt/configuration}/configure.sh" "$mycat/conf" mysql-1:3306 mysql-2:3306
exec "$mycat/bin/mycat" console
