#!/usr/bin/env python3
"""Runs inside the booted container of scripts/check-units: installs the units as deploy/README.md says, starts the program
under their sandbox, works with it, and says what went wrong. Exit code 0: nothing did."""

import http.client
import json
import os
import shutil
import subprocess
import sys
import time

GIVEN = "/check"
PASSWORD = "three lorries in fog"
# Calls that the filter does not allow are errors where the program is installed. Here they kill it, so that none is missed.
FATAL = "[Service]\nSystemCallErrorNumber=kill\n"
# No server is there: every client library starts, connects, is refused and tries again.
MIRRORS = """
[mycat]
urls = ["mysql://127.0.0.1:8066/MYETCDB"]
user = "platewatch"
[redis]
url = "redis://127.0.0.1:6379"
"""
SIMULATED = 'source = { kind = "simulator", rate = 200.0 }\ndata_dir = "/var/lib/platewatch/data"\n'
# The configurations of the two servers as shipped: topic, MyCat and Redis have names that nobody resolves.
SHIPPED = ["pipeline-algo.toml", "db-app.toml"]


def say(text):
    print(text, flush=True)


def run(*command, check=True, **options):
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, **options)
    if check and ended.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit code {ended.returncode}\n{ended.stdout}{ended.stderr}")
    return ended


