"""The check of a package's contents: whatever contradicts the figures is named, and hostile files are only refused."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from casewright.refer.check import contents_problems
from tests.refer.world import packages

VALID = Path(__file__).with_name("ftm_valid.py")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packages(tmp_path_factory.mktemp("check") / "case", "NL")[0]


@pytest.fixture
def data(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed / "data", tmp_path / "data"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_what_was_written_agrees(data: Path) -> None:
    assert list(contents_problems(data)) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("payments.csv", "1.50000000 BTC", "9.50000000 BTC", "payments.csv holds other values"),
        ("persons.csv", "fig-", "fig-x", "that is no figure of it"),
        ("figures.csv", "section,subject", "section,topic", "columns of figures"),
        ("case.jsonld", "Ada Invented", "Bo Unjudged", "none of its figures does"),
        ("case.jsonld", 'ofAccount":{"@id":"kb:accounts', 'ofAccount":{"@id":"kb:nowhere', "not in the graph"),
        ("case.jsonld", "identity:Person", "identity:Robot", "which no package has"),
        ("case.jsonld", '"@value":"', '"@value":"ZZ', "a hash that is none"),
        ("case.jsonld", '"@graph"', '"@graf"', "no @graph"),
        ("entities.ftm.json", '"schema":"Person"', '"schema":"Robot"', "of the schema 'Robot'"),
        ("entities.ftm.json", '"holder":["person-', '"holder":["nobody-', "leads by holder"),
        ("hashes.vics.json", '"MD5": "', '"MD5": "0', "is no figure of the package"),
        ("hashes.vics.json", '"TotalMediaFiles": 1', '"TotalMediaFiles": 2', "counts other media"),
    ],
)  # fmt: skip
def test_a_file_that_says_something_else_is_named(data: Path, name: str, old: str, new: str, said: str) -> None:
    edit(data / name, old, new)
    assert any(said in words for words in contents_problems(data)), list(contents_problems(data))


@pytest.mark.parametrize(
    "raw", [b"", b"\x00" * 50, b"[" * 100_000, b"\xff\xfe", b"{}", b"[]", b"null", b'{"@graph": [1]}', b'"a\n"']
)
@pytest.mark.parametrize(
    "name", ["figures.csv", "case.jsonld", "entities.ftm.json", "hashes.vics.json", "accounts.csv"]
)
def test_a_file_that_is_none_is_a_problem_and_no_crash(data: Path, name: str, raw: bytes) -> None:
    (data / name).write_bytes(raw)
    found = list(contents_problems(data))
    assert found or (name == "entities.ftm.json" and raw == b"")


def test_followthemoney_itself_takes_every_entity(sealed: Path) -> None:
    """In an environment of its own: it pins other versions of what is used here."""
    command = ["uv", "run", "--isolated", "--no-project", "--python", "3.11", "--with", "followthemoney==4.11.2",
               "python", str(VALID), str(sealed / "data" / "entities.ftm.json")]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"followthemoney cannot be fetched here: {error}")
    if done.returncode and "Traceback" not in done.stderr:
        pytest.skip(f"followthemoney cannot be fetched here: {done.stderr[-200:]}")
    answer = json.loads(done.stdout)
    assert answer["refused"] == []
    assert answer["found"].keys() >= {"UserAccount", "Person", "Identification", "Similar", "CryptoWallet", "Event",
                                      "Image", "UnknownLink"}  # fmt: skip
