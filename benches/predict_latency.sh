#!/usr/bin/env bash
# How long a prediction takes: the server's own time (Server-Timing) of /api/predict/flow and /api/predict/day.
#
#   benches/predict_latency.sh [CHECKPOINTS]
#
# Writes four weeks of hourly counts of CHECKPOINTS (1,000), trains, serves the model and prints medians, 99th percentiles
# and the slowest answer in milliseconds. Needs python3. PLATEWATCH names the program (target/release/platewatch), ROUNDS
# how often each request is sent (5000).
set -euo pipefail

checkpoints=${1:-1000}
program=${PLATEWATCH:-${CARGO_TARGET_DIR:-target}/release/platewatch}
folder=$(mktemp -d)
server=
finish() {
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap finish EXIT

python3 - "$folder/table.csv" "$checkpoints" <<'PYTHON'
import datetime, random, sys

random.seed(1)
sites = int(sys.argv[2])
with open(sys.argv[1], "w", encoding="utf-8") as table:
    table.write("date,KKMC,hour,is_weekend,traffic_count\n")
    for day in range(28):
        date = datetime.date(2024, 1, 1) + datetime.timedelta(day)
        weekend = int(date.weekday() >= 5)
        for hour in range(24):
            shape = max(1, 10 - abs(hour - 13)) * (7 if weekend else 10)
            for site in range(sites):
                count = int((20 + site * 37 % 400) * shape / 50 * random.uniform(0.8, 1.2))
                table.write(f"{date},K{site:05},{hour},{weekend},{count}\n")
PYTHON
"$program" train --input "$folder/table.csv" --model-dir "$folder/model"

cat >"$folder/predict.toml" <<TOML
data_dir = "$folder/data"
[source]
kind = "none"
[predict]
model_dir = "$folder/model"
train = "off"
[api]
listen = "127.0.0.1:0"
TOML
"$program" serve --config "$folder/predict.toml" >"$folder/serve.log" 2>&1 &
server=$!

python3 - "$folder/serve.log" "$checkpoints" "${ROUNDS:-5000}" <<'PYTHON'
import http.client, json, random, re, sys, time

log, sites, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for _ in range(600):
    text = open(log, encoding="utf-8").read()
    found = re.search(r"127\.0\.0\.1:(\d+)", text)
    if found and "flow model loaded" in text:
        break
    time.sleep(0.1)
else:
    sys.exit("the server did not start:\n" + text)
server = http.client.HTTPConnection("127.0.0.1", int(found[1]))
random.seed(2)


def ask(path):
    server.request("GET", path)
    response = server.getresponse()
    answer = json.loads(response.read())
    if response.status != 200:
        sys.exit(f"{path}: {answer['msg']}")
    return float(re.search(r"app;dur=([\d.]+)", response.headers["Server-Timing"])[1])


def report(name, path):
    times = sorted(ask(path()) for _ in range(rounds))
    print(f"{name:<36} {times[rounds // 2]:8.3f} {times[int(rounds * 0.99)]:8.3f} {times[-1]:8.3f}")


date = lambda: f"2024-02-{random.randint(1, 28):02}"
site = lambda: f"K{random.randrange(sites):05}"
print(f"{sites} checkpoints, server time in ms".ljust(36), "  median      p99  slowest")
report("flow of a checkpoint", lambda: f"/api/predict/flow?kkmc={site()}&hour={random.randrange(24)}&date={date()}")
report("flow of the whole city", lambda: f"/api/predict/flow?hour={random.randrange(24)}&date={date()}")
report("day of a checkpoint", lambda: f"/api/predict/day?kkmc={site()}&date={date()}")
report("day of the whole city", lambda: f"/api/predict/day?date={date()}")
PYTHON
