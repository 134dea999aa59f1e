#!/usr/bin/env python3
"""Makes a Python wheel around a built program: `pip install` puts it beside Python's own commands.

    wheel.py PROGRAM DOCS VERSION FOLDER

DOCS is a folder with the licence, the bill of materials and what else belongs to the program. The platform in the wheel's name
is computed from the versions of symbols that the program asks of the machine's libraries (PEP 600). Libraries that the
platform does not promise are put into the wheel, with their licences, and named in its bill of materials. Python is not
needed to run the program. The same input gives the same bytes."""

import base64
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile

# Of auditwheel's manylinux-policy.json: libraries that every platform has, and the newest symbols by platform.
PROMISED = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libresolv.so.2", "libgcc_s.so.1",
            "libstdc++.so.6", "libz.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
# glibc, then GLIBCXX, CXXABI, GCC and ZLIB.
PLATFORMS = [
    ("2.17", "3.4.19", "1.3.7", "4.8.0", "1.2.5.2"),
    ("2.24", "3.4.22", "1.3.10", "4.8.0", "1.2.5.2"),
    ("2.27", "3.4.24", "1.3.11", "7.0.0", "1.2.9"),
    ("2.28", "3.4.24", "1.3.11", "7.0.0", "1.2.9"),
    ("2.31", "3.4.28", "1.3.12", "7.0.0", "1.2.9"),
    ("2.34", "3.4.29", "1.3.13", "7.0.0", "1.2.9"),
    ("2.35", "3.4.30", "1.3.13", "12.0.0", "1.2.9"),
    ("2.36", "3.4.30", "1.3.13", "12.0.0", "1.2.9"),
    ("2.38", "3.4.30", "1.3.13", "12.0.0", "1.2.12"),
    ("2.39", "3.4.33", "1.3.15", "14.0.0", "1.2.12"),
    ("2.41", "3.4.33", "1.3.15", "14.0.0", "1.2.12"),
]
FAMILIES = ("GLIBC", "GLIBCXX", "CXXABI", "GCC", "ZLIB")


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def number(version):
    return [int(part) for part in version.split(".")]


# --- what a program asks for -----------------------------------------------------------------------------------------------


def needed(path):
    return re.findall(r"^  NEEDED\s+(\S+)", run("objdump", "-p", path), re.MULTILINE)


def symbols(path):
    """The newest version of each family that is asked of a library that every platform has."""
    newest, library = {}, None
    for line in run("objdump", "-p", path).splitlines():
        if line.startswith("  required from "):
            library = line.split()[-1].rstrip(":")
        asked = re.match(r"    0x\w+ 0x\w+ \d+ (\S+)$", line)
        if asked and library in PROMISED:
            # Relative relocations in short: a glibc that reads them has this name.
            family, _, version = asked.group(1).replace("GLIBC_ABI_DT_RELR", "GLIBC_2.36").partition("_")
            if not re.fullmatch(r"[\d.]+", version):
                raise SystemExit(f"error: {path} asks for {asked.group(1)} of {library}, which no platform promises")
            newest[family] = max(newest.get(family, "0"), version, key=number)
    return newest


def tag(paths):
    asked = {}
    for path in paths:
        for family, version in symbols(path).items():
            asked[family] = max(asked.get(family, "0"), version, key=number)
    unknown = asked.keys() - set(FAMILIES)
    if unknown:
        raise SystemExit(f"error: symbols of an unknown family: {', '.join(sorted(unknown))}")
    for limits in PLATFORMS:
        if all(number(asked.get(family, "0")) <= number(limit) for family, limit in zip(FAMILIES, limits)):
            return f"manylinux_{limits[0].replace('.', '_')}_{platform.machine()}"
    raise SystemExit(f"error: no manylinux platform has {asked}: build on an older distribution")


def located(program):
    return dict(re.findall(r"^\s*(\S+) => (/\S+)", run("ldd", program), re.MULTILINE))


def to_bundle(program):
    """Libraries that the program and these libraries need and that no platform promises: name and file."""
    places, found, open_ = located(program), {}, [program]
    while open_:
        for name in needed(open_.pop()):
            if name in PROMISED or name in found:
                continue
            if name not in places:
                raise SystemExit(f"error: {name} is not on this machine")
            found[name] = os.path.realpath(places[name])
            open_.append(found[name])
    return found


def origin(library):
    """Package, version and file of the licence, by the distribution whose library it is."""
    if shutil.which("dpkg-query"):
        for path in (library, library.removeprefix("/usr")):
            asked = subprocess.run(["dpkg-query", "--search", path], capture_output=True, text=True)
            if asked.returncode == 0:
                package = asked.stdout.split(":")[0]
                version = run("dpkg-query", "--show", "--showformat=${Version}", package)
                return package, version, f"/usr/share/doc/{package}/copyright"
    raise SystemExit(f"error: {library} would have to be put into the wheel, and no package of Debian owns it: build the program with"
                     " --no-default-features --features static-openssl")


