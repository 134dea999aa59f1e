#!/bin/sh
# Puts the passwords and the two instances into MyCat's configuration, and runs it in the foreground. The passwords are
# taken from the environment, not handed over as arguments, which a list of processes would show.
set -eu
conf=/opt/mycat/conf
awk '
  { sub(/127\.0\.0\.1:3306/, "mysql-1:3306"); sub(/127\.0\.0\.1:3307/, "mysql-2:3306")
    sub(/change me/, ENVIRON["MYCAT_PASSWORD"]); print }
' /opt/configuration/schema.xml > "$conf/schema.xml"
cp /opt/configuration/rule.xml "$conf/rule.xml"
# The first user of the file writes, the second only reads.
awk '
  /change me/ { sub(/change me/, ++seen == 1 ? ENVIRON["PLATEWATCH_PASSWORD"] : ENVIRON["READER_PASSWORD"]) } { print }
' /opt/configuration/server.xml > "$conf/server.xml"
exec /opt/mycat/bin/mycat console
