#!/usr/bin/env bash
# Runs DuckDB and `platewatch replay` on the same capture, in turns, and prints both rates and their ratio:
# `benches/compare/duckdb.sh [--count 2000000] [--rounds 3] [--file CAPTURE]`.

# shellcheck source-path=SCRIPTDIR source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

need_duckdb

if [ ! -x "$BINARY" ]; then
  need_build_tools
  cargo_all build
fi
exec "$PLATEWATCH_DUCKDB" "$(dirname "${BASH_SOURCE[0]}")/duckdb_compare.py" --binary "$BINARY" "$@"
