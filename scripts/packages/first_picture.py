#!/usr/bin/env python3
"""Starts a demo and measures how long it takes to the page and to the first data on it. Fails beyond the limit.

    first_picture.py NAME LIMIT COMMAND...      ({port} in COMMAND becomes a free port)

COMMAND must run the program as somebody other than root; the process that listens is looked up, and root is an error."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def page(port):
    status, body = ask(port, "/")
    return status == 200 and b"<title>Platewatch" in body


def data(port):
    return (json.loads(ask(port, "/api/status")[1])["data"]["ready"] is True
            and json.loads(ask(port, "/api/overview")[1])["data"]["today"] > 0)


def until(holds, port, process, end):
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"it ended with exit code {process.returncode}")
        try:
            if holds(port):
                return time.monotonic()
        except (OSError, http.client.HTTPException, KeyError, ValueError):
            pass
        time.sleep(0.02)
    raise SystemExit(f"not in time: {holds.__name__}")


def owner(port):
    """The user of the socket that listens."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        for fields in map(str.split, list(file)[1:]):
            if fields[3] == "0A" and int(fields[1].split(":")[1], 16) == port:
                return int(fields[7])
    raise SystemExit("nobody listens")


def stop(process):
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)
    except ProcessLookupError:
        pass
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def main():
    name, limit = sys.argv[1], float(sys.argv[2])
    port = free_port()
    command = [word.replace("{port}", str(port)) for word in sys.argv[3:]]
    with tempfile.TemporaryFile() as log:
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            shown = until(page, port, process, started + limit)
            filled = until(data, port, process, started + limit)
            if owner(port) == 0:
                raise SystemExit("it runs as root")
        except SystemExit as wrong:
            log.seek(0)
            print(f"error: {name}: {wrong}\n{log.read().decode(errors='replace')[-2000:]}", file=sys.stderr)
            sys.exit(1)
        finally:
            stop(process)
    print(f"{name}: the page {shown - started:.1f} s after the start, its first data after {filled - started:.1f} s", file=sys.stderr)


main()
