"""Writes lines at a steady rate to a log that grows, as a checkpoint system does: what `platewatch simulate` makes (standard input), and markers.

A marker is two lines of one plate at two far checkpoints in one second, which is an alert. Its GCXH holds the time at which it was written,
so that whoever sees the alert knows how old it is. Prints how many lines are written, once a second.
"""

import argparse
import sys
import time

TICKS = 20


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", required=True)
    parser.add_argument("--rate", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--site", action="append", help="district and checkpoint of a marker, with a TAB between; twice")
    options = parser.parse_args()
    source = sys.stdin.buffer
    written, pairs, began = 0, 0, time.monotonic()
    told = began
    with open(options.log, "ab", buffering=0) as log:
        tick = 0
        while written < options.count:
            tick += 1
            time.sleep(max(0.0, began + tick / TICKS - time.monotonic()))
            # What the clock asks for, also after a tick that came late.
            due = min(options.count, int((time.monotonic() - began) * options.rate)) - written
            if due <= 0:
                continue
            now = time.monotonic()
            mark = 2 if due > 2 and now >= told + 1 else 0
            lines = [source.readline() for _ in range(due - mark)]
            if mark:
                pairs += 1
                lines += markers(options.site, pairs, lines[-1].split(b"\t")[4])
            log.write(b"".join(lines))
            written += due
            if mark or written == options.count:
                told = now
                print(written, pairs, flush=True)


def markers(sites, pair, at):
    now = int(time.time() * 1000)
    plate = f"苏Y{pair % 99_999 + 1:05}"
    return [
        "\t".join([f"G{now}{(pair * 2 + one) % 100_000:05}", *site.split("\t"), "1", at.decode(), "02", plate, "大众牌-朗逸-2015\n"]).encode()
        for one, site in enumerate(sites)
    ]


if __name__ == "__main__":
    main()
