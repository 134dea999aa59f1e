#!/usr/bin/env bash
# Reads one full Kafka topic with Kafka's own kafka-consumer-perf-test and with `platewatch serve`, in turns, and prints
# both rates and their ratio: `benches/compare/kafka.sh [--count 2000000] [--partitions 4] [--rounds 3]`.

# shellcheck source-path=SCRIPTDIR source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

need_kafka
command -v python3 >/dev/null || need_packages python3
if [ ! -x "$BINARY" ]; then
  need_build_tools
  cargo_all build
fi
exec python3 "$(dirname "${BASH_SOURCE[0]}")/kafka_compare.py" --binary "$BINARY" \
  --class-path "$("$ROOT/tests/kafka/classpath.sh")" "$@"
