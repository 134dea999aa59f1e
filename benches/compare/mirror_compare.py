"""The mariadb client and Platewatch's mirror on two instances: see mirror.sh.

The client gets statements that are ready in a file for each instance, one client an instance, both at once, plain INSERTs
of as many rows as the mirror sends. The mirror reads the rows from a data directory that holds them already, makes its
statements, and writes its cursor; its time goes from the start of the process to the moment when /api/status tells that
both shards are level. Both find empty tables; both commit each statement by itself.
"""

import argparse
import json
import os
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

PASSWORD = "bench-only"
COLUMNS = "id,xzqhmc,kkmc,fxlx,gcsj,hpzl,hphm,clppxh"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--sql", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=300_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--pool", type=int, default=4, help="mycat.pool_size; the client has one connection an instance")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dir", type=pathlib.Path, help="where the databases are made")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="platewatch-compare-", dir=args.dir) as folder:
        folder = pathlib.Path(folder)
        instances = []
        try:
            for number in range(2):
                instances.append(Instance(folder / f"mariadb-{number}", args.sql))
            compare(args, instances, folder)
        finally:
            for instance in instances:
                instance.stop()


def compare(args, instances, folder):
    capture, data = folder / "capture.tsv", folder / "data"
    subprocess.run([args.binary, "simulate", "--count", str(args.count), "--out", str(capture)], check=True)
    subprocess.run(
        [args.binary, "replay", str(capture), "--out", str(folder / "out"), "--data-dir", str(data), "--quiet"], check=True
    )
    summary = json.loads((folder / "out" / "summary.json").read_text())
    scripts = write_scripts(args, capture, summary, folder)
    rows = summary["accepted"]
    print(f"{rows:,} passages, {summary['by_shard']} by shard, {args.batch} in a statement", flush=True)
    clients, mirrors = [], []
    for number in range(args.rounds):
        clients.append(rows / client_loads(instances, scripts, summary))
        mirrors.append(rows / mirror_loads(args, instances, data, folder, number, summary))
        print(f"round {number + 1}: mariadb {clients[-1]:,.0f}/s   platewatch {mirrors[-1]:,.0f}/s", flush=True)
    client, mirror = statistics.median(clients), statistics.median(mirrors)
    print(f"median   mariadb {client:>9,.0f}/s   platewatch {mirror:>9,.0f}/s   ratio {mirror / client:.2f}")


def write_scripts(args, capture, summary, folder):
    """A file of statements for each instance, with the rows that the replay accepted."""
    names = sorted(summary["by_kkmc"])
    output = subprocess.run([args.binary, "shard", *names], check=True, capture_output=True, text=True).stdout
    shards = dict(zip(names, (int(line.split()[-1]) for line in output.splitlines())))
    seen, rows = set(), [[], []]
    for line in capture.read_text().splitlines():
        fields = line.split("\t")
        if len(fields) == 8 and fields[0] not in seen and fields[2] in shards:
            seen.add(fields[0])
            texts = (field.replace("\\", "\\\\").replace("'", "\\'") for field in fields)
            rows[shards[fields[2]]].append("('" + "','".join(texts) + "')")
    scripts = []
    for number, shard in enumerate(rows):
        script = folder / f"shard-{number}.sql"
        with script.open("w") as file:
            for start in range(0, len(shard), args.batch):
                file.write(f"INSERT INTO traffic_data ({COLUMNS}) VALUES {','.join(shard[start : start + args.batch])};\n")
        scripts.append(script)
    if [len(shard) for shard in rows] != summary["by_shard"]:
        sys.exit(f"the statements have {[len(shard) for shard in rows]} rows, the replay {summary['by_shard']}")
    return scripts


def client_loads(instances, scripts, summary):
    for instance in instances:
        instance.empty()
    began = time.monotonic()
    clients = [instance.load(script) for instance, script in zip(instances, scripts)]
    for client in clients:
        if client.wait() != 0:
            sys.exit("the mariadb client failed")
    seconds = time.monotonic() - began
    check(instances, summary)
    return seconds


