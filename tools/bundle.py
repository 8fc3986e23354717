"""A folder from which Casewright installs without a network: wheels, their digests, the SBOM; `just bundle` runs it.

    python tools/bundle.py FOLDER

The packages are those of uv.lock, for this Python and this kind of machine; pip holds each against its digest.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXPORT = ("uv", "export", "--frozen", "--no-dev", "--no-emit-project", "--format", "requirements.txt", "--no-header")
HOW = """Casewright without a network
============================

    sha256sum --check SHA256SUMS
    python3 -m venv casewright
    casewright/bin/pip install --no-index --find-links wheels --require-hashes -r requirements.txt
    casewright/bin/pip install --no-index --no-deps wheels/casewright-*.whl
    casewright/bin/casewright --version

The wheels are for {python} on this kind of machine. sbom.cdx.json lists all of them (CycloneDX).
"""


def main(folder: Path) -> None:
    wheels = folder / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    wheels.mkdir(parents=True)
    requirements = folder / "requirements.txt"
    requirements.write_text(subprocess.run(EXPORT, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    pip = ["uv", "run", "--no-project", "--python", sys.executable, "--with", "pip", "python", "-m", "pip", "download"]
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:", "--no-deps"]
    subprocess.run([*pip, *options, "-r", str(requirements), "-d", str(wheels)], check=True)
    subprocess.run([sys.executable, str(ROOT / "tools" / "wheel_twice.py"), str(wheels)], check=True)
    subprocess.run([sys.executable, str(ROOT / "tools" / "sbom.py"), str(folder / "sbom.cdx.json")], check=True)
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    (folder / "INSTALL.txt").write_text(HOW.format(python=python))
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.name != "SHA256SUMS")
    sums = subprocess.run(["sha256sum", "--", *names], cwd=folder, check=True, capture_output=True, text=True).stdout
    (folder / "SHA256SUMS").write_text(sums)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
