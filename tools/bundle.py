"""A folder from which Casewright installs without a network: wheels, their digests, the SBOM; `just bundle` runs it.

    python tools/bundle.py FOLDER

The packages are those of uv.lock, for this Python and this kind of machine; pip holds each against its digest. It says
which one it fetches, waits for none for ever, and is asked again when it fails: what it fetched once is in its cache.
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


TRIES, MINUTES = 3, 10
"""How often pip is asked for all packages (300 MB), and how long it may take each time."""


def download(requirements: Path, wheels: Path) -> None:
    """Wheels for all that is required. Ends the program with a sentence when they cannot be had."""
    pip = ["uv", "run", "--no-project", "--python", sys.executable, "--with", "pip", "python", "-m", "pip", "download"]
    options = ["--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary", ":all:",
               "--progress-bar", "off", "--retries", "5", "--timeout", "30"]  # fmt: skip
    for number in range(1, TRIES + 1):
        try:
            subprocess.run([*pip, *options, "-r", requirements, "-d", wheels], check=True, timeout=60 * MINUTES)
            return
        except subprocess.TimeoutExpired:
            print(f"pip was not done after {MINUTES} minutes ({number} of {TRIES} times).", file=sys.stderr)
        except subprocess.CalledProcessError as error:
            print(f"pip failed with exit code {error.returncode} ({number} of {TRIES} times).", file=sys.stderr)
    sys.exit("The wheels could not be fetched; pip says above which. What was fetched is in pip's cache: run it again.")


def main(folder: Path) -> None:
    wheels = folder / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    wheels.mkdir(parents=True)
    requirements = folder / "requirements.txt"
    requirements.write_text(subprocess.run(EXPORT, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    download(requirements, wheels)
    subprocess.run([sys.executable, str(ROOT / "tools" / "wheel_twice.py"), str(wheels)], check=True)
    subprocess.run([sys.executable, str(ROOT / "tools" / "sbom.py"), str(folder / "sbom.cdx.json")], check=True)
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    (folder / "INSTALL.txt").write_text(HOW.format(python=python))
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.name != "SHA256SUMS")
    sums = subprocess.run(["sha256sum", "--", *names], cwd=folder, check=True, capture_output=True, text=True).stdout
    (folder / "SHA256SUMS").write_text(sums)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