def mirror_loads(args, instances, data, folder, number, summary):
    for instance in instances:
        instance.empty()
    copy = folder / f"data-{number}"
    shutil.copytree(data, copy)
    port = free_port()
    urls = [f"mysql://platewatch@127.0.0.1:{instance.port}/traffic_db" for instance in instances]
    config = folder / "platewatch.toml"
    config.write_text(
        f'data_dir = "{copy}"\n[source]\nkind = "none"\n[store]\nretention = "forever"\nalerts_retention = "forever"\n'
        f"[mycat]\nurls = {json.dumps(urls)}\nbatch_rows = {args.batch}\npool_size = {args.pool}\n"
        f'retention = "forever"\n[api]\nlisten = "127.0.0.1:{port}"\n'
    )
    environment = {**os.environ, "PLATEWATCH__MYCAT__PASSWORD": PASSWORD}
    began = time.monotonic()
    appliance = subprocess.Popen(
        [args.binary, "serve", "--config", str(config)], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        while not is_level(port):
            if appliance.poll() is not None:
                sys.exit(f"platewatch ended with {appliance.returncode}")
            time.sleep(0.02)
        seconds = time.monotonic() - began
    finally:
        appliance.send_signal(signal.SIGTERM)
        appliance.wait()
    check(instances, summary)
    shutil.rmtree(copy)
    return seconds


def is_level(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status", timeout=10) as answer:
            mirrors = json.load(answer)["data"]["mirrors"]
    except (urllib.error.URLError, OSError):
        return False
    return all(mirror["state"] == "level" and mirror["lag_rows"] == 0 for mirror in mirrors)


def check(instances, summary):
    counts = [int(instance.sql("SELECT COUNT(*) FROM traffic_db.traffic_data")) for instance in instances]
    if counts != summary["by_shard"]:
        sys.exit(f"the instances have {counts} rows instead of {summary['by_shard']}")


class Instance:
    """A MariaDB of its own, with the schema of sql/ and the default durability: every commit is on disk."""

    def __init__(self, folder, sql):
        folder.mkdir()
        self.folder, self.port, self.socket = folder, free_port(), folder / "socket"
        environment = {**os.environ, "TMPDIR": str(folder)}
        user = ["--user=root"] if os.geteuid() == 0 else []
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={folder / 'data'}", "--skip-test-db", *user]
            + ["--auth-root-authentication-method=normal"],
            check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self.server = subprocess.Popen(
            ["mariadbd", f"--defaults-file={sql / 'instance.cnf'}", f"--datadir={folder / 'data'}", *user]
            + [f"--socket={self.socket}", f"--pid-file={folder / 'pid'}", f"--port={self.port}", f"--tmpdir={folder}"]
            + ["--bind-address=127.0.0.1", "--skip-name-resolve", "--innodb-buffer-pool-size=256M"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 120
        while self.client("SELECT 1").returncode != 0:
            if self.server.poll() is not None or time.monotonic() > deadline:
                sys.exit("MariaDB does not get ready")
            time.sleep(0.1)
        self.sql((sql / "schema.sql").read_text())
        self.sql(
            f"CREATE USER platewatch@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';"
            "GRANT SELECT, INSERT, UPDATE ON traffic_db.traffic_data TO platewatch@'127.0.0.1';"
        )

    def client(self, statements):
        command = ["mariadb", "--no-defaults", "--batch", "--skip-column-names", "--user=root", f"--socket={self.socket}"]
        return subprocess.run(
            [*command, "--default-character-set=utf8mb4"], input=statements, capture_output=True, text=True, check=False
        )

    def sql(self, statements):
        done = self.client(statements)
        if done.returncode != 0:
            sys.exit(done.stderr)
        return done.stdout

    def empty(self):
        self.sql("TRUNCATE TABLE traffic_db.traffic_data")

    def load(self, script):
        return subprocess.Popen(
            ["mariadb", "--no-defaults", "--batch", "--default-character-set=utf8mb4", "--protocol=tcp"]
            + ["--host=127.0.0.1", f"--port={self.port}", "--user=platewatch", "traffic_db"],
            stdin=script.open(), env={**os.environ, "MYSQL_PWD": PASSWORD},
        )

    def stop(self):
        self.server.terminate()
        self.server.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main()
