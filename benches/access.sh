#!/usr/bin/env bash
# What login and the audit log cost: requests a second of the interfaces with a token, beside the same without users.
#
#   benches/access.sh [--records 2000000] [--rounds 7] [--seconds 2] [--before PROGRAM]
#
# Two servers over copies of the same simulated passages, one open on loopback, one with a user whose token every request carries, are
# loaded in turn by wrk (4 connections, 1 thread); the median of the ratios is printed. The open one writes the audit log, too:
# `--before` names a program that has none, which is loaded in the same turns. PLATEWATCH names the program.

# shellcheck source-path=SCRIPTDIR source=../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

need_packages python3 wrk
program=${PLATEWATCH:-$BINARY}
if [ ! -x "$program" ]; then
  need_build_tools
  cargo_all build
fi
exec python3 "$(dirname "${BASH_SOURCE[0]}")/compare/access_compare.py" --program "$program" "$@"
