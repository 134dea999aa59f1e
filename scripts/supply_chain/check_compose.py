"""Holds deploy/compose/compose.yaml to what its README promises of every service, and to the Compose specification.

    check_compose.py COMPOSE_FILE"""

import re
import sys

import compose_spec
import yaml

# Runs once and ends: there is nothing to ask whether it is well.
ONCE = {"kafka-topic"}
EXACT = re.compile(r"^[\w./-]+:\d+\.\d+(\.\d+)?([\w.-]*)$")


def wrong_with(service, name):
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add"):
        yield "it keeps capabilities: cap_drop: [ALL]"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "it may gain rights: security_opt: no-new-privileges:true"
    if service.get("read_only") is not True:
        yield "its root filesystem can be written: read_only: true"
    if service.get("user", "root").split(":")[0] in ("root", "0"):
        yield "it runs as root: user"
    for key in ("privileged", "network_mode", "pid", "ipc", "devices", "userns_mode"):
        if service.get(key):
            yield f"{key} takes away what separates it from the machine"
    for key in ("pids_limit", "mem_limit"):
        if not service.get(key):
            yield f"no {key}"
    for port in service.get("ports", []):
        if not str(port).startswith("127.0.0.1:"):
            yield f"port {port} is open to other machines"
    if not EXACT.match(service.get("image", "")):
        yield f"image {service.get('image')} names no exact version"
    if name not in ONCE and "test" not in service.get("healthcheck", {}):
        yield "no healthcheck"
    for mount in service.get("tmpfs", []):
        if "mode=" not in mount:
            yield f"tmpfs {mount} names no mode"
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith((".", "/")) and not volume.endswith(":ro"):
            yield f"volume {volume}: files of the machine are for reading"
        if "docker.sock" in volume:
            yield "it rules Docker"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    compose = yaml.safe_load(text)
    compose_spec.ComposeSpecification.model_validate(compose)
    wrong = [f"{name}: {what}" for name, service in compose["services"].items() for what in wrong_with(service, name)]
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    if wrong:
        sys.exit(1)
    print(f"{len(compose['services'])} services of compose: confined, on loopback, of exact versions", file=sys.stderr)


main()
