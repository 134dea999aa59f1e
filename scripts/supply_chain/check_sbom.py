"""Checks a bill of materials: the CycloneDX schema, its own references, and that it names what cargo and npm name.

    check_sbom.py BILL CARGO_TREE NPM_BILL

CARGO_TREE is `cargo tree` of the program, one crate a line; NPM_BILL is `npm sbom` of the page and its tools."""

import json
import re
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def wrong_with(text, tree, npm):
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error is not None:
        yield f"not CycloneDX 1.6: {error}"
        return
    bill = json.loads(text)
    components = bill["components"] + [bill["metadata"]["component"]]
    refs = [component["bom-ref"] for component in components]
    if len(refs) != len(set(refs)):
        yield "a component is there twice"
    named = {ref for entry in bill["dependencies"] for ref in [entry["ref"], *entry["dependsOn"]]}
    yield from (f"the graph and the list differ: {ref}" for ref in named ^ set(refs))
    for component in components:
        if "licenses" not in component:
            yield f"no licence: {component['purl']}"
        of_ours = component["name"].startswith("platewatch") or component["purl"].startswith("pkg:github/")
        if "hashes" not in component and not of_ours:
            yield f"no hash: {component['purl']}"
    crates = {f"{c['name']} {c['version']}" for c in components if c["purl"].startswith("pkg:cargo/")}
    known = {" ".join(match) for match in re.findall(r"^(\S+) v(\S+)", tree, re.MULTILINE)}
    yield from (f"cargo tree and the bill differ: {crate}" for crate in crates ^ known)
    packages = {c["purl"] for c in components if c["purl"].startswith("pkg:npm/")}
    told = json.loads(npm)
    of_npm = {c["purl"] for c in [*told["components"], told["metadata"]["component"]]}
    yield from (f"npm and the bill differ: {purl}" for purl in packages ^ of_npm)


def main():
    texts = []
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    found = list(wrong_with(*texts))
    for line in found:
        print(f"error: {line}", file=sys.stderr)
    if found:
        sys.exit(1)
    components = json.loads(texts[0])["components"]
    required = sum(component["scope"] == "required" for component in components)
    print(f"{len(components)} components, of which {required} run and {len(components) - required} only build", file=sys.stderr)


main()
