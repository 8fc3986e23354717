"""A cluster of Ray gives the same bytes, brings evidence by its digest, and loses nothing when a node dies."""

import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from casewright.cli.pipeline import PIPELINE
from casewright.engine import parent, ray_cache
from casewright.engine.on_ray import OnRay, is_ray, stays
from casewright.engine.ray_cache import Cache
from casewright.engine.ray_cluster import Cluster
from casewright.engine.ray_worker import Worker
from casewright.engine.units import Inline
from casewright.model.errors import BrokenSeal, Missing
from casewright.vault.case import Case
from casewright.vault.twin import Twin
from tests.command import casewright
from tests.engine import nodes
from tests.engine.slow_words import PONDERED
from tests.engine.test_runner import fill, run_all, runner, tree
from tests.engine.toys import COUNT

needs_ray = [
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: uv sync --extra ray"),
    pytest.mark.filterwarnings("default"),  # Ray's own
]
parent.PRELOAD.append("tests.engine.toys")
HOLDER = """
import sys, time
from pathlib import Path
from casewright.engine.ray_cache import hold
hold(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def needs(test: Any) -> Any:
    for mark in needs_ray:
        test = mark(test)
    return test


def emptied(case: Case) -> dict[str, str]:
    """What the tables were, which are gone now."""
    before = tree(case.tables)
    shutil.rmtree(case.tables)
    case.tables.mkdir()
    return before


@needs
def test_a_cluster_gives_the_same_bytes_and_takes_no_evidence_with_another_digest(case: Case, tmp_path: Path) -> None:
    fill(case, tmp_path, *(b"word %d" % i for i in range(7)), b"segfault", b"broken")
    run_all(case, Inline())
    expected = emptied(case)
    with OnRay("ray:2") as engine:
        run_all(case, engine)
        assert tree(case.tables) == expected
        assert engine.done.total() == 7  # two exhibits, five pairs of words, their count
        fill(case, tmp_path, b"amphora", b"krater")
        sealed = case.store.path_of(hashlib.sha256(b"krater").hexdigest())
        sealed.chmod(0o644)
        sealed.write_bytes(b"kraken")
        with pytest.raises(BrokenSeal, match=f"sealed bytes {sealed.parent.name}{sealed.name} reached the worker"):
            run_all(case, engine)


def test_an_engine_that_is_a_cluster_is_known_by_its_name() -> None:
    names = (
        "ray",
        "ray:2",
        "ray:10.0.0.1:6379",
        "ray://[fd00::1]:10001",
        "rays",
        "ray:two",
        "ray://10.0.0.1",
        "inline",
    )
    assert [is_ray(name) for name in names] == [True] * 4 + [False] * 4


def test_only_stages_that_cannot_go_stay_where_the_case_lies() -> None:
    assert [s.name for s in PIPELINE if stays(s, 2)] == [
        "items", "blocks", "payments", "change", "clusters", "heuristics_measured", "trace"
    ]  # fmt: skip
    assert all(stays(s, 1) for s in PIPELINE if s.streams)


def test_without_ray_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Missing, match=r"pip install 'casewright\[ray\]'"):
        Cluster("", 1)


def test_a_cache_keeps_nothing_whose_digest_is_another(tmp_path: Path) -> None:
    cache = Cache(tmp_path, lambda sha256: ("a bucket", iter([b"kra", b"ken"])))
    with pytest.raises(BrokenSeal, match=f"sealed bytes {'0' * 64} reached the worker"):
        cache.open("0" * 64)
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and p.stat().st_size]
    with cache.open(hashlib.sha256(b"kraken").hexdigest()) as file:
        assert file.read() == b"kraken"


def test_a_worker_that_reaches_the_twin_reads_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ray_cache.FOLDER, str(tmp_path))
    krater, kylix = (hashlib.sha256(word).hexdigest() for word in (b"krater", b"kylix"))
    twin = Twin(f"file://{tmp_path}/share")
    for sha256, word in ((krater, b"krater"), (kylix, b"kraken")):
        with pytest.raises(BrokenSeal) if word == b"kraken" else nullcontext():
            twin.put(sha256, io.BytesIO(word), len(word))
    worker = Worker("run", None, twin.url)
    with worker.cache.open(krater) as file:
        assert file.read() == b"krater"
    with pytest.raises(BrokenSeal, match=f"sealed bytes {kylix} reached the worker .* from {twin.place(kylix)}"):
        worker.cache.open(kylix)


def test_a_full_cache_lets_go_of_what_came_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, lambda sha256: ("a bucket", iter([])), most=1000)
    words = [bytes([n]) * 200 for n in range(8)]
    for word in words:
        cache.take(hashlib.sha256(word).hexdigest(), [word], "came")
        time.sleep(0.01)
    assert sum(cache.has(hashlib.sha256(word).hexdigest()) for word in words) <= 5
    assert cache.has(hashlib.sha256(words[-1]).hexdigest())


def test_what_a_killed_run_left_on_a_worker_goes_when_the_next_begins(tmp_path: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path / name], stdout=PIPE) for name in ("a", "b")]
    for one in running:
        assert one.stdout
        one.stdout.readline()
    (tmp_path / "a" / "krater").write_bytes(b"krater")
    running[0].kill()
    running[0].wait()
    os.close(ray_cache.hold(tmp_path / "c"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b", "c"]
    running[1].kill()
    for one in running:
        one.communicate()


def test_no_evidence_is_put_where_others_could_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ray_cache.FOLDER, str(tmp_path))
    ray_cache.own_folder().chmod(0o755)
    with pytest.raises(Missing, match="is not yours alone"):
        ray_cache.own_folder()


@needs
@pytest.mark.slow
@pytest.mark.skipif(not nodes.can_be_made(), reason="making network namespaces takes root and iproute2")
def test_a_machine_that_dies_costs_only_its_units(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(case, tmp_path, *(b"word %d" % i for i in range(60)), b"segfault", b"broken")
    stages = (PONDERED, COUNT)
    with case.writing():
        runner(case, Inline(), stages).run(["count"])
    expected = emptied(case)
    monkeypatch.setenv("RAY_AUTH_TOKEN", nodes.TOKEN)
    with nodes.two_machines(tmp_path) as machines:
        with OnRay(nodes.NODES) as engine, case.writing():
            at_work = runner(case, engine, stages)
            at_work.watch = lambda p: machines.kill_the_other() if (p.stage, p.done) == ("words", 20) else None
            at_work.run(["count"])
        assert tree(case.tables) == expected
        there, here = (sum(n for name, n in engine.done.items() if at in name) for at in (nodes.THERE, nodes.HERE))
        assert 0 < there < 30 < here
        assert there + here + engine.done_here.total() == 64
        emptied(case)
        with OnRay(nodes.CLIENTS) as engine, case.writing():
            runner(case, engine, stages).run(["count"])
        assert tree(case.tables) == expected
        assert engine.done.total() == 64
        assert not list((machines.caches[0] / f"casewright-cache-{os.getuid()}").iterdir())


@needs
@pytest.mark.slow
@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_run_that_is_stopped_leaves_no_process_and_goes_on(copy: Path, sign: signal.Signals, code: int) -> None:
    expected = tables_of(copy)
    shutil.rmtree(copy / "tables")
    command = [sys.executable, "-m", "casewright", "run", str(copy), "--on", "ray:1"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": "/tmp"})
    assert running.stderr
    for line in running.stderr:
        if line.startswith("selectors:"):
            break
    running.send_signal(sign)
    running.communicate()
    assert running.returncode == code
    for _ in range(100):
        left = [p for p in Path("/proc").glob("[0-9]*/cmdline") if _mentions(p, f"cw-ray-{os.getuid()}")]
        if not left:
            break
        time.sleep(0.1)
    assert not left
    assert casewright("run", str(copy), "--on", "inline").returncode == 3
    assert tables_of(copy) == expected


def _mentions(path: Path, word: str) -> bool:
    try:
        return word.encode() in path.read_bytes()
    except OSError:  # it has ended
        return False


def tables_of(case: Path) -> dict[str, str]:
    return {k: v for k, v in tree(case / "tables").items() if not k.startswith(".")}


@needs
@pytest.mark.slow
@pytest.mark.parametrize("on", ["inline", "ray:2"])
def test_every_stage_of_the_demo_gives_the_same_bytes_on_every_engine(copy: Path, on: str) -> None:
    expected = tables_of(copy)  # made by processes
    shutil.rmtree(copy / "tables")
    done = casewright("run", str(copy), "--on", on)
    assert done.returncode == 3, done.stderr
    assert tables_of(copy) == expected
    if on != "inline":
        assert "blocks: ran where the case lies, because it works in pieces" in done.stderr