# --- the wheel -------------------------------------------------------------------------------------------------------------


def metadata(version, docs):
    return f"""Metadata-Version: 2.4
Name: platewatch
Version: {version}
Summary: Real-time expressway monitoring and cloned-plate early warning in one binary
License-Expression: Apache-2.0
{"".join(f"License-File: {name}" + chr(10) for name in docs)}Project-URL: Source, https://github.com/platewatch/platewatch
Classifier: Environment :: Web Environment
Classifier: Operating System :: POSIX :: Linux
Classifier: Programming Language :: Rust
Description-Content-Type: text/markdown

`platewatch demo` opens simulated traffic with cloned plates at http://127.0.0.1:5000; `platewatch --help` lists the rest.
This is the whole program; it needs no Python once it is installed. Kerberos for Kafka is not in it.
"""


def with_libraries(bill, libraries):
    """The bill of materials with what the wheel has besides the program."""
    made = json.loads(bill)
    top = made["metadata"]["component"]["bom-ref"]
    graph = next(entry for entry in made["dependencies"] if entry["ref"] == top)
    for package, version in sorted({(package, version) for package, version, _ in libraries.values()}):
        purl = f"pkg:deb/debian/{package}@{version}?arch={run('dpkg', '--print-architecture').strip()}"
        made["components"].append({"type": "library", "bom-ref": purl, "name": package, "version": version, "scope": "required", "purl": purl})
        made["dependencies"].append({"ref": purl, "dependsOn": []})
        graph["dependsOn"].append(purl)
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def entries(program, docs, version, scratch):
    """Each file of the wheel: its name there, its content, whether it is run."""
    bundled = to_bundle(program)
    libraries = {name: origin(path) for name, path in bundled.items()}
    copy = shutil.copy(program, os.path.join(scratch, "platewatch"))
    data, info = f"platewatch-{version}.data", f"platewatch-{version}.dist-info"
    files = {}
    if bundled:
        # pip puts scripts into bin/ and data beside it, wherever it installs.
        run("patchelf", "--set-rpath", "$ORIGIN/../lib/platewatch", copy)
    for name, path in bundled.items():
        of_wheel = shutil.copy(path, os.path.join(scratch, name))
        run("patchelf", "--set-rpath", "$ORIGIN", of_wheel)
        files[f"{data}/data/lib/platewatch/{name}"] = (of_wheel, True)
    files[f"{data}/scripts/platewatch"] = (copy, True)
    platform_tag = tag([path for path, _ in files.values()])
    made = {name: (read(path), run_) for name, (path, run_) in files.items()}
    licences = {"LICENSE": read(os.path.join(docs, "LICENSE"))}
    for package, _, licence in libraries.values():
        licences[f"{package}.copyright"] = read(licence)
    for name, text in licences.items():
        made[f"{info}/licenses/{name}"] = (text, False)
    made[f"{info}/BUILD"] = (read(os.path.join(docs, "BUILD")), False)
    bill = with_libraries(read(os.path.join(docs, "platewatch.cdx.json")), libraries)
    made[f"{info}/sboms/platewatch.cdx.json"] = (bill.encode(), False)
    made[f"{info}/METADATA"] = (metadata(version, licences).encode(), False)
    wheel = f"Wheel-Version: 1.0\nGenerator: platewatch scripts/package\nRoot-Is-Purelib: false\nTag: py3-none-{platform_tag}\n"
    made[f"{info}/WHEEL"] = (wheel.encode(), False)
    # Shells look for completions and man pages below share/, beside bin/.
    for folder, _, names in os.walk(os.path.join(docs, "share")):
        for name in names:
            path = os.path.join(folder, name)
            made[f"{data}/data/{os.path.relpath(path, docs)}"] = (read(path), False)
    return made, info, platform_tag


def read(path):
    with open(path, "rb") as file:
        return file.read()


def record(made, info):
    lines = []
    for name, (content, _) in made.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(content)}\n")
    return "".join(lines) + f"{info}/RECORD,,\n"


def main():
    program, docs, version, folder = sys.argv[1:]
    moment = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", "315532800")), 315532800))[:6]
    with tempfile.TemporaryDirectory() as scratch:
        made, info, platform_tag = entries(program, docs, version, scratch)
    made[f"{info}/RECORD"] = (record(made, info).encode(), False)
    path = os.path.join(folder, f"platewatch-{version}-py3-none-{platform_tag}.whl")
    with zipfile.ZipFile(path, "w") as archive:
        for name, (content, run_) in made.items():
            entry = zipfile.ZipInfo(name, moment)
            entry.external_attr = (0o100755 if run_ else 0o100644) << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 6)
    print(path)


main()
