"""A case's bytes on shared storage: the same digests there, nothing overwritten, nothing taken that is another."""

import hashlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import obstore
import pytest
from obstore.store import from_url

from casewright.engine import mirror
from casewright.engine.mirror import Mirrored
from casewright.engine.units import Inline
from casewright.engine.verify import verify_case
from casewright.model.errors import BrokenSeal, Missing
from casewright.model.settings import CaseSettings
from casewright.vault.case import Case
from tests.command import casewright, in_process
from tests.engine.test_runner import fill, run_all, tree
from tests.vault.s3 import BUCKET, s3_server

KILLED = """
import os, signal, sys
from pathlib import Path
from casewright.engine import mirror
from casewright.vault.case import Case
mirror.push(Case(Path(sys.argv[1])), lambda looked, of: looked > 2 and os.kill(os.getpid(), signal.SIGKILL))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    if find_spec("moto") is None:
        pytest.skip("moto is not installed")
    with s3_server(tmp_path_factory.mktemp("s3")) as settings:
        yield settings


@pytest.fixture(params=["s3", "folder"])
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    """A case of three words and their tables, with a twin on either kind of storage."""
    url = f"file://{tmp_path}/share/unit"
    if request.param == "s3":
        for name, value in request.getfixturevalue("server").items():
            monkeypatch.setenv(name, value)
        url = f"{BUCKET}/{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:8]}"
    about = CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example")
    made = Case.create(tmp_path / "case", about, twin=url)
    fill(made, tmp_path, b"amphora", b"krater", b"kylix")
    run_all(made, Inline())
    return made


def done(case: Case, work: Callable[..., Mirrored]) -> Mirrored:
    with case.writing():
        return work(case, lambda looked, of: None)


def there(case: Case) -> dict[str, bytes]:
    """All that lies at the twin."""
    store = from_url(case.settings.store.twin)
    found = [one["path"] for some in obstore.list(store) for one in some]
    return {path.replace("/", ""): bytes(obstore.get(store, path).bytes()) for path in found}


def spoil(case: Case, content: bytes, instead: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    obstore.put(from_url(case.settings.store.twin), f"{sha256[:2]}/{sha256[2:]}", instead)
    return sha256


def test_all_bytes_of_a_case_lie_at_its_twin_under_their_digests_and_come_back(case: Case, tmp_path: Path) -> None:
    first, again = done(case, mirror.push), done(case, mirror.push)
    assert first.brought == len(there(case)) == again.there
    assert (first.there, again.brought, first.wrong, again.wrong) == (0, 0, [], [])
    assert all(hashlib.sha256(raw).hexdigest() == name for name, raw in there(case).items())
    assert done(case, mirror.check).there == first.brought
    before = tree(case.tables)
    for folder in ("store", "tables"):
        shutil.rmtree(case.root / folder)
        (case.root / folder).mkdir()
    assert done(case, mirror.pull).wrong == []
    assert {k: v for k, v in tree(case.tables).items() if not k.startswith(".")} == before
    assert {c.state for c in verify_case(case)} == {"holds"}
    assert sorted(case.store.objects()) == sorted(set(case.store.objects()) & there(case).keys())


def test_a_run_brings_what_the_case_lacks_by_itself(case: Case) -> None:
    done(case, mirror.push)
    before = tree(case.tables)
    krater = case.store.path_of(hashlib.sha256(b"krater").hexdigest())
    krater.unlink()
    checks = {c.what: c for c in verify_case(case)}
    assert {c.state for c in checks.values()} == {"holds"}
    assert checks["twin"].detail.startswith("1 files are not here; they were read at")
    assert not krater.exists()
    shutil.rmtree(case.tables)
    case.tables.mkdir()
    run_all(case, Inline())
    assert tree(case.tables) == before
    assert krater.read_bytes() == b"krater"


def test_a_changed_object_is_told_and_never_used(case: Case) -> None:
    done(case, mirror.push)
    sha256 = spoil(case, b"krater", b"kraken")
    assert f"{sha256[2:]}: bytes were changed" in done(case, mirror.check).wrong[0]
    case.store.path_of(sha256).unlink()
    with pytest.raises(BrokenSeal, match=f"sealed bytes {sha256} came from {case.settings.store.twin}"):
        case.store.open(sha256)
    assert not case.store.path_of(sha256).exists()
    assert [c.state for c in verify_case(case) if c.what == "exhibit words"] == ["broken"]
    assert done(case, mirror.pull).broken


def test_a_cut_object_is_not_overwritten(case: Case) -> None:
    done(case, mirror.push)
    sha256 = spoil(case, b"krater", b"kra")
    (said,) = done(case, mirror.push).wrong
    assert "has 3 bytes, 6 were sealed" in said
    assert there(case)[sha256] == b"kra"


def test_changed_bytes_of_the_case_are_not_pushed(case: Case) -> None:
    krater = case.store.path_of(hashlib.sha256(b"krater").hexdigest())
    krater.chmod(0o644)
    krater.write_bytes(b"kraken")
    found = done(case, mirror.push)
    assert found.broken
    assert "Not pushed" in found.wrong[0]
    assert hashlib.sha256(b"krater").hexdigest() not in there(case)


def test_what_is_nowhere_is_told_with_both_places(case: Case) -> None:
    sha256 = hashlib.sha256(b"krater").hexdigest()
    case.store.path_of(sha256).unlink()
    with pytest.raises(Missing, match=rf"are not in .*store.* Nor is it at {case.settings.store.twin}"):
        case.store.open(sha256)


def test_a_large_exhibit_goes_in_parts(tmp_path: Path, server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    about = CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example")
    made = Case.create(tmp_path / "case", about, twin=f"{BUCKET}/large")
    large = hashlib.shake_256(b"krater").digest(40 << 20)
    fill(made, tmp_path, large)
    assert done(made, mirror.push).wrong == []
    sha256 = hashlib.sha256(large).hexdigest()
    found = obstore.head(from_url(f"{BUCKET}/large"), f"{sha256[:2]}/{sha256[2:]}")
    assert (found["size"], str(found["e_tag"])[-3:]) == (len(large), '-3"')


def test_storage_that_does_not_answer_leaves_the_case_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "unit")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not a secret")
    case = str(tmp_path / "case")
    new = ["--title", "T", "--agency", "A", "--examiner", "E", "--store"]
    assert in_process("new", case, *new, "s3://evidence/unit") == 0
    assert in_process("store", "push", case) == 4
    assert "s3://evidence/unit cannot be used" in capsys.readouterr().err
    assert in_process("verify", case) == 0
    assert in_process("new", case + "2", *new, "ftp://evidence") == 2


@pytest.mark.parametrize("case", ["s3"], indirect=True)
def test_a_killed_push_goes_on_where_it_was(case: Case, tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(case.root)], check=False)
    assert ended.returncode == -signal.SIGKILL
    held = len(there(case))
    assert held >= 2
    again = casewright("store", "push", str(case.root), "--json")
    assert again.returncode == 0, again.stderr
    assert f'"there": {held}' in again.stdout
    assert [e.data["way"] for e in Case(case.root).ledger.events("copied")] == ["push"]
