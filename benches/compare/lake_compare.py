"""Rows in a second that become a lake, and that DuckDB's COPY writes as Parquet, of the same passages with the same codec."""

import argparse
import glob
import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.request

import duckdb


def status(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status", timeout=5) as answer:
            return json.load(answer)["data"]
    except OSError:
        return None


def lake_seconds(binary, folder, data, lake):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = os.path.join(folder, "platewatch.toml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(
            f'data_dir = "{data}"\n[source]\nkind = "none"\n[store]\nretention = "forever"\n[predict]\ntrain = "off"\n'
            f'[lake]\ndir = "{lake}"\nmax_delay = "10ms"\n[api]\nlisten = "127.0.0.1:{port}"\n'
        )
    process = subprocess.Popen([binary, "serve", "--config", config], stderr=subprocess.DEVNULL)
    try:
        start = None
        while True:
            now = status(port)
            # Its start reads the directory back: that is not the lake's.
            if now and start is None:
                start = time.perf_counter(), sum(mirror["cursor"] for mirror in now["mirrors"])
            if now and all(mirror["lag_rows"] == 0 for mirror in now["mirrors"]):
                rows = sum(mirror["cursor"] for mirror in now["mirrors"]) - start[1]
                return rows / (time.perf_counter() - start[0])
            time.sleep(0.02)
    finally:
        process.terminate()
        process.wait()


def copy_rate(lake, out):
    connection = duckdb.connect(config={"threads": 1})
    columns = "GCXH, XZQHMC, KKMC, FXLX, GCSJ, HPZL, HPHM, CLPPXH, date"
    connection.sql(f"CREATE TABLE rows AS SELECT {columns} FROM read_parquet('{lake}/*/*.parquet', hive_partitioning = true)")
    count = connection.sql("SELECT count(*) FROM rows").fetchall()[0][0]
    start = time.perf_counter()
    connection.sql(f"COPY rows TO '{out}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (date))")
    return count, count / (time.perf_counter() - start)


def size(folder):
    return sum(os.path.getsize(path) for path in glob.glob(f"{folder}/**/*.parquet", recursive=True))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binary", required=True)
    arguments.add_argument("--count", type=int, default=2_000_000)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        capture, data, lake, out = (os.path.join(folder, name) for name in ("capture.tsv", "data", "lake", "copy"))
        subprocess.run([options.binary, "simulate", "--count", str(options.count), "--out", capture], check=True, stderr=subprocess.DEVNULL)
        replay = [options.binary, "replay", capture, "--quiet", "--data-dir", data, "--out", os.path.join(folder, "result")]
        subprocess.run(replay, check=True)
        ours = lake_seconds(options.binary, folder, data, lake)
        count, theirs = copy_rate(lake, out)
        print(f"rows       {count:>13,}")
        print(f"lake       {ours:>13,.0f} rows/s, {size(lake) / count:.1f} bytes a row, two shards at once")
        print(f"DuckDB     {theirs:>13,.0f} rows/s, {size(out) / count:.1f} bytes a row, one thread")
        print(f"ratio      {ours / theirs:>13.2f} times DuckDB's rate")


if __name__ == "__main__":
    main()
