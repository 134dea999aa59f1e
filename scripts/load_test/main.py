"""One run: see scripts/load and docs/load.md."""

import argparse
import csv
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import checks
import report
from processes import Process, cpu_of, end_all, free_port, machine_cpu, wait_for
from servers import TOPIC, Servers

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
USERS = 10
PARTS = ["platewatch", "Kafka", "MariaDB", "Redis", "ship", "producer", "clients"]
SAMPLE = 5.0
SAY = 30.0
PATIENCE = 1200.0
AUTOGROUP = pathlib.Path("/proc/self/autogroup")


def options():
    parser = argparse.ArgumentParser(prog="scripts/load", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--class-path", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--minutes", type=float, default=30, help="how long lines are produced")
    parser.add_argument("--rate", type=int, default=10_000, help="lines a second")
    parser.add_argument("--api-clients", type=int, default=200, help="desks, each with a request about every second")
    parser.add_argument("--sse-clients", type=int, default=50, help="event streams")
    parser.add_argument("--warm", type=float, default=60, help="minutes of simulated traffic before the first line, in which the roads fill")
    parser.add_argument("--sites", type=int, default=1000, help="checkpoints of the simulated network")
    parser.add_argument("--partitions", type=int, default=4, help="of the topic")
    parser.add_argument("--reach", default="10m", help="detect.reach; docs/load.md says why it is not the default 2h")
    parser.add_argument("--memory", default="512MiB", help="store.memory, of which half is for decoded columns")
    parser.add_argument("--cut", type=float, default=60, help="seconds that the mirrors are away each time, at most a tenth of the run")
    parser.add_argument("--limit-ms", type=float, default=1000, help="of the 99th percentile of each interface, as clients see it")
    parser.add_argument("--limit-fresh-ms", type=float, default=5000, help="of the 99th percentile from a line's writing to its alert at a stream")
    parser.add_argument("--limit-growth", type=float, default=10, help="of anonymous memory, percent in the second half of a run of 30 minutes or more")
    parser.add_argument("--nice", type=int, default=0, help="niceness of everything in the run, against the rest of the machine; below 0 needs root")
    parser.add_argument("--dir", type=pathlib.Path, help="where the temporary folder is made")
    parser.add_argument("--keep", action="store_true", help="leave the temporary folder: data, logs, and what was sampled (raw.json)")
    parser.add_argument("--report", type=pathlib.Path, help="a Markdown file whose generated part is replaced by the report")
    return parser.parse_args()


