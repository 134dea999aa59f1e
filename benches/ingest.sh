#!/usr/bin/env bash
# How many records a second `POST /api/ingest` takes, durable when it answers, beside a replay of the same lines.
#
#   benches/ingest.sh [RECORDS] [ROUNDS]
#
# Sends RECORDS (1,000,000) simulated passages in batches of BATCH (1,000) over SENDERS (4) connections, as lines, as compressed lines and
# as JSON, each to a new data directory, and replays them before and after; medians of ROUNDS (3). Needs python3. PLATEWATCH names the
# program (target/release/platewatch), SYNC is store.sync (commit).
set -euo pipefail

records=${1:-1000000}
rounds=${2:-3}
program=${PLATEWATCH:-${CARGO_TARGET_DIR:-target}/release/platewatch}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$program" simulate --count "$records" --seed 7 --out "$folder/capture.tsv"
python3 - "$program" "$folder" "$rounds" "${BATCH:-1000}" "${SENDERS:-4}" "${SYNC:-commit}" <<'PYTHON'
import gzip, http.client, json, os, re, shutil, signal, statistics, subprocess, sys, threading, time

program, folder, rounds, batch, senders, sync = sys.argv[1:3] + [int(n) for n in sys.argv[3:6]] + sys.argv[6:]
NAMES = ["GCXH", "XZQHMC", "KKMC", "FXLX", "GCSJ", "HPZL", "HPHM", "CLPPXH"]
with open(f"{folder}/capture.tsv", encoding="utf-8") as capture:
    lines = [line.rstrip("\n") for line in capture if "GCXH" not in line]


def objects(part):
    return [dict(zip(NAMES, line.split("\t"))) for line in part]


def ndjson(part):
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in objects(part)).encode()


FORMS = {
    "lines": ({"Content-Type": "text/plain"}, lambda part: "\n".join(part).encode()),
    "lines, gzip": (
        {"Content-Type": "text/plain", "Content-Encoding": "gzip"},
        lambda part: gzip.compress("\n".join(part).encode(), 6),
    ),
    "NDJSON": ({"Content-Type": "application/x-ndjson"}, ndjson),
    "JSON array": ({"Content-Type": "application/json"}, lambda part: json.dumps(objects(part), ensure_ascii=False).encode()),
}


def serve(data):
    config, log = f"{folder}/ingest.toml", f"{folder}/serve.log"
    with open(config, "w", encoding="utf-8") as file:
        file.write(
            f'data_dir = "{data}"\n[source]\nkind = "http"\n[store]\nsync = "{sync}"\nretention = "forever"\n'
            '[predict]\ntrain = "off"\n[api]\nlisten = "127.0.0.1:0"\n'
        )
    server = subprocess.Popen([program, "serve", "--config", config], stderr=open(log, "w"), stdout=subprocess.DEVNULL)
    for _ in range(300):
        found = re.search(r"address=127\.0\.0\.1:(\d+)", open(log, encoding="utf-8").read())
        if found:
            return server, int(found[1])
        time.sleep(0.1)
    sys.exit("the server did not start:\n" + open(log, encoding="utf-8").read())


def ingest(headers, bodies):
    """Records a second, and the milliseconds of each request."""
    data = f"{folder}/data"
    shutil.rmtree(data, ignore_errors=True)
    server, port = serve(data)
    todo, lock, times, stored = iter(bodies), threading.Lock(), [], [0]

    def send():
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            with lock:
                body = next(todo, None)
            if body is None:
                return
            while True:
                began = time.perf_counter()
                connection.request("POST", "/api/ingest", body, headers)
                response = connection.getresponse()
                answer = json.loads(response.read())
                if response.status != 429:
                    break
                time.sleep(int(response.headers["Retry-After"]))
            if response.status != 200:
                sys.exit(answer["msg"])
            with lock:
                times.append((time.perf_counter() - began) * 1000)
                # The simulator sends a few records twice.
                stored[0] += answer["data"]["accepted"] + answer["data"]["duplicates"]

    threads = [threading.Thread(target=send) for _ in range(senders)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    server.send_signal(signal.SIGTERM)
    server.wait()
    if stored[0] != len(lines):
        sys.exit(f"{stored[0]} of {len(lines)} records are stored")
    return len(lines) / seconds, times


def replay():
    for name in ("data", "out"):
        shutil.rmtree(f"{folder}/{name}", ignore_errors=True)
    began = time.perf_counter()
    arguments = [program, "replay", f"{folder}/capture.tsv", "--data-dir", f"{folder}/data", "--out", f"{folder}/out", "--quiet"]
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    return len(lines) / (time.perf_counter() - began)


speeds, waits = {name: [] for name in ["replay", *FORMS]}, {name: [] for name in FORMS}
for _ in range(rounds):
    speeds["replay"].append(replay())
    for name, (headers, body) in FORMS.items():
        bodies = [body(lines[at : at + batch]) for at in range(0, len(lines), batch)]
        speed, times = ingest(headers, bodies)
        speeds[name].append(speed)
        waits[name] += times
print(f"{len(lines):,} records, batches of {batch:,}, {senders} senders, store.sync = {sync}, {os.cpu_count()} processors")
print(f"{'':14}{'records/s':>12}{'of replay':>11}{'p50 ms':>9}{'p99 ms':>9}")
whole = statistics.median(speeds["replay"])
for name, all_of in speeds.items():
    speed = statistics.median(all_of)
    line = f"{name:14}{speed:12,.0f}{speed / whole:11.2f}"
    if name in waits:
        times = sorted(waits[name])
        line += f"{times[len(times) // 2]:9.1f}{times[len(times) * 99 // 100]:9.1f}"
    print(line)
PYTHON
