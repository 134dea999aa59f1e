"""What a run measured, as Markdown, and what of it is beyond the limits."""

import os
import pathlib
import platform
import re
import statistics
import time

BEGIN = "<!-- scripts/load --report writes what follows -->"
END = "<!-- end -->"
MIB = 1024 * 1024
# Tables of plates and ids drop what is older than 10 minutes (`detect.state_ttl`) when they are full, and then double or not: what they
# take is reached after 10 to 15 minutes. In seconds.
WARM_UP = 890
WINDOWS = 6
HALF = WINDOWS // 2
WHEN_FULL = ", when all tables have the size that the rate needs"
NOT_FULL = " (a run of less than 30 minutes is not judged by it, since plate states still fill)"


def make(run, equal, verified):
    """The report, and a sentence for each thing that is wrong."""
    problems = []
    parts = [
        heading(run),
        losses(run, equal, verified, problems),
        streams(run, problems),
        latencies(run, problems),
        freshness(run, problems),
        mirrors(run),
        memory(run, problems),
        cpu(run),
    ]
    verdict = "**Within all limits.**" if not problems else "**Not within the limits:**\n\n" + "\n".join(f"- {one}" for one in problems)
    return "\n\n".join([parts[0], verdict, *parts[1:]]) + "\n", problems


def heading(run):
    args = run.args
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) / MIB
    ours = sum(run.cpu.values())
    rate = run.count / run.seconds
    loads = [one["load"] for one in run.samples]
    others = max(0.0, run.machine - ours) / run.seconds
    return (
        f"Run of {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC: {args.minutes:g} minutes at {args.rate:,} lines a second "
        f"({run.count:,} lines, {rate:,.0f} a second in fact), {args.api_clients} desks, {args.sse_clients} event streams, {args.sites:,} checkpoints, "
        f"{args.partitions} partitions, `detect.reach = \"{args.reach}\"`, `store.memory = \"{args.memory}\"`.\n\n"
        f"Machine: {os.cpu_count()} processors ({model[1].strip() if model else platform.machine()}), {memory:.0f} GiB, Linux {platform.release()}; "
        f"everything on it: program, Kafka, two MariaDB, Redis, producer and clients, at niceness {args.nice} against the rest. "
        f"Other work on the machine took {100 * others:.0f} % of one processor in the mean; load average {min(loads):.1f} to {max(loads):.1f}."
    )


def losses(run, equal, verified, problems):
    rows = ["### Nothing lost", "", "| what must be equal | | |", "|---|---|---|"]
    for what, one, other in equal:
        rows.append(f"| {what} | {one:,} | {other:,}{'' if one == other else ' **differs**'} |")
        if one != other:
            problems.append(f"{what}: {one:,} and {other:,}")
    if any("verify-mirror" in what and one != other for what, one, other in equal):
        problems.append("verify-mirror says: " + " ".join(verified.split())[:600])
    line = run.status["pipeline"]
    rows += [
        "",
        f"Of {line['lines']:,} lines {line['accepted']:,} were accepted, {line['duplicates']:,} were duplicates, {line['rejected']['total']:,} rejected, "
        f"{line['late']:,} late. {line['alerts']:,} alerts. The store had everything {run.stored_after or 0:.1f} s after the last line, the mirrors "
        f"after {run.level_after:.1f} s. Greatest consumer lag of a sample: {max((one.get('lag') or 0) for one in run.samples):,} records.",
    ]
    return "\n".join(rows)


def streams(run, problems):
    wanted, result = run.status["pipeline"]["alerts"], run.result["streams"]
    wrong = [f"stream {at}: {text}" for at, one in enumerate(result) for text in one["wrong"]]
    short = [at for at, one in enumerate(result) if one["last"] != wanted or one["warnings"] != wanted]
    if wrong:
        problems.append(f"event streams: {len(wrong)} gaps or repeats, such as {wrong[0]}")
    if short:
        problems.append(f"event streams: {len(short)} of {len(result)} did not see each of {wanted:,} alerts once")
    return (
        f"### Event streams\n\n{len(result) - len(short)} of {len(result)} streams saw each of {wanted:,} alerts once and in order, "
        f"{sum(one['warnings'] for one in result):,} events of alerts and {sum(one['cases'] for one in result):,} of cases together; "
        f"{sum(one['reconnects'] for one in result)} reconnections."
    )


def latencies(run, problems):
    args, result = run.args, run.result
    rows = [
        "### Interfaces", "", "Milliseconds as clients saw them, from sending to the last byte; beside it the server's own time (`Server-Timing`).", "",
        "| interface | requests | p50 | p99 | max | server p50 | server p99 |", "|---|---|---|---|---|---|---|",
    ]
    for name, one in [*result["names"].items(), ("all", {"client": result["all"], "server": None})]:
        client, server = one["client"], one["server"]
        inside = f"{server['p50']:.1f} | {server['p99']:.1f}" if server else " | "
        rows.append(f"| {name} | {client['count']:,} | {client['p50']:.1f} | {client['p99']:.1f} | {client['max']:.0f} | {inside} |")
        if client["p99"] > args.limit_ms:
            problems.append(f"{name}: the 99th percentile is {client['p99']:.0f} ms, over {args.limit_ms:.0f}")
    failed = {**result["failures"]}
    answered = ", ".join(f"{count:,} × {status}" for status, count in sorted(result["statuses"].items()))
    own = result["own_lag"]
    rows += [
        "",
        f"Answers: {answered}; {result['all']['count'] / run.seconds:.0f} requests a second. "
        + ("No failures." if not failed else "Failures: " + ", ".join(f"{what} ({count})" for what, count in failed.items()) + ".")
        + f" The clients' own lateness is within these numbers: p50 {own['p50']:.1f}, p99 {own['p99']:.1f}, at most {own['max']:.0f} ms.",
    ]
    if failed:
        problems.append("requests failed: " + ", ".join(f"{what} ({count})" for what, count in failed.items()))
    return "\n".join(rows)


