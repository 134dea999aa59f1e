"""DuckDB against `platewatch replay` on one capture: load and find cloned plates, both durable, on the same machine.

DuckDB loads the TAB-separated file into a database file with explicit types, then finds clones with a LAG window over
each plate's sightings by time. Rounds alternate, each in a process of its own. DuckDB's time is its two statements,
without the start of Python; Platewatch's is the whole process. There is no pass or fail: the numbers are for reading.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

THREADS = 2
WINDOW_SECONDS = 300
COLUMNS = ["gcxh", "xzqhmc", "kkmc", "fxlx", "gcsj", "hpzl", "hphm", "clppxh"]

PROVINCE = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
CITY = "[A-HJ-Z]"
LETTER = "[A-HJ-NP-Z]"
SERIAL = "[A-HJ-NP-Z0-9]"
ENERGY = "[ABCDEFGHJK]"
# The plates that detect.plates = "valid" compares. RE2 has no lookahead, so "five of S with at most two letters" is
# digits with up to two letters between them, and the length is tested beside it.
ORDINARY = f"{PROVINCE}{CITY}[0-9]*(?:{LETTER}[0-9]*){{0,2}}"
OTHERS = "|".join([
    f"{PROVINCE}{CITY}{ENERGY}{SERIAL}[0-9]{{4}}",
    f"{PROVINCE}{CITY}[0-9]{{5}}{ENERGY}",
    f"{PROVINCE}{CITY}{SERIAL}{{4}}[学警挂领]",
    f"粤Z{SERIAL}{{4}}[港澳]",
    "使[0-9]{6}|[0-9]{6}使",
    f"{PROVINCE}(?:[XS][0-9]{{4}}|[0-9]{{5}})应急",
])
VALID = f"((length(hphm) = 7 AND regexp_full_match(hphm, '{ORDINARY}')) OR regexp_full_match(hphm, '{OTHERS}'))"

CLONES = f"""
    SELECT count(*) FROM (
        SELECT gcsj, kkmc, lag(gcsj) OVER sightings AS prev_gcsj, lag(kkmc) OVER sightings AS prev_kkmc
        FROM traffic_data WHERE {VALID}
        WINDOW sightings AS (PARTITION BY hphm ORDER BY gcsj)
    ) WHERE kkmc <> prev_kkmc AND date_diff('second', prev_gcsj, gcsj) < {WINDOW_SECONDS}
"""


def duckdb_round(capture, database):
    """One round of DuckDB; prints its measurements as JSON. Runs in a process of its own."""
    import duckdb

    types = {name: "TIMESTAMP" if name == "gcsj" else "VARCHAR" for name in COLUMNS}
    connection = duckdb.connect(database, config={"threads": THREADS})
    start = time.perf_counter()
    connection.execute(
        f"CREATE TABLE traffic_data AS SELECT * FROM read_csv(?, auto_detect=false, delim='\t', header=false, quote='',"
        f" escape='', timestampformat='%Y-%m-%d %H:%M:%S', columns={types})",
        [capture],
    )
    connection.execute("CHECKPOINT")
    loaded = time.perf_counter()
    alerts = connection.execute(CLONES).fetchone()[0]
    detected = time.perf_counter()
    records = connection.execute("SELECT count(*) FROM traffic_data").fetchone()[0]
    connection.close()
    print(json.dumps({
        "records": records, "alerts": alerts, "bytes": os.path.getsize(database),
        "load_seconds": loaded - start, "detect_seconds": detected - loaded, "seconds": detected - start,
    }))


def run_measured(command):
    """Runs a command; its output, wall seconds and peak memory in MiB."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"{' '.join(command)} ended with exit code {process.returncode}")
        output.seek(0)
        return output.read(), seconds, usage.ru_maxrss / 1024


def run_duckdb(capture, directory):
    command = [sys.executable, os.path.abspath(__file__), "--one", capture, os.path.join(directory, "traffic.duckdb")]
    output, _, peak = run_measured(command)
    return {**json.loads(output), "peak_mib": peak}