class Run:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.port = free_port()
        self.every = min(SAMPLE, args.minutes * 2)
        self.count = int(args.rate * args.minutes * 60)
        self.data = folder / "data"
        self.config = folder / "platewatch.toml"
        self.samples, self.cuts, self.last_progress = [], [], {}
        self.fed = self.pairs = 0
        self.result = None

    def program(self, *arguments, text=None):
        done = subprocess.run([self.args.program, *map(str, arguments)], input=text, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"platewatch {arguments[0]}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def get(self, path, token=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        request.add_header("Authorization", f"Bearer {token or self.tokens[0]}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]

    def prepare(self):
        args = self.args
        say("starting Kafka, two MariaDB and Redis")
        self.servers = Servers(self.folder, ROOT, args.class_path)
        self.servers.kafka.create_topic(args.partitions)
        self.calibrate()
        self.config.write_text(
            f"""role = "all"
data_dir = "{self.data}"
[source]
kind = "kafka"
[kafka]
brokers = "{self.servers.kafka.address}"
topic = "{TOPIC}"
[kafka.properties]
"group.instance.id" = "appliance-1"
[detect]
reach = "{args.reach}"
[store]
memory = "{args.memory}"
[mycat]
urls = [{", ".join(f'"{server.url}"' for server in self.servers.mysql)}]
[redis]
url = "{self.servers.redis.url}"
[api]
listen = "127.0.0.1:{self.port}"
proxies = ["127.0.0.1"]
[predict]
model_dir = "{self.folder / 'model'}"
"""
        )
        self.program("import-checkpoints", self.folder / "checkpoints.csv", "--config", self.config)
        say(f"making {USERS} users and {args.api_clients + args.sse_clients} tokens")
        for at in range(USERS):
            self.program("user", "add", f"desk{at}", "--role", "operator", "--data-dir", self.data, text="four barges in the rain\n")
        self.tokens = [self.token(at % USERS) for at in range(args.api_clients + args.sse_clients)]
        self.serve = Process("platewatch", [args.program, "serve", "--config", self.config], self.folder / "serve.log").start()
        wait_for("the appliance is ready", self.ready, 120, self.serve)
        self.log = self.folder / "passages.log"
        self.log.touch()
        ship = [args.program, "ship", self.log, "--brokers", self.servers.kafka.address, "--topic", TOPIC, "--quiet"]
        self.ship = Process("ship", ship, self.folder / "ship.log").start()
        self.start_clients()

    def calibrate(self):
        """The rate to ask the simulator for, so that event time goes as fast as the clock: rush hours are denser than its mean."""
        args = self.args
        hour = (int(time.time()) + 8 * 3600) // 3600 * 3600
        # What is learnt changes at whole hours of event time: one comes after a third of the run.
        text = lambda unix: time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(unix))
        self.begins = text(hour - args.minutes * 20)
        # The simulated roads are empty at first.
        self.start = text(hour - args.minutes * 20 - args.warm * 60)
        self.program(*self.simulate(args.rate, 1000), "--out", self.folder / "probe.tsv", "--checkpoints-out", self.folder / "checkpoints.csv")
        (self.folder / "probe.tsv").unlink()
        probe = self.traffic(args.rate)
        times = sorted(probe.stdout.readline().split(b"\t")[4].decode() for _ in range(args.rate * 60))
        probe.stdout.close()
        second = lambda text: time.mktime(time.strptime(text, "%Y-%m-%d %H:%M:%S"))
        span = second(times[len(times) * 9 // 10]) - second(times[len(times) // 10])
        self.density = len(times) * 0.8 / max(span, 1)
        with open(self.folder / "checkpoints.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.sites = [row["code"] for row in rows]
        self.marker_sites = [f"{row['xzqhmc']}\t{row['code']}" for row in (rows[0], rows[-1])]

    def traffic(self, rate):
        """Simulated lines from `begins` on, without end, as the output of a process."""
        endless = 1_000_000_000
        simulate = Process("producer", [self.args.program, *map(str, self.simulate(rate, endless))], self.folder / "simulate.log", stdout=subprocess.PIPE).start()
        program = '$5 >= begins && $5 < "3" { on = 1 } on'
        awk = ["awk", "-F", "\t", "-v", f"begins={self.begins}", program]
        cut = Process("producer", awk, self.folder / "cut.log", stdin=simulate.process.stdout, stdout=subprocess.PIPE).start()
        simulate.process.stdout.close()
        return cut.process

    def simulate(self, rate, count):
        return ["simulate", "--count", count, "--rate", round(rate, 3), "--sites", self.args.sites, "--start", self.start, "--seed", 1]

    def token(self, user):
        made = self.program("token", "add", f"desk{user}", "--scope", "plates", "--scope", "dashboard", "--data-dir", self.data)
        return re.search(r"pw_\S+", made)[0]

    def ready(self):
        try:
            source = self.get("/api/status")["source"]
        except (OSError, ValueError):
            return False
        return source["kafka"] is not None and sum(one["assigned"] for one in source["kafka"]["partitions"]) == self.args.partitions

    def start_clients(self):
        args = self.args
        self.clients = Process(
            "clients", [sys.executable, HERE / "clients.py"], self.folder / "clients.log", stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ).start()
        settings = {
            "host": "127.0.0.1", "port": self.port, "api": args.api_clients, "sse": args.sse_clients, "tokens": self.tokens, "sites": self.sites,
        }
        self.tell(json.dumps(settings))
        threading.Thread(target=self.hear_clients, daemon=True).start()
        wait_for("all streams are open", lambda: self.last_progress.get("open") == args.sse_clients, 60, self.clients)
        self.tell("start")

    def tell(self, line):
        self.clients.process.stdin.write(line.encode() + b"\n")
        self.clients.process.stdin.flush()

    def hear_clients(self):
        for line in self.clients.process.stdout:
            said = json.loads(line)
            self.result = said.get("result", self.result)
            if "result" not in said:
                self.last_progress = said

    def hear_feeder(self):
        for line in self.feeder.process.stdout:
            self.fed, self.pairs = map(int, line.split())

    def produce(self):
        """The run itself: feeds, cuts, samples."""
        args = self.args
        traffic = self.traffic(args.rate * args.rate / self.density)
        # The clock begins with the first line.
        select.select([traffic.stdout], [], [])
        sites = [part for site in self.marker_sites for part in ("--site", site)]
        feeder = [sys.executable, HERE / "feeder.py", "--log", self.log, "--rate", args.rate, "--count", self.count, *sites]
        self.feeder = Process(
            "producer", feeder, self.folder / "feeder.log", stdin=traffic.stdout, stdout=subprocess.PIPE
        ).start()
        traffic.stdout.close()
        threading.Thread(target=self.hear_feeder, daemon=True).start()
        self.began = time.monotonic()
        self.cpu_began = {part: cpu_of(part) for part in PARTS}
        self.machine_began = machine_cpu()
        seconds = args.minutes * 60
        away = min(args.cut, seconds / 10)
        plan = [
            (seconds / 3, "frozen", self.servers.freeze), (seconds / 3 + away, "thawed", self.servers.thaw),
            (2 * seconds / 3, "killed", self.servers.kill), (2 * seconds / 3 + away, "started again", self.servers.start),
        ]
        said = 0.0
        while self.feeder.runs() or plan:
            now = time.monotonic() - self.began
            while plan and now >= plan[0][0]:
                _, what, act = plan.pop(0)
                say(f"{now:6.0f} s  mirrors {what}")
                act()
                self.cuts.append((now, what))
            self.sample()
            if now - said >= SAY:
                said = now
                self.say_progress()
            next_one = len(self.samples) * self.every
            pause = max(0.05, min(next_one, plan[0][0] if plan else next_one) - (time.monotonic() - self.began))
            try:
                self.feeder.process.wait(pause)
            except subprocess.TimeoutExpired:
                continue
            if plan:
                time.sleep(pause)
        if self.feeder.process.returncode != 0:
            raise SystemExit(f"the producer failed:\n{self.feeder.said()}")
        self.seconds = time.monotonic() - self.began
        self.cpu = {part: cpu_of(part) - self.cpu_began[part] for part in PARTS}
        self.machine = machine_cpu() - self.machine_began
        self.tell("stop")

    def sample(self):
        for process in (self.serve, self.ship, self.clients, self.servers.kafka.process):
            process.must_run()
        now = time.monotonic() - self.began
        if len(self.samples) * self.every > now:
            return
        sample = {"at": now, "fed": self.fed, "load": os.getloadavg()[0], **self.serve.sample(), **self.last_progress}
        for part in PARTS:
            sample["cpu " + part] = cpu_of(part)
        try:
            status = self.get("/api/status")
        except (OSError, ValueError) as error:
            say(f"{now:6.0f} s  /api/status: {error}")
        else:
            sample["lines"], sample["alerts"] = status["pipeline"]["lines"], status["pipeline"]["alerts"]
            sample["lag"] = status["source"]["kafka"]["lag"]
            sample["mirrors"] = {one["name"]: (one["state"], one["lag_rows"]) for one in status["mirrors"]}
            sample["storage"] = {key: value for key, value in status["storage"].items() if isinstance(value, (int, float))}
        self.samples.append(sample)

    def say_progress(self):
        one = self.samples[-1]
        mirrors = ", ".join(f"{name} {state} {lag}" for name, (state, lag) in one.get("mirrors", {}).items() if state != "level" or lag > 20_000)
        say(
            f"{one['at']:6.0f} s  fed {one['fed']:,}  stored {one.get('lines', 0):,}  lag {one.get('lag') or 0:,}  alerts {one.get('alerts', 0):,}"
            f"  requests {one.get('requests', 0):,} p99 {one.get('p99', 0):.0f} ms  failures {one.get('failures', 0)}"
            f"  memory {one['anon']:.0f} MiB  load {one['load']:.1f}" + (f"  {mirrors}" if mirrors else "")
        )

    def settle(self):
        """Until everything that was produced is stored and mirrored."""
        say("waiting until all is stored and mirrored")
        began, status = time.monotonic(), None
        self.stored_after = None
        while time.monotonic() - began < PATIENCE:
            for process in (self.serve, self.ship, self.clients):
                process.must_run()
            status = self.get("/api/status")
            stored = status["pipeline"]["lines"] >= self.count and status["source"]["kafka"]["lag"] == 0
            if stored and self.stored_after is None:
                self.stored_after = time.monotonic() - began
            if stored and all(one["state"] == "level" and one["lag_rows"] == 0 for one in status["mirrors"]):
                break
            time.sleep(0.5)
        self.level_after = time.monotonic() - began
        self.status = status
        self.tell(f"finish {status['pipeline']['alerts']}")
        wait_for("the streams end", lambda: self.result is not None, 180, self.clients)
        self.after = self.serve.sample()


def be_nice(niceness):
    """Linux may weigh sessions against one another (autogroup), and niceness only within a session: then it is the session's."""
    if AUTOGROUP.exists() and pathlib.Path("/proc/sys/kernel/sched_autogroup_enabled").read_text().strip() == "1":
        AUTOGROUP.write_text(str(niceness))
    elif niceness:
        os.nice(niceness)


def say(text):
    print(text, file=sys.stderr, flush=True)


def stop(number, _):
    raise SystemExit(f"stopped by {signal.Signals(number).name}")


def main():
    args = options()
    os.umask(0o077)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="platewatch-load-", dir=args.dir))
    try:
        if args.nice:
            be_nice(args.nice)
        run = Run(args, folder)
        run.prepare()
        run.produce()
        run.settle()
        say("comparing")
        equal, verified = checks.check(run)
        run.data_bytes = sum(path.stat().st_size for path in run.data.rglob("*") if path.is_file())
        raw = {"samples": run.samples, "cuts": run.cuts, "result": run.result, "cpu": run.cpu, "equal": equal, "status": run.status}
        (folder / "raw.json").write_text(json.dumps(raw))
        text, problems = report.make(run, equal, verified)
        print(text)
        if args.report:
            report.replace(args.report, text)
        for problem in problems:
            say(f"FAILED: {problem}")
        return 1 if problems else 0
    finally:
        end_all()
        if args.nice and AUTOGROUP.exists():
            be_nice(0)
        if args.keep:
            say(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