def freshness(run, problems):
    fresh = run.result["freshness"]
    if fresh["p99"] > run.args.limit_fresh_ms:
        problems.append(f"from a line to its alert: the 99th percentile is {fresh['p99']:.0f} ms, over {run.args.limit_fresh_ms:.0f}")
    return (
        "### From a line to its alert\n\nFrom the moment a line is written to the log to the moment a client has its alert, through `ship`, Kafka, "
        f"detection, commit and event stream, {fresh['count']:,} times: p50 {fresh['p50']:.0f}, p99 {fresh['p99']:.0f}, at most {fresh['max']:.0f} ms."
    )


def mirrors(run):
    rows = ["### Mirrors", "", "| at | MariaDB and Redis | |", "|---|---|---|"]
    for at, (when, what) in enumerate(run.cuts):
        said = ""
        if what in ("thawed", "started again"):
            until = run.cuts[at + 1][0] if at + 1 < len(run.cuts) else float("inf")
            begin = run.cuts[at - 1][0]
            lags = [max(lag or 0 for _, lag in one["mirrors"].values()) for one in run.samples if "mirrors" in one and begin <= one["at"] < until]
            level = next((
                one["at"] for one in run.samples
                if "mirrors" in one and one["at"] > when + 2 and all(lag is not None and lag < 5 * run.args.rate and state in ("level", "sending") for state, lag in one["mirrors"].values())
            ), None)
            said = f"greatest lag of a mirror {max(lags, default=0):,} rows; caught up " + (f"{level - when:.0f} s later" if level else "after the run")
        rows.append(f"| {when:,.0f} s | {what} | {said} |")
    return "\n".join(rows)


def memory(run, problems):
    samples, args = run.samples, run.args
    end = samples[-1]["at"]
    edges = [end * part / WINDOWS for part in range(WINDOWS + 1)]
    windows = [[one for one in samples if begin <= one["at"] <= until] for begin, until in zip(edges, edges[1:])]
    stored = lambda key, some: statistics.fmean(one["storage"].get(key, 0) / MIB for one in some if "storage" in one)
    mean = lambda key, some: statistics.fmean(one[key] for one in some)
    rows = [
        "### Memory, files, threads", "", "Means in MiB. The database and the decoded columns are what `store.memory` bounds.", "",
        "| minutes | anonymous | resident | database | decoded columns | open files | threads |", "|---|---|---|---|---|---|---|",
    ]
    for begin, until, some in zip(edges, edges[1:], windows):
        rows.append(
            f"| {begin / 60:.1f}–{until / 60:.1f} | {mean('anon', some):,.0f} | {mean('rss', some):,.0f} | {stored('memory_bytes', some):,.0f} "
            f"| {stored('column_cache_bytes', some):,.0f} | {max(one['files'] for one in some)} | {max(one['threads'] for one in some)} |"
        )
    first, last = windows[HALF], windows[-1]
    more = mean("anon", last) - mean("anon", first)
    growth = 100 * more / mean("anon", first)
    caches = sum(stored(key, last) - stored(key, first) for key in ("memory_bytes", "column_cache_bytes"))
    slope = slope_of([(one["at"] / 3600, one["anon"]) for one in samples if one["at"] >= edges[HALF]])
    judged = edges[HALF] >= WARM_UP
    rows += [
        "",
        f"From the fourth row to the last{WHEN_FULL if judged else NOT_FULL}: {growth:+.1f} % anonymous memory ({more:+,.0f} MiB, of which "
        f"{caches:+,.0f} within `store.memory`), {slope:+,.0f} MiB an hour by least squares. Peak {max(one['peak'] for one in samples):,.0f} MiB resident. "
        f"The data directory has {run.data_bytes / MIB:,.0f} MiB, {run.data_bytes / max(1, run.count):.1f} bytes a line.",
    ]
    if judged and growth > args.limit_growth:
        problems.append(f"anonymous memory grows by {growth:.1f} % in the second half of the run, over {args.limit_growth:g}")
    return "\n".join(rows)


def slope_of(points):
    if len(points) < 2:
        return 0.0
    x, y = zip(*points)
    return statistics.linear_regression(x, y).slope if len(set(x)) > 1 else 0.0


def cpu(run):
    rows = ["### CPU", "", "Percent of one processor, mean of the run.", "", "| " + " | ".join(run.cpu) + " |", "|" + "---|" * len(run.cpu)]
    rows.append("| " + " | ".join(f"{100 * seconds / run.seconds:.0f}" for seconds in run.cpu.values()) + " |")
    return "\n".join(rows)


def replace(path, text):
    """Puts the report between the marks of a file, or at its end."""
    before, _, rest = (path.read_text("utf-8") if path.exists() else "").partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(before + BEGIN + "\n\n" + text + "\n" + END + after, "utf-8")
