"""Requests a second with and without login, in turns: see benches/access.sh."""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request

GETS = [
    "/api/stats/kkmc_count?limit=10",
    "/api/stats/hour_count",
    "/api/stats/map_data",
    "/api/stats/vehicle_type",
    "/api/stats/vehicle_brand?limit=10",
    "/api/warnings/realtime?limit=10",
    "/api/predict/flow?kkmc={kkmc}&hour=8",
]
QUERIES = [("page 1", {}), ("one plate", {"hphm": "{plate}"}), ("fragment of 4", {"hphm": "{fragment}"})]


def serve(program, folder, name, token_user):
    """Starts a server over a copy of the data; its address and the token's header."""
    data = f"{folder}/{name}"
    shutil.copytree(f"{folder}/data", data)
    headers = []
    if token_user:
        subprocess.run(
            [program, "user", "add", "desk", "--role", "operator", "--data-dir", data],
            input="four barges in the rain\n", text=True, check=True, stdout=subprocess.DEVNULL,
        )
        made = subprocess.run(
            [program, "token", "add", "desk", "--scope", "plates", "--scope", "dashboard", "--data-dir", data],
            text=True, check=True, capture_output=True,
        )
        headers = ["Authorization: Bearer " + re.search(r"pw_\S+", made.stdout + made.stderr)[0]]
    config = f"{folder}/{name}.toml"
    with open(config, "w", encoding="utf-8") as file:
        file.write(f'data_dir = "{data}"\n[source]\nkind = "none"\n[store]\nretention = "forever"\n[api]\nlisten = "127.0.0.1:0"\n')
    log = open(f"{folder}/{name}.log", "w+", encoding="utf-8")
    process = subprocess.Popen([program, "serve", "--config", config], stdout=log, stderr=log)
    for _ in range(600):
        found = re.search(r"127\.0\.0\.1:(\d+)", open(log.name, encoding="utf-8").read())
        if found:
            break
        time.sleep(0.1)
    else:
        raise SystemExit(f"{name} did not start:\n" + open(log.name, encoding="utf-8").read())
    return process, f"http://127.0.0.1:{found[1]}", headers


def ask(address, path, headers, body=None):
    request = urllib.request.Request(address + path, data=None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    for header in headers:
        request.add_header(*header.split(": ", 1))
    with urllib.request.urlopen(request) as response:
        return json.load(response)["data"]


def cpu_seconds(pid):
    """CPU that a process has used, user and system."""
    fields = open(f"/proc/{pid}/stat", encoding="utf-8").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(process, address, path, headers, body, seconds, folder):
    """Requests a second, all of them answered with success, and requests for each second of the server's CPU."""
    command = ["wrk", "-t1", "-c4", f"-d{seconds}s", address + path]
    for header in headers:
        command += ["-H", header]
    if body is not None:
        script = f"{folder}/post.lua"
        with open(script, "w", encoding="utf-8") as file:
            file.write(f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [==[{json.dumps(body)}]==]\n')
        command += ["-s", script]
    before = cpu_seconds(process.pid)
    said = subprocess.run(command, text=True, capture_output=True, check=True).stdout
    used = cpu_seconds(process.pid) - before
    if "Non-2xx" in said:
        raise SystemExit(f"{path}: not all answers were successes\n{said}")
    answered = int(re.search(r"(\d+) requests in", said)[1])
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), answered / max(used, 0.01)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--before")
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2)
    options = parser.parse_args()
    os.umask(0o077)
    folder = tempfile.mkdtemp(prefix="platewatch-access-")
    servers = {}
    try:
        capture = f"{folder}/capture.tsv"
        subprocess.run([options.program, "simulate", "--count", str(options.records), "--seed", "7", "--out", capture], check=True)
        maker = options.before or options.program
        subprocess.run([maker, "replay", capture, "--data-dir", f"{folder}/data", "--out", f"{folder}/out", "--quiet"], check=True)
        os.remove(capture)
        if options.before:
            servers["before"] = serve(options.before, folder, "before", False)
        servers["open"] = serve(options.program, folder, "open", False)
        servers["login"] = serve(options.program, folder, "login", True)
        _, address, headers = servers["login"]
        row = next(row for row in ask(address, "/api/query", headers, {"limit": 500})["records"] if re.fullmatch(r"\w{7}", row["HPHM"]))
        known = {"kkmc": row["KKMC"], "plate": row["HPHM"], "fragment": row["HPHM"][3:7]}
        fill = lambda text: re.sub(r"\{(\w+)\}", lambda found: known[found[1]], text)
        cases = [(path.split("?")[0], fill(path), None) for path in GETS]
        cases += [(f"/api/query: {name}", "/api/query", {key: fill(value) for key, value in body.items()}) for name, body in QUERIES]
        base = "before" if options.before else "open"
        others = [name for name in servers if name != base]
        print(f"requests a second, median of {options.rounds} rounds; then the ratio to `{base}` of these, and of requests for each second of the")
        print("server's CPU, which other work on the machine disturbs less: medians of the rounds")
        print(f"{'':<34}" + "".join(f"{name:>9}" for name in servers) + "".join(f"{name + ' rate':>12}{'CPU':>7}" for name in others))
        ratios = {name: ([], []) for name in others}
        for name, path, body in cases:
            rates = {server: [] for server in servers}
            try:
                for server, (_, address, headers) in servers.items():
                    ask(address, path, headers, body)
            except urllib.error.HTTPError as error:
                print(f"{name:<34} left out: {error}")
                continue
            for turn in range(options.rounds):
                order = list(servers)
                for server in order[turn % len(order):] + order[: turn % len(order)]:
                    process, address, headers = servers[server]
                    rates[server].append(load(process, address, path, headers, body, options.seconds, folder))
            line = f"{name:<34}" + "".join(f"{statistics.median(rate for rate, _ in rates[server]):>9.0f}" for server in servers)
            for server in others:
                for kind in (0, 1):
                    ratio = statistics.median(one[kind] / other[kind] for one, other in zip(rates[server], rates[base]))
                    ratios[server][kind].append(ratio)
                    line += f"{ratio:>{(12, 7)[kind]}.3f}"
            print(line, flush=True)
        for server, of in ratios.items():
            rate, cpu = map(statistics.geometric_mean, of)
            print(f"{server}: geometric means of the ratios: rate {rate:.3f}, CPU {cpu:.3f}")
    finally:
        for process, _, _ in servers.values():
            process.terminate()
            process.wait()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
