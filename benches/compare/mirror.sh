#!/usr/bin/env bash
# Loads the same passages into two MariaDB instances with the `mariadb` client and with Platewatch's mirror, in turns, with
# the same number of rows in a statement, and prints both rates and their ratio:
# `benches/compare/mirror.sh [--count 300000] [--batch 500] [--rounds 3]`.

# shellcheck source-path=SCRIPTDIR source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

need_mysql
command -v python3 >/dev/null || need_packages python3
if [ ! -x "$BINARY" ]; then
  need_build_tools
  cargo_all build
fi
exec python3 "$(dirname "${BASH_SOURCE[0]}")/mirror_compare.py" --binary "$BINARY" --sql "$ROOT/sql" "$@"
