"""What must be equal at the end of a run: lines, rows and alerts in the log, the topic, the store, MySQL and Redis."""

import json
import subprocess
import urllib.request


def alerts_of(run):
    """All alerts of the store as JSON texts, oldest first, by a stream from the beginning."""
    wanted, texts = run.status["pipeline"]["alerts"], []
    request = urllib.request.Request(f"http://127.0.0.1:{run.port}/api/warnings/stream")
    request.add_header("Authorization", f"Bearer {run.tokens[0]}")
    request.add_header("Last-Event-ID", "0")
    if wanted == 0:
        return texts
    with urllib.request.urlopen(request, timeout=30) as answer:
        event = b""
        for line in answer:
            if line.startswith(b"event:"):
                event = line
            if line.startswith(b"data:") and b"warning" in event:
                texts.append(line[5:].strip().decode())
                if len(texts) == wanted:
                    break
    return texts


def check(run):
    """What must be equal, as (what, one side, other side)."""
    status, servers = run.status, run.servers
    line, rows = status["pipeline"], [server.number("SELECT COUNT(*) FROM traffic_db.traffic_data") for server in servers.mysql]
    parts = line["headers"] + line["blank"] + line["rejected"]["total"] + line["duplicates"] + line["accepted"]
    alerts = alerts_of(run)
    loaded = [json.loads(text) for text in alerts]
    in_mysql = [json.loads(text) for text in servers.mysql[0].sql("SELECT body FROM traffic_db.traffic_alerts ORDER BY seq").splitlines()]
    in_redis = [json.loads(text) for text in servers.redis.list("traffic:warnings")]
    kept = loaded[-10_000:][::-1]
    marked = sum(1 for alert in loaded if alert["prev_gcxh"].startswith("G1") and alert["curr_gcxh"].startswith("G1"))
    cases = run.get("/api/cases?limit=1")["total"]
    verify = subprocess.run([run.args.program, "verify-mirror", "--config", run.config], capture_output=True, text=True)
    audit = subprocess.run([run.args.program, "verify-audit", "--data-dir", run.data], capture_output=True, text=True)
    newest = (audit.stdout.strip().splitlines() or [audit.stderr.strip()])[-1]
    equal = [
        ("lines written, and records in the topic", run.count, servers.kafka.records()),
        ("lines written, and `pipeline.lines` of `/api/status`", run.count, line["lines"]),
        ("lines, and headers + blank + rejected + duplicates + accepted", line["lines"], parts),
        ("accepted lines, and rows that a query counts", line["accepted"], query_total(run)),
        *((f"rows of shard {at} in the store, and in MariaDB {at}", line["by_shard"][at], rows[at]) for at in range(2)),
        ("consumer lag", 0, status["source"]["kafka"]["lag"]),
        ("gaps and missing records of Kafka", 0, status["source"]["kafka"]["gaps"] + status["source"]["kafka"]["missing_records"]),
        ("alerts of `/api/status`, and of a stream from the beginning", line["alerts"], len(loaded)),
        ("alerts in the store, and in MySQL with the same content", len(loaded), same(loaded, in_mysql)),
        ("newest alerts in the store (10,000 at most), and in Redis with the same content in the same order", len(kept), same(kept, in_redis)),
        ("cases in the store, and in MySQL", cases, servers.mysql[0].number("SELECT COUNT(*) FROM traffic_db.traffic_cases")),
        ("markers written, and alerts of them", run.pairs, marked),
        ("rows that a mirror lost, refused or changed", 0, sum(one.get(key) or 0 for one in status["mirrors"] for key in ("lost", "refused", "warnings"))),
        ("exit code of `verify-mirror` (counts and checksums by hour and checkpoint)", 0, verify.returncode),
        ("exit code of `verify-audit` (" + newest + ")", 0, audit.returncode),
    ]
    return equal, verify.stdout + verify.stderr


def query_total(run):
    request = urllib.request.Request(f"http://127.0.0.1:{run.port}/api/query", data=b'{"limit":1}')
    request.add_header("Authorization", f"Bearer {run.tokens[0]}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["data"]["total"]


def same(ours, theirs):
    """How many of their records are ours, place by place; -1 for each too many."""
    return sum(one == other for one, other in zip(ours, theirs)) - max(0, len(theirs) - len(ours))