def run_platewatch(binary, capture, directory):
    out, data = os.path.join(directory, "out"), os.path.join(directory, "data")
    _, seconds, peak = run_measured([binary, "replay", capture, "--out", out, "--data-dir", data, "--quiet"])
    with open(os.path.join(out, "summary.json"), encoding="utf-8") as file:
        summary = json.load(file)
    size = sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(data) for name in names)
    return {
        "records": summary["accepted"], "alerts": summary["alerts"], "bytes": size, "seconds": seconds, "peak_mib": peak,
    }


def report(name, rounds):
    """Prints the medians of one side; its median rate."""
    rate = statistics.median(one["records"] / one["seconds"] for one in rounds)
    last = rounds[-1]
    middle = statistics.median(one["seconds"] for one in rounds)
    peak = max(one["peak_mib"] for one in rounds)
    print(
        f"{name:<11}{rate:>13,.0f}{middle:>10.2f}{peak:>12,.0f}{last['bytes'] / max(last['records'], 1):>15.1f}"
        f"{last['records']:>13,}{last['alerts']:>10,}"
    )
    return rate


def compare(options, work):
    capture = options.file
    if capture is None:
        capture = os.path.join(work, "capture.tsv")
        print(f"simulating {options.count:,} clean records", flush=True)
        run_measured([options.binary, "simulate", "--count", str(options.count), "--clean", "--out", capture])
    with open(capture, "rb") as file:
        # Both sides find the file in the page cache.
        while file.read(1 << 24):
            pass

    sides = {"DuckDB": [], "Platewatch": []}
    for turn in range(options.rounds):
        for name in sorted(sides, reverse=turn % 2 == 1):
            with tempfile.TemporaryDirectory(dir=work) as directory:
                if name == "DuckDB":
                    one = run_duckdb(capture, directory)
                else:
                    one = run_platewatch(options.binary, capture, directory)
            sides[name].append(one)
            parts = ""
            if name == "DuckDB":
                parts = f" (load {one['load_seconds']:.2f} s, detect {one['detect_seconds']:.2f} s)"
            print(f"round {turn + 1}: {name:<11}{one['seconds']:.2f} s{parts}", flush=True)

    size = os.path.getsize(capture)
    print(f"\n{size:,} bytes of input, median of {options.rounds} rounds, DuckDB with {THREADS} threads")
    print(f"{'':<11}{'records/s':>13}{'seconds':>10}{'peak MiB':>12}{'bytes/record':>15}{'records':>13}{'alerts':>10}")
    duckdb, platewatch = (report(name, rounds) for name, rounds in sides.items())
    print(f"ratio      {platewatch / duckdb:>13.2f} times DuckDB's rate")
    print(
        "\nWhat differs: DuckDB's LAG compares each sighting only with the one before it in the finished table, after all"
        "\nis loaded, and keeps no state for the next record; Platewatch compares in the order of arrival with the nearest"
        "\nsightings on both sides, drops duplicates, leaves late records out, and keeps counters, alerts and an index of"
        "\nits segments. So the alert counts may differ a little where records are late, doubled or of the same second."
    )


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", help="the platewatch command")
    arguments.add_argument("--count", type=int, default=2_000_000, help="records to simulate (2,000,000)")
    arguments.add_argument("--rounds", type=int, default=3, help="how often each side runs (3)")
    arguments.add_argument("--file", help="a TAB-separated capture without a header, instead of a simulated one")
    arguments.add_argument("--work-dir", help="where the databases are written for the time of the run")
    arguments.add_argument("--one", nargs=2, metavar=("CAPTURE", "DATABASE"), help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.one:
        return duckdb_round(*options.one)
    if not options.binary:
        arguments.error("--binary is needed; benches/compare/duckdb.sh gives it")
    work = tempfile.mkdtemp(prefix="platewatch-compare-", dir=options.work_dir)
    try:
        compare(options, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return None


if __name__ == "__main__":
    main()
