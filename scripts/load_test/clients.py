"""The clients of a run: desks that ask, each after a pause, and event streams that check that no alert is missing or comes twice.

Reads its settings as one line of JSON from standard input, then commands: `stop` ends the desks, `finish N` waits until every stream has the
alert N and prints the result. Every five seconds it prints a line of JSON with what happened so far.
"""

import array
import asyncio
import collections
import json
import random
import re
import sys
import time
import urllib.parse

PAUSE = (0.5, 1.5)  # Seconds that a desk waits after an answer: with 200 desks some 200 requests a second.
PATIENCE = 30.0
SCOUT_EVERY = 20.0
FINISH_PATIENCE = 120.0
DURATION = re.compile(rb"server-timing: app;dur=([\d.]+)", re.IGNORECASE)
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)

# The mix: of 100 requests of a desk, how many are which. The eight interfaces of the contract are 72 of them.
MIX = {
    "stats/kkmc_count": 12, "stats/hour_count": 12, "stats/map_data": 9, "stats/vehicle_type": 9, "stats/vehicle_brand": 9,
    "warnings/realtime": 9, "predict/flow": 8, "query: newest of a checkpoint": 2, "query: a plate": 1.5, "query: part of a plate": 0.5,
    "overview": 12, "track": 4, "warnings": 3, "warnings/{id}": 1, "stats/recent": 2, "status": 4, "cases": 1, "roads": 1,
}


def request_of(name, known):
    """Path and body of a request of this kind, by what is in the store."""
    quoted = urllib.parse.quote
    plate, site = random.choice(known["plates"]), random.choice(known["sites"])
    if name == "query: newest of a checkpoint":
        return "/api/query", {"kkmc": site, "limit": 20}
    if name == "query: a plate":
        return "/api/query", {"hphm": plate, "limit": 20}
    if name == "query: part of a plate":
        return "/api/query", {"hphm": plate[2:6], "limit": 20}
    if name == "track":
        return "/api/track?hphm=" + quoted(plate), None
    if name == "warnings/{id}":
        return (f"/api/warnings/{random.choice(known['alerts'])}", None) if known["alerts"] else ("/api/warnings", None)
    query = {
        "stats/kkmc_count": "?limit=10", "stats/vehicle_brand": "?limit=10", "warnings/realtime": "?limit=10", "stats/recent": "?minutes=5",
        "predict/flow": f"?kkmc={quoted(site)}&hour={random.randrange(24)}", "warnings": "?limit=20", "cases": "?limit=20",
    }
    return f"/api/{name}" + query.get(name, ""), None


