#!/usr/bin/env bash
# How long the API takes over many records: the server's own time (Server-Timing) of every statistic and of plate searches.
#
#   benches/latency.sh [RECORDS] [FOLDER]
#
# Builds a data directory of RECORDS simulated passages (10,000,000) in FOLDER (a temporary one) unless it is there
# already, serves it, warms up and prints medians and 99th percentiles in milliseconds. Needs python3. PLATEWATCH names
# the program (target/release/platewatch), MEMORY is store.memory (512MiB), ROUNDS how often each request is sent (200).
set -euo pipefail

records=${1:-10000000}
folder=${2:-}
program=${PLATEWATCH:-${CARGO_TARGET_DIR:-target}/release/platewatch}
server= temporary=
finish() {
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    [[ -z $temporary ]] || rm -rf "$temporary"
}
trap finish EXIT
if [[ -z $folder ]]; then
    folder=$(mktemp -d)
    temporary=$folder
fi
mkdir -p "$folder"

if [[ ! -d $folder/data ]]; then
    "$program" simulate --count "$records" --seed 7 --out - \
        | "$program" replay - --data-dir "$folder/data" --out "$folder/out" --quiet
fi

cat >"$folder/latency.toml" <<TOML
data_dir = "$folder/data"
[source]
kind = "none"
[store]
retention = "forever"
alerts_retention = "forever"
rejects_retention = "forever"
memory = "${MEMORY:-512MiB}"
[api]
listen = "127.0.0.1:0"
TOML
"$program" serve --config "$folder/latency.toml" >"$folder/serve.log" 2>&1 &
server=$!

python3 - "$folder/serve.log" "${ROUNDS:-200}" <<'PYTHON'
import http.client, json, random, re, sys, time

log, rounds = sys.argv[1], int(sys.argv[2])
for _ in range(600):
    found = re.search(r"127\.0\.0\.1:(\d+)", open(log, encoding="utf-8").read())
    if found:
        break
    time.sleep(0.1)
else:
    sys.exit("the server did not start:\n" + open(log, encoding="utf-8").read())
server = http.client.HTTPConnection("127.0.0.1", int(found[1]))


def ask(path, body=None):
    """Milliseconds that the server took, and the answer's data."""
    if body is None:
        server.request("GET", path)
    else:
        server.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    response = server.getresponse()
    answer = json.loads(response.read())
    if response.status != 200:
        sys.exit(f"{path}: {answer['msg']}")
    return float(re.search(r"app;dur=([\d.]+)", response.headers["Server-Timing"])[1]), answer["data"]


def report(name, requests, count=rounds):
    """Sends requests (path, body) in turn; the first of each warms up and is reported apart."""
    cold = [ask(*request)[0] for request in requests]
    times = sorted(ask(*requests[turn % len(requests)])[0] for turn in range(count))
    total = ask(*requests[0])[1]
    total = f"{total['total']:>10}" if isinstance(total, dict) and "total" in total else " " * 10
    print(f"{name:<44} {times[len(times) // 2]:8.3f} {times[int(len(times) * 0.99)]:8.3f} {max(cold):9.3f} {total}")


_, overview = ask("/api/overview")
_, newest = ask("/api/query", {"limit": 500})
_, somewhere = ask("/api/query", {"limit": 500, "page": max(1, newest["total"] // 1000)})
rows = newest["records"] + somewhere["records"]
random.seed(1)
plates = [row["HPHM"] for row in random.sample(rows, 40) if "*" not in row["HPHM"] and len(row["HPHM"]) >= 7]
first, last = somewhere["records"][-1]["GCSJ"], newest["records"][0]["GCSJ"]
query = lambda bodies: [("/api/query", body) for body in bodies]

print(f"{newest['total']} passages".ljust(44), "  median      p99 max first    matches")
for name in ["kkmc_count?limit=10", "hour_count", "map_data", "vehicle_type", "vehicle_brand?limit=10"]:
    report("/api/stats/" + name, [("/api/stats/" + name, None)])
span = f"start={first[:10]}%2003:17:21&end={last[:10]}%2004:44:44"
for name in ["kkmc_count?limit=10&", "hour_count?", "map_data?", "vehicle_type?", "vehicle_brand?limit=10&"]:
    report("/api/stats/" + name.rstrip("?&") + " part of hours", [("/api/stats/" + name + span, None)])
report("/api/overview", [("/api/overview", None)])
report("/api/warnings/realtime?limit=10", [("/api/warnings/realtime?limit=10", None)])
report("/api/warnings", [("/api/warnings", None)], min(rounds, 20))
report("/api/track", [("/api/track?hphm=" + "".join(f"%{byte:02X}" for byte in plate.encode()), None) for plate in plates])

few = min(rounds, 60)
report("query: no filter", query([{}]), few)
report("query: no filter, page 10000 of 100", query([{"page": newest["total"] // 200, "limit": 100}]), few)
report("query: fragment of 3", query([{"hphm": plate[3:6]} for plate in plates[:10]]), few)
report("query: fragment of 4", query([{"hphm": plate[3:7]} for plate in plates[:10]]), few)
report("query: fragment of 5", query([{"hphm": plate[2:7]} for plate in plates[:10]]), few)
report("query: whole plate", query([{"hphm": plate} for plate in plates]), few)
report("query: wildcard 苏C?1*9", query([{"hphm": "苏C?1*9"}]), few)
report("query: wildcard *88*", query([{"hphm": "*88*"}]), few)
report("query: one letter C", query([{"hphm": "C"}]), few)
kkmc, brand = rows[0]["KKMC"], rows[0]["CLPPXH"].split("-")[0]
report("query: fragment of 3 + kkmc", query([{"hphm": plate[3:6], "kkmc": kkmc} for plate in plates[:10]]), few)
report("query: fragment of 3 + 小型客车 + 燃油", query([{"hphm": plate[3:6], "vehicleType": "小型客车", "fuelType": "燃油"} for plate in plates[:10]]), few)
report("query: fragment of 3 + brand", query([{"hphm": plate[3:6], "clppxh": brand} for plate in plates[:10]]), few)
report("query: fragment of 3 + time range", query([{"hphm": plate[3:6], "startTime": first, "endTime": last} for plate in plates[:10]]), few)
report("query: fragment of 3, page 50", query([{"hphm": plate[3:6], "page": 50, "limit": 20} for plate in plates[:10]]), few)
report("query: province 苏, deep page", query([{"province": "苏", "page": 5000, "limit": 500}]), few)
report("query: kkmc", query([{"kkmc": kkmc}]), few)
report("query: time range", query([{"startTime": first, "endTime": last}]), few)
report("query: 新能源", query([{"fuelType": "新能源"}]), few)
_, status = ask("/api/status")
print("storage", json.dumps({key: status["storage"][key] for key in ("disk_bytes", "memory_bytes", "column_cache_bytes")}))
PYTHON
