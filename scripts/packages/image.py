#!/usr/bin/env python3
"""Runs the steps of the last stage of deploy/image/Dockerfile in a bare root, for machines without a builder of images.

    image.py DOCKERFILE ROOT FIRST_STAGE INSIDE...

FIRST_STAGE is the folder that the stage `build` leaves; `INSIDE... COMMAND` runs a command in the root. Prints as JSON what the
image starts: entrypoint, command, user and folder. An instruction that it does not know is an error."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys


def instructions(path):
    with open(path, encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("#")]
    text = re.sub(r"\\\n", " ", "".join(lines))
    split = [line.split(None, 1) for line in text.splitlines() if line.strip()]
    stages = [number for number, (name, _) in enumerate(split) if name == "FROM"]
    if len(stages) < 2:
        raise SystemExit("error: the image is not built in stages")
    return split[stages[-1]:]


def copy(words, first_stage, root):
    source, target = words[-2:]
    if words[:-2] != ["--from=build"]:
        raise SystemExit(f"error: a step that cannot be run here: COPY {shlex.join(words)}")
    shutil.copytree(first_stage + source, root + target, dirs_exist_ok=True, symlinks=True)


def main():
    dockerfile, root, first_stage, *inside = sys.argv[1:]
    image = {"entrypoint": [], "command": [], "user": "0:0", "folder": "/"}
    for name, rest in instructions(dockerfile):
        if name == "RUN":
            subprocess.run([*inside, "sh", "-c", rest], check=True, stdout=sys.stderr)
        elif name == "COPY":
            copy(shlex.split(rest), first_stage, root)
        elif name == "USER":
            image["user"] = rest.strip()
        elif name == "WORKDIR":
            image["folder"] = rest.strip()
            os.makedirs(root + image["folder"], exist_ok=True)
        elif name in ("ENTRYPOINT", "CMD"):
            image["entrypoint" if name == "ENTRYPOINT" else "command"] = json.loads(rest)
        elif name == "FROM":
            if not re.fullmatch(r"debian:12(\.\d+)?-slim", rest.strip()):
                raise SystemExit(f"error: the root here is Debian 12, and the image is made from {rest}")
        elif name not in ("ARG", "LABEL", "EXPOSE"):
            raise SystemExit(f"error: a step that cannot be run here: {name}")
    print(json.dumps(image))


main()