class Desk:
    """One connection that is kept, with a token and an address of its own."""

    def __init__(self, settings, number):
        self.host, self.port = settings["host"], settings["port"]
        self.head = (
            f"Host: platewatch\r\nAuthorization: Bearer {settings['tokens'][number]}\r\nX-Forwarded-For: 10.1.{number // 250}.{number % 250 + 1}\r\n"
            "X-Forwarded-Proto: https\r\nX-Purpose: patrol\r\nAccept-Encoding: gzip\r\n"
        )
        self.reader = self.writer = None

    async def ask(self, path, body, plain=False):
        """Status, the answer's head and body."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        head = self.head.replace("Accept-Encoding: gzip\r\n", "") if plain else self.head
        if body is None:
            message = f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()
        else:
            data = json.dumps(body).encode()
            message = f"POST {path} HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data
        self.writer.write(message)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(answer)
        if length:
            data = await self.reader.readexactly(int(length[1]))
        else:
            data = b""
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                data += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readexactly(2)
        return int(answer[9:12]), answer, data

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


class Run:
    def __init__(self, settings):
        self.settings = settings
        self.known = {"plates": ["苏C12345"], "sites": settings["sites"], "alerts": []}
        self.seen, self.served = ({name: array.array("d") for name in MIX} for _ in range(2))
        self.statuses, self.failures = collections.Counter(), collections.Counter()
        self.lags = array.array("d")
        self.streams = [Stream(settings, number) for number in range(settings["sse"])]
        self.stopped = False

    async def desk(self, number):
        desk = Desk(self.settings, number)
        await asyncio.sleep(random.uniform(0, PAUSE[1]))
        names, weights = list(MIX), list(MIX.values())
        while not self.stopped:
            name = random.choices(names, weights)[0]
            path, body = request_of(name, self.known)
            began = time.perf_counter()
            try:
                status, head, _ = await asyncio.wait_for(desk.ask(path, body), PATIENCE)
            except (OSError, asyncio.IncompleteReadError, TimeoutError, asyncio.TimeoutError) as error:
                self.failures[f"{name}: {type(error).__name__}"] += 1
                desk.close()
            else:
                self.seen[name].append(1000 * (time.perf_counter() - began))
                if duration := DURATION.search(head):
                    self.served[name].append(float(duration[1]))
                self.statuses[status] += 1
                if status != 200:
                    self.failures[f"{name}: status {status}"] += 1
            await asyncio.sleep(random.uniform(*PAUSE))
        desk.close()

    async def scout(self):
        """Keeps what the desks ask for near to what is stored."""
        desk = Desk(self.settings, 0)
        while not self.stopped:
            try:
                _, _, data = await desk.ask("/api/query", {"limit": 200}, plain=True)
                records = json.loads(data)["data"]["records"]
                plates = [row["HPHM"] for row in records if len(row["HPHM"]) >= 7 and "*" not in row["HPHM"]]
                self.known["plates"] = (plates + self.known["plates"])[:1000]
                _, _, data = await desk.ask("/api/warnings?limit=50", None, plain=True)
                self.known["alerts"] = [alert["id"] for alert in json.loads(data)["data"]["records"]]
            except (OSError, asyncio.IncompleteReadError, KeyError, TypeError, ValueError) as error:
                self.failures[f"scout: {type(error).__name__} {error}"] += 1
                desk.close()
            await asyncio.sleep(SCOUT_EVERY)

    async def own_lag(self):
        """How late this program itself is: what it measures of the server includes that."""
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.05)
            self.lags.append(1000 * (time.perf_counter() - began - 0.05))

    def progress(self):
        every = sorted(one for times in self.seen.values() for one in times[-4000:])
        return {
            "requests": sum(self.statuses.values()), "failures": sum(self.failures.values()),
            "p99": every[len(every) * 99 // 100] if every else 0.0, "events": sum(stream.warnings for stream in self.streams),
            "wrong": sum(len(stream.wrong) for stream in self.streams), "open": sum(stream.open for stream in self.streams),
        }

    def result(self):
        fresh = sorted(age for stream in self.streams for age in stream.ages)
        return {
            "names": {name: {"client": percentiles(self.seen[name]), "server": percentiles(self.served[name])} for name in MIX},
            "all": percentiles(sum((self.seen[name] for name in MIX), array.array("d"))),
            "statuses": dict(self.statuses), "failures": dict(self.failures), "own_lag": percentiles(self.lags),
            "freshness": percentiles(fresh),
            "streams": [
                {"last": one.last, "warnings": one.warnings, "cases": one.cases, "reconnects": one.reconnects, "wrong": one.wrong, "bytes": one.bytes}
                for one in self.streams
            ],
        }


class Stream:
    """One event stream. The first alert is number 1; each next one must have the next number."""

    def __init__(self, settings, number):
        self.settings, self.number = settings, number
        self.last = self.warnings = self.cases = self.reconnects = self.bytes = 0
        self.open, self.wrong, self.ages = False, [], array.array("d")

    async def run(self):
        while True:
            try:
                await self.listen()
            except (OSError, asyncio.IncompleteReadError, ValueError) as error:
                if len(self.wrong) < 20 and not isinstance(error, OSError):
                    self.wrong.append(f"after {self.last}: {type(error).__name__} {error}")
            self.open = False
            self.reconnects += 1
            await asyncio.sleep(2)

    async def listen(self):
        reader, writer = await asyncio.open_connection(self.settings["host"], self.settings["port"], limit=1 << 20)
        number = self.settings["api"] + self.number
        writer.write(
            f"GET /api/warnings/stream HTTP/1.1\r\nHost: platewatch\r\nAuthorization: Bearer {self.settings['tokens'][number]}\r\n"
            f"X-Forwarded-For: 10.2.0.{self.number % 250 + 1}\r\nX-Forwarded-Proto: https\r\nLast-Event-ID: {self.last}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:16]:
            raise ValueError(head[:60].decode("utf-8", "replace"))
        self.open = True
        text = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            text += (await reader.readexactly(size + 2))[:-2]
            self.bytes += size
            *events, text = text.split(b"\n\n")
            for event in events:
                self.take(event)
        writer.close()

    def take(self, event):
        if event.startswith(b"event: case"):
            self.cases += 1
        if not event.startswith(b"event: warning"):
            return
        at = event.index(b"\nid: ") + 5
        number = int(event[at : event.index(b"\n", at)])
        self.warnings += 1
        if number != self.last + 1 and len(self.wrong) < 20:
            self.wrong.append(f"{number} after {self.last}")
        self.last = number
        if b'"curr_gcxh":"G1' in event:
            at = event.index(b'"curr_gcxh":"G1') + 14
            self.ages.append(1000 * time.time() - int(event[at : at + 13]))


def percentiles(times):
    times = sorted(times)
    if not times:
        return {"count": 0, "p50": 0.0, "p99": 0.0, "max": 0.0}
    return {"count": len(times), "p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100], "max": times[-1]}


async def main():
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader(limit=1 << 22)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    run = Run(json.loads(await commands.readline()))
    say = lambda value: print(json.dumps(value), flush=True)

    async def report():
        while True:
            say(run.progress())
            await asyncio.sleep(5 if run.streams and all(stream.open for stream in run.streams) else 0.2)

    tasks = [loop.create_task(stream.run()) for stream in run.streams]
    tasks += [loop.create_task(report()), loop.create_task(run.own_lag())]
    desks = []
    while command := (await commands.readline()).decode().split():
        if command[0] == "start":
            desks = [loop.create_task(run.desk(number)) for number in range(run.settings["api"])]
            desks.append(loop.create_task(run.scout()))
        if command[0] == "stop":
            run.stopped = True
            await asyncio.wait(desks, timeout=PATIENCE + SCOUT_EVERY)
        if command[0] == "finish":
            deadline = time.monotonic() + FINISH_PATIENCE
            while any(stream.last < int(command[1]) for stream in run.streams) and time.monotonic() < deadline:
                await asyncio.sleep(0.1)
            await asyncio.sleep(1)  # One that comes twice would come now.
            say({"result": run.result()})


if __name__ == "__main__":
    asyncio.run(main())
