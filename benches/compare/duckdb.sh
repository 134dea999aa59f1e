#!/usr/bin/env bash
# Runs DuckDB and `platewatch replay` on the same capture, in turns, and prints both rates and their ratio:
# `benches/compare/duckdb.sh [--count 2000000] [--rounds 3] [--file CAPTURE]`.

# shellcheck source-path=SCRIPTDIR source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

DUCKDB_VERSION=2.0.0
venv="${XDG_CACHE_HOME:-$HOME/.cache}/platewatch/duckdb-$DUCKDB_VERSION"

if [ ! -x "$venv/bin/python" ]; then
  command -v python3 >/dev/null || need_packages python3
  python3 -m venv "$venv" 2>/dev/null || { need_packages python3-venv; python3 -m venv --clear "$venv"; }
fi
"$venv/bin/python" -c 'import duckdb' 2>/dev/null || "$venv/bin/pip" install --quiet "duckdb==$DUCKDB_VERSION"

if [ ! -x "$BINARY" ]; then
  need_build_tools
  cargo_all build
fi
exec "$venv/bin/python" "$(dirname "${BASH_SOURCE[0]}")/duckdb_compare.py" --binary "$BINARY" "$@"
