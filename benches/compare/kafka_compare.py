"""Kafka's own consumer and Platewatch on one topic: see kafka.sh.

Kafka's consumer counts the messages and forgets them. Platewatch parses, routes, detects and stores each: it has
consumed the topic when every message is committed and the lag that /api/status tells is 0. Two times are given for
both: the whole run of the consumer, joining its group included, and the flow from the first message to the last.
"""

import argparse
import json
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/kafka"))
from broker import CLUSTER_ID, configure

TOPIC = "traffic-raw"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--class-path", required=True)
    parser.add_argument("--count", type=int, default=2_000_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dir", type=pathlib.Path, help="where the topic and the data directories are made")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="platewatch-compare-", dir=args.dir) as folder:
        folder = pathlib.Path(folder)
        broker = Broker(args.class_path, folder)
        try:
            compare(args, broker, folder)
        finally:
            broker.stop()


def compare(args, broker, folder):
    broker.create_topic(args.partitions)
    began = time.monotonic()
    subprocess.run(
        [args.binary, "simulate", "--brokers", broker.address, "--topic", TOPIC, "--count", str(args.count)], check=True
    )
    print(f"produced {args.count:,} messages, {args.count / (time.monotonic() - began):,.0f}/s (simulate)", flush=True)
    kafka, ours = [], []
    for number in range(args.rounds):
        kafka.append(kafka_reads(broker, args.count))
        ours.append(platewatch_reads(args.binary, broker, args.count, folder / f"data-{number}"))
        print(f"round {number + 1}: kafka {shown(kafka[-1])}   platewatch {shown(ours[-1])}", flush=True)
    for at, name in enumerate(["whole run", "flow"]):
        theirs = statistics.median(rates[at] for rates in kafka)
        us = statistics.median(rates[at] for rates in ours)
        print(f"{name:9}  kafka-consumer-perf-test {theirs:>11,.0f}/s   platewatch {us:>11,.0f}/s   ratio {us / theirs:.2f}")


def shown(rates):
    return f"{rates[0]:,.0f}/s (flow {rates[1]:,.0f}/s)"


def kafka_reads(broker, count):
    """Messages per second, of the whole run and without joining the group, as the tool itself tells."""
    output = broker.java(
        "org.apache.kafka.tools.ConsumerPerformance",
        *("--bootstrap-server", broker.address, "--topic", TOPIC, "--messages", str(count), "--timeout", "60000"),
    )
    header, values = [line for line in output.splitlines() if line.count(",") >= 8][-2:]
    row = dict(zip((name.strip() for name in header.split(",")), (value.strip() for value in values.split(","))))
    read = int(row["data.consumed.in.nMsg"])
    if read < count:
        sys.exit(f"Kafka's consumer read {read} of {count} messages")
    return float(row["nMsg.sec"]), float(row["fetch.nMsg.sec"])


def platewatch_reads(binary, broker, count, data):
    """Messages per second, from the start of the process and from the first message that was stored."""
    port = free_port()
    config = data.with_suffix(".toml")
    config.write_text(
        f'data_dir = "{data}"\n[source]\nkind = "kafka"\n[kafka]\nbrokers = "{broker.address}"\ntopic = "{TOPIC}"\n'
        f'group = "{data.name}"\n[api]\nlisten = "127.0.0.1:{port}"\n'
    )
    began = time.monotonic()
    log = open(data.with_suffix(".log"), "wb")
    process = subprocess.Popen([binary, "serve", "--config", str(config)], stdout=log, stderr=log)
    try:
        first, stored_at_first = None, 0
        while True:
            now = time.monotonic()
            if process.poll() is not None:
                sys.exit(f"platewatch ended:\n{data.with_suffix('.log').read_text()}")
            if now - began > 600:
                sys.exit("platewatch does not bring the lag to 0 within 10 minutes")
            status = get(f"http://127.0.0.1:{port}/api/status")
            kafka = status and status["source"].get("kafka")
            if kafka:
                stored = sum(partition["position"] or 0 for partition in kafka["partitions"])
                if first is None and stored > 0:
                    first, stored_at_first = now, stored
                if kafka["lag"] == 0 and stored == count:
                    flow = (count - stored_at_first) / (now - first) if now > first else float("inf")
                    return count / (now - began), flow
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        shutil.rmtree(data, ignore_errors=True)


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)["data"]
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


class Broker:
    """One KRaft broker with its data in a folder."""

    def __init__(self, class_path, folder):
        self.class_path = class_path
        self.folder = folder
        port, controller = free_port(), free_port()
        self.address = f"127.0.0.1:{port}"
        (folder / "kafka").mkdir()
        properties = configure(folder / "kafka", self.address, controller)
        self.java("kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID, "--config", str(properties))
        log = open(folder / "broker.log", "wb")
        self.process = subprocess.Popen(
            ["java", "-Xmx512m", "-cp", class_path, "kafka.Kafka", str(properties)], stdout=log, stderr=log
        )

    def create_topic(self, partitions):
        deadline = time.monotonic() + 120
        while not reachable(self.address):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"Kafka does not start:\n{(self.folder / 'broker.log').read_text()}")
            time.sleep(0.2)
        self.java(
            "org.apache.kafka.tools.TopicCommand",
            *("--bootstrap-server", self.address, "--create", "--topic", TOPIC, "--partitions", str(partitions)),
        )

    def java(self, main, *arguments):
        # A heap that Kafka's own scripts give their tools.
        command = ["java", "-Xmx512m", "-cp", self.class_path, main, *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{main} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()


def reachable(address):
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        return True
    except OSError:
        return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main()
