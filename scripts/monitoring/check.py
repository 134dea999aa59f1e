"""Holds deploy/monitoring to the program. It does not look at pictures: what a panel shows is Grafana's.

A demo runs on a free port, and a real Prometheus scrapes it every second with the rules. Each expression of rules and dashboard is
evaluated there; each metric that one names must be known to the program, and each of the demo's must give an answer.
"""

import argparse
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
RULES = MONITORING / "platewatch.rules.yml"
DASHBOARD = MONITORING / "grafana-dashboard.json"
METRIC = re.compile(r"\bplatewatch_[a-z0-9_]+")
SUFFIX = re.compile(r"_(bucket|sum|count)$")
# What a demo does not have: its source is the simulator, nothing is mirrored, and mostly nothing refused.
NOT_IN_A_DEMO = re.compile(r"platewatch_(kafka|mirror|rejected)")
SECONDS = 60


def wait_for(what, ask):
    """What `ask` gives, as soon as that is something."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            found = ask()
        except (urllib.error.URLError, ConnectionError, json.JSONDecodeError):
            found = None
        if found:
            return found
        time.sleep(0.2)
    sys.exit(f"error: {what} did not come within {SECONDS} s")


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def known_metrics():
    """Names of the metrics that the program may have, as its source writes them."""
    source = ROOT / "src" / "serve"
    text = "\n".join(path.read_text() for path in [source / "metrics.rs", *(source / "metrics").rglob("*.rs")])
    return set(re.findall(r'"(platewatch_[a-z0-9_]+)"', text))


def expressions():
    """Where each expression stands, and the expression."""
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            yield f"rule {rule['alert']}", rule["expr"]
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            filled = target["expr"].replace("$__rate_interval", "10s").replace("$instance", ".*")
            yield f"panel {panel['title']}", filled


def check_names(all_expressions):
    """Every metric is one that the program has, and every alert has its section of the runbook, its test and its reason."""
    known, wrong = known_metrics(), []
    for where, expression in all_expressions:
        for name in METRIC.findall(expression):
            if SUFFIX.sub("", name) not in known and name not in known:
                wrong.append(f"{where}: the program has no metric {name}")
    runbook = (ROOT / "deploy" / "RUNBOOK.md").read_text()
    tests = yaml.safe_load((MONITORING / "platewatch.rules.test.yml").read_text())["tests"]
    alerts = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    for rule in alerts:
        name = rule["alert"]
        if f"\n### {name}\n" not in runbook:
            wrong.append(f"{name} has no section in deploy/RUNBOOK.md")
        if rule["annotations"].get("runbook") != f"deploy/RUNBOOK.md#{name.lower()}":
            wrong.append(f"{name} does not lead to its section of the runbook")
        cases = [case for test in tests for case in test["alert_rule_test"] if case["alertname"] == name]
        if {bool(case.get("exp_alerts")) for case in cases} != {True, False}:
            wrong.append(f"{name} needs a test in which it fires, and one in which it does not")
    return alerts, wrong


def check_running(program, folder, all_expressions):
    """A Prometheus that watches a demo: what it says of the expressions."""
    demo_port, port = free_port(), free_port()
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(RULES)]
    config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{demo_port}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    with open(folder / "log", "wb") as log:
        demo = [program, "demo", "--port", str(demo_port)]
        prometheus = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}"]
        prometheus.append(f"--web.listen-address=127.0.0.1:{port}")
        running = [subprocess.Popen(command, stdout=log, stderr=log) for command in (demo, prometheus)]
    try:
        return asked(demo_port, port, folder, all_expressions)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)


def asked(demo_port, port, folder, all_expressions):
    wait_for("the demo", lambda: get(f"http://127.0.0.1:{demo_port}/readyz"))
    metrics = get(f"http://127.0.0.1:{demo_port}/metrics")
    lint = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True, text=True, check=False)
    wrong = [] if lint.returncode == 0 else [f"promtool check metrics: {lint.stderr.strip()}"]

    def query(expression):
        address = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        return json.loads(get(address))["data"]["result"]

    for path in ("/api/overview", "/api/cases", "/api/warnings"):
        get(f"http://127.0.0.1:{demo_port}{path}")
    # Rates need two scrapes, and a window of ten seconds.
    wait_for("scrapes", lambda: query("count_over_time(platewatch_lines_total[10s]) >= 9"))
    for where, expression in all_expressions:
        try:
            answers = query(expression)
        except urllib.error.HTTPError as error:
            wrong.append(f"{where}: {json.loads(error.read().decode())['error']}")
            continue
        if where.startswith("panel") and not answers and not NOT_IN_A_DEMO.search(expression):
            wrong.append(f"{where} is empty: {expression}")
    rules = json.loads(get(f"http://127.0.0.1:{port}/api/v1/rules"))["data"]["groups"]
    states = {rule["name"]: (rule["health"], rule["state"]) for group in rules for rule in group["rules"]}
    wrong += [f"{name}: {health}" for name, (health, _) in states.items() if health != "ok"]
    wrong += [f"{name} fires on a demo in which all is well" for name, (_, state) in states.items() if state == "firing"]
    if wrong:
        sys.stderr.write((folder / "log").read_text(errors="replace")[-3000:])
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="the program")
    program = parser.parse_args().program
    all_expressions = list(expressions())
    alerts, wrong = check_names(all_expressions)
    with tempfile.TemporaryDirectory(prefix="platewatch-monitoring-") as folder:
        wrong += check_running(program, Path(folder), all_expressions)
    if wrong:
        sys.exit("\n".join(f"error: {one}" for one in wrong))
    panels = sum(where.startswith("panel") for where, _ in all_expressions)
    print(f"{len(alerts)} alerts and {panels} expressions of the dashboard are as the program has them")


if __name__ == "__main__":
    main()
