#!/usr/bin/env bash
# Writes the lake of a data directory, and the same rows with DuckDB's COPY, and prints both rates and their ratio:
# `benches/compare/lake.sh [--count 2000000]`.

# shellcheck source-path=SCRIPTDIR source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

need_duckdb
if [ ! -x "$BINARY" ]; then
  need_build_tools
  cargo_all build
fi
exec "$PLATEWATCH_DUCKDB" "$(dirname "${BASH_SOURCE[0]}")/lake_compare.py" --binary "$BINARY" "$@"
