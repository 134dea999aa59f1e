"""Holds the page's packages to scripts/supply_chain/npm.yaml: licences, checksums, scripts at installation, and advisories.

    check_npm.py PACKAGE_LOCK AUDIT

AUDIT is what `npm audit --json` printed. A registry that answers no audits is said, and no error."""

import json
import os
import sys

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))


def wrong_with_packages(packages, rules):
    scripts = {}
    for path, entry in packages.items():
        if not path:
            continue
        name = path.rpartition("node_modules/")[2]
        if not entry.get("integrity", "").startswith("sha512-"):
            yield f"{name}: no SHA-512 in package-lock.json"
        if not entry.get("resolved", "https://registry.npmjs.org/").startswith("https://registry.npmjs.org/"):
            yield f"{name}: not from the npm registry: {entry['resolved']}"
        allowed = rules["licences"] + (rules["tools_licences"] if entry.get("dev") else [])
        exception = rules["exceptions"].get(name, {}).get("licence")
        if entry.get("license") not in [*allowed, exception]:
            yield f"{name}: licence {entry.get('license')}"
        if entry.get("hasInstallScript"):
            scripts[name] = True
    for name in scripts.keys() ^ rules["install_scripts"].keys():
        yield f"{name}: runs a script when it is installed, or npm.yaml says so and it does not"
    for name in rules["exceptions"].keys() - {path.rpartition("node_modules/")[2] for path in packages}:
        yield f"{name}: an exception of npm.yaml that nothing needs"


def advisories(audit):
    """Identifier -> package, severity and title; None where the registry answers no audits."""
    if "vulnerabilities" not in audit:
        return None
    found = {}
    for name, entry in audit["vulnerabilities"].items():
        for via in entry["via"]:
            # A string names another package of this list.
            if isinstance(via, dict):
                found[via["url"].rpartition("/")[2]] = f"{name}: {via['severity']}: {via['title']}"
    return found


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        packages = json.load(file)["packages"]
    with open(sys.argv[2], encoding="utf-8") as file:
        audit = json.load(file)
    with open(os.path.join(HERE, "npm.yaml"), encoding="utf-8") as file:
        rules = yaml.safe_load(file)
    wrong = list(wrong_with_packages(packages, rules))
    found = advisories(audit)
    if found is None:
        said = audit.get("message") or audit.get("error", {}).get("summary") or "no reason given"
        print(f"note: npm audit was NOT done: {said}", file=sys.stderr)
    else:
        wrong += [f"{key}: {found[key]}" for key in found.keys() - rules["advisories"].keys()]
        wrong += [f"{key}: npm no longer names it: remove it from npm.yaml" for key in rules["advisories"].keys() - found.keys()]
    for line in sorted(wrong):
        print(f"error: {line}", file=sys.stderr)
    if wrong:
        sys.exit(1)
    print(f"{len(packages) - 1} packages of the page: licences, checksums and scripts are as npm.yaml says", file=sys.stderr)


main()
