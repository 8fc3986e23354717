"""What is installed is what was locked, a wheel is the same wherever it is built, and none of it needs a network."""

import hashlib
import json
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERBS = """
import sys
from casewright.cli.app import run_app
OURS = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
def watch(event, arguments):
    if event in OURS and not (event in ("socket.connect", "socket.bind") and isinstance(arguments[1], (str, bytes))):
        sys.stderr.write(f"NETWORK {event} {arguments}\\n")
sys.addaudithook(watch)
case, source = sys.argv[1:]
codes = [run_app(["new", case, "--title", "T", "--agency", "A", "--examiner", "E"]), run_app(["intake", case, source]),
         run_app(["status", case]), run_app(["verify", case])]
sys.exit(0 if codes == [0, 0, 0, 0] else 1)
"""


@cache
def why_not() -> str:
    """Why no namespace without a network can be had; empty when it can."""
    try:
        tried = subprocess.run(["unshare", "-rn", "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unshare (util-linux) is not installed"
    return f"no network namespace can be made here: {tried.stderr.strip()}" if tried.returncode else ""


without_network = pytest.mark.skipif(bool(why_not()), reason=why_not())


def alone(*command: str | Path, **where: Path) -> subprocess.CompletedProcess[str]:
    """A program on a machine that has no network at all, not even to itself."""
    return subprocess.run(
        ["unshare", "-rn", *map(str, command)], capture_output=True, text=True, check=False, cwd=where.get("cwd")
    )


def test_the_list_of_parts_names_every_locked_package_with_its_digests_and_is_the_same_twice(tmp_path: Path) -> None:
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    for file in files:
        subprocess.run([sys.executable, ROOT / "tools" / "sbom.py", file], check=True)
    assert files[0].read_bytes() == files[1].read_bytes()
    found = json.loads(files[0].read_bytes())
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.5")
    parts = {part["name"]: part for part in found["components"]}
    lock = {p["name"]: p for p in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    wanted = {need["name"] for need in lock["casewright"]["dependencies"]}
    assert wanted <= parts.keys()
    assert {"htmx.org", "cytoscape"} <= parts.keys()
    for name, part in parts.items():
        told = {h["content"] for r in part.get("externalReferences", [part]) for h in r["hashes"]}
        locked = {wheel["hash"].removeprefix("sha256:") for wheel in lock.get(name, {}).get("wheels", [])}
        assert told >= locked
        assert told
        assert part.get("licenses") or name in ("colorama",), name


def test_vendored_programs_are_those_of_the_list(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "tools" / "sbom.py", tmp_path / "s.json"], check=True)
    readme = (ROOT / "src/casewright/review/static/vendor/README.md").read_text()
    for part in json.loads((tmp_path / "s.json").read_bytes())["components"]:
        if "properties" in part and part["purl"].startswith("pkg:npm"):
            assert f"{part['name']} {part['version']}" in readme
            path = ROOT / part["properties"][0]["value"]
            assert hashlib.sha256(path.read_bytes()).hexdigest() == part["hashes"][0]["content"]


@without_network
def test_verbs_ask_for_no_network_and_need_none(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")
    done = alone(sys.executable, "-c", VERBS, tmp_path / "case", tmp_path / "note.txt")
    assert done.returncode == 0, done.stderr
    assert "NETWORK" not in done.stderr


@without_network
@pytest.mark.slow
def test_the_whole_demonstration_runs_without_a_network(tmp_path: Path) -> None:
    done = alone(sys.executable, "-m", "casewright", "demo", tmp_path / "case", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["as_the_truth"] is True


@pytest.mark.slow
def test_a_wheel_is_the_same_wherever_and_whenever_it_is_built() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "wheel_twice.py"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "the same"), done.stderr


@without_network
@pytest.mark.slow
def test_the_bundle_installs_on_a_machine_without_a_network(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    subprocess.run([sys.executable, ROOT / "tools" / "bundle.py", bundle], check=True)
    lines = [line.strip() for line in (bundle / "INSTALL.txt").read_text().splitlines() if line.startswith("    ")]
    assert len(lines) == 5
    done = alone("bash", "-ec", "\n".join(lines), cwd=bundle)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("casewright ")
    casewright = bundle / "casewright" / "bin" / "casewright"
    shown = alone(casewright, "demo", tmp_path / "case", "--json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["as_the_truth"] is True
    assert alone(casewright, "verify", tmp_path / "case").returncode == 0


def test_a_bundle_whose_packages_cannot_be_fetched_says_so(tmp_path: Path) -> None:
    fetcher = tmp_path / "uv"
    fetcher.write_text('#!/bin/sh\n[ "$1" = export ] && exit 0\necho "no route to the index"\nexit 1\n')
    fetcher.chmod(0o755)
    bundle = [sys.executable, str(ROOT / "tools" / "bundle.py"), str(tmp_path / "bundle")]
    done = subprocess.run(
        bundle, capture_output=True, text=True, check=False, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}
    )
    assert done.returncode == 1
    assert done.stdout.count("no route to the index") == 3
    assert "run it again" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "bundle" / "SHA256SUMS").exists()