def shown(unit, name):
    return run("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()


def install():
    os.makedirs("/etc/platewatch", exist_ok=True)
    run("useradd", "--system", "--user-group", "--home-dir", "/var/lib/platewatch", "platewatch")
    for unit in ["platewatch", "platewatch-verify"]:
        shutil.copy(f"{GIVEN}/{unit}.service", "/etc/systemd/system/")
        os.makedirs(f"/etc/systemd/system/{unit}.service.d")
        with open(f"/etc/systemd/system/{unit}.service.d/fatal.conf", "w") as file:
            file.write(FATAL)
    with open("/etc/platewatch/secrets.env", "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write("PLATEWATCH__MYCAT__PASSWORD='s3cret'\nPLATEWATCH__REDIS__PASSWORD='s3cret'\n")
    # There is no network to wait for.
    waiting = ["systemd-networkd-wait-online.service", "NetworkManager-wait-online.service", "ifupdown-wait-online.service"]
    run("systemctl", "mask", "--runtime", *waiting, check=False)
    run("systemctl", "daemon-reload")
    # systemd-run, which platewatch-run uses, waits by it.
    run("systemctl", "start", "dbus.socket")


def configure(text):
    with open("/etc/platewatch/platewatch.toml", "w") as file:
        file.write(text + MIRRORS)


def start():
    run("systemctl", "start", "platewatch")
    until("the program answers", lambda: ask("GET", "/healthz")[0] == 200)


def until(what, holds):
    for _ in range(300):
        state = shown("platewatch", "ActiveState")
        if state not in ("active", "reloading"):
            raise AssertionError(f"before {what}: the service is {state}")
        try:
            if holds():
                return
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.1)
    raise AssertionError(f"not within 30 s: {what}")


def ask(method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", 5000, timeout=30)
    headers = dict(headers or {})
    if body is not None:
        body, headers["Content-Type"] = json.dumps(body), "application/json"
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.status, dict(response.getheaders()), response.read()


def expect(status, answer, what):
    if answer[0] != status:
        raise AssertionError(f"{what}: {answer[0]} instead of {status}: {answer[2][:300]}")
    return answer


def the_sandbox_holds():
    """What the kernel says of the running process, and what it cannot do."""
    pid = shown("platewatch", "MainPID")
    with open(f"/proc/{pid}/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    nobody = {name: int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    assert not any(nobody.values()), f"capabilities are left: {nobody}"
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", f"no filter: {status}"
    assert "0" not in status["Uid"].split(), f"it runs as root: {status['Uid']}"
    inside = ["nsenter", f"--target={pid}", "--mount"]
    for path in ["/usr/x", "/etc/x", "/var/x", "/srv/x"]:
        assert run(*inside, "touch", path, check=False).returncode != 0, f"{path} can be written"
    run(*inside, "touch", "/var/lib/platewatch/x", "/tmp/x")
    assert not os.path.exists("/tmp/x"), "/tmp is everybody's"
    shown_homes = run(*inside, "ls", "/root", "/home", check=False)
    assert "kept" not in shown_homes.stdout, "homes can be read"
    for folder in ["/var/lib/platewatch", "/tmp", "/var/tmp", "/dev/shm"]:
        run(*inside, "cp", "/usr/bin/true", f"{folder}/program")
        assert run(*inside, f"{folder}/program", check=False).returncode != 0, f"{folder} holds programs"


def add_user(name):
    roles = ["--role", "admin", "--role", "supervisor", "--role", "operator"]
    config = ["--config", "/etc/platewatch/platewatch.toml"]
    run("/usr/local/bin/platewatch-run", "user", "add", name, *roles, *config, input=PASSWORD + "\n")


def nobody_else_reads():
    for path in ["/var/lib/platewatch", "/var/lib/platewatch/data"]:
        mode = os.stat(path).st_mode & 0o777
        assert mode == 0o700, f"{path} has mode {mode:o}"


def work():
    """Login (argon2id), questions, export, statistics, the page: what a desk does."""
    add_user("boss")
    until("a user closes the gate", lambda: ask("GET", "/api/overview")[0] == 401)
    expect(401, ask("POST", "/api/session", {"user": "boss", "password": "something else"}), "a wrong password")
    answer = expect(200, ask("POST", "/api/session", {"user": "boss", "password": PASSWORD}), "login")
    cookie = {"Cookie": next(v for k, v in answer[1].items() if k.lower() == "set-cookie").split(";")[0]}

    def count():
        return json.loads(expect(200, ask("GET", "/api/overview", headers=cookie), "overview")[2])["data"]["total"]

    until("passages are stored", lambda: count() > 1000)
    expect(200, ask("GET", "/", headers=cookie), "the page")
    for path in ["/api/status", "/api/stats/hour_count", "/api/roads", "/api/cameras", "/api/predict/flow", "/api/warnings", "/api/checkpoints", "/metrics", "/readyz"]:
        status = ask("GET", path, headers=cookie)[0]
        assert status in (200, 503), f"{path}: {status}"
    csrf = json.loads(ask("GET", "/api/session", headers=cookie)[2])["data"]["csrf"]
    changing = cookie | {"X-CSRF-Token": csrf}
    expect(200, ask("POST", "/api/query", {"page": 1, "limit": 20}, changing), "a question")
    expect(200, ask("POST", "/api/query/export", {}, changing), "an export")
    return count()


def stop():
    run("systemctl", "stop", "platewatch")
    result, status = shown("platewatch", "Result"), shown("platewatch", "ExecMainStatus")
    assert (result, status) == ("success", "0"), f"it stopped with {result}, {status}"


def one_run_each():
    configure(SIMULATED)
    start()
    the_sandbox_holds()
    nobody_else_reads()
    say(f"stored and asked for: {work()} passages")
    # After platewatch-run too, which has the same directory.
    nobody_else_reads()
    # A killed program comes back by itself and opens what it had written.
    run("systemctl", "kill", "--signal=KILL", "platewatch")
    until_restarted()
    stop()
    # The data directory is only read; no MySQL is there, which is an error of its own and no death by signal.
    run("systemctl", "start", "platewatch-verify", check=False)
    code, status = shown("platewatch-verify", "ExecMainCode"), shown("platewatch-verify", "ExecMainStatus")
    assert (code, status) == ("1", "3"), f"verify-mirror ended with code {code}, status {status}"
    for name in SHIPPED:
        shutil.copy(f"{GIVEN}/{name}", "/etc/platewatch/platewatch.toml")
        add_user("desk")
        start()
        # Long enough for every client library to try twice.
        time.sleep(3)
        until("it still runs", lambda: ask("GET", "/healthz")[0] == 200)
        stop()
        say(f"{name}: runs")


def until_restarted():
    for _ in range(300):
        try:
            if shown("platewatch", "NRestarts") == "1" and ask("GET", "/healthz")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError("it was not restarted within 30 s")


def main():
    os.makedirs("/home/kept", exist_ok=True)
    os.makedirs("/root/kept", exist_ok=True)
    try:
        install()
        one_run_each()
    except (AssertionError, subprocess.TimeoutExpired, OSError) as wrong:
        say(f"error: {wrong}")
        say(run("systemctl", "list-jobs", "--no-pager", check=False).stdout)
        say(run("journalctl", "--no-pager", "--boot", "--unit=platewatch*", "--lines=60", check=False).stdout)
        say(run("systemctl", "status", "--no-pager", "--lines=0", "platewatch", "platewatch-verify", check=False).stdout)
        return 1
    say("the units: started under their sandbox, worked, killed, stopped")
    return 0


sys.exit(main())
