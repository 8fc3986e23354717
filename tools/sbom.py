"""What an installation of Casewright consists of, as CycloneDX 1.5; `just sbom` runs it.

    python tools/sbom.py [FILE]      (dist/sbom.cdx.json)

uv tells the locked packages with their files' digests and who needs whom; their licences come from the packages' own
metadata as installed here; what is vendored is added with the digest of its file. The same lock gives the same bytes:
no time, and a serial number made of the content.
https://cyclonedx.org/docs/1.5/json/
"""

import hashlib
import json
import re
import subprocess
import sys
import uuid
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "dist" / "sbom.cdx.json"
STATIC = Path("src/casewright/review/static")
VENDORED = (
    ("htmx.org", "2.0.11", "0BSD", STATIC / "vendor" / "htmx.min.js"),
    ("cytoscape", "3.35.0", "MIT", STATIC / "vendor" / "cytoscape.min.js"),
    ("world-atlas", "2.0.2", "ISC", Path("src/casewright/review/world.json")),
)
EXPORT = ("uv", "export", "--frozen", "--no-dev", "--no-emit-project", "--format", "cyclonedx1.5")
LICENCES = {"Apache Software License": "Apache-2.0", "MIT License": "MIT", "BSD License": "BSD",
            "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
            "Python Software Foundation License": "PSF-2.0"}  # fmt: skip
UNTOLD = {"pyrage": "MIT"}
"""Whose metadata says nothing: as their repositories do."""
LONG = 60
"""Characters beyond which a licence field holds the text itself, not a name."""


def made() -> str:
    told = subprocess.run(EXPORT, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found: dict[str, Any] = json.loads(told)
    version = found["metadata"]["component"]["version"]
    for one in found["components"]:
        if licence := licence_of(one["name"]):
            one["licenses"] = [{"license": {"name": licence}}]
    found["components"] += [_vendored(*one) for one in VENDORED]
    root = found["metadata"]["component"] | {"licenses": [{"license": {"id": "Apache-2.0"}}]}
    found["metadata"] = {"component": root}
    del found["serialNumber"]
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"casewright {version} {json.dumps(found, sort_keys=True)}")
    return json.dumps({"serialNumber": f"urn:uuid:{number}", **found}, indent=1, sort_keys=True) + "\n"


def licence_of(name: str) -> str:
    """As the package's metadata says it; empty when it is not installed here (it belongs to another platform)."""
    if name in UNTOLD:
        return UNTOLD[name]
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return ""
    said = about.get("License-Expression") or about.get("License") or ""
    if said and len(said) <= LONG:
        return str(said).strip()
    classified = [c.split(" :: ")[-1] for c in about.get_all("Classifier") or () if c.startswith("License ::")]
    first = re.split(r"[\n.]", said.strip())[0][:LONG]
    return " AND ".join(LICENCES.get(c, c) for c in classified) or first


def _vendored(name: str, version: str, licence: str, path: Path) -> dict[str, Any]:
    digest = hashlib.sha256((ROOT / path).read_bytes()).hexdigest()
    return {"type": "library", "bom-ref": f"{name}@{version}", "name": name, "version": version,
            "purl": f"pkg:npm/{name}@{version}", "licenses": [{"license": {"id": licence}}],
            "hashes": [{"alg": "SHA-256", "content": digest}],
            "properties": [{"name": "casewright:vendored", "value": path.as_posix()}]}  # fmt: skip


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(made(), "utf-8")
