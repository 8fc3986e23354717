"""A large case's index changes how soon a page comes, never what it says."""

import subprocess
import sys
from pathlib import Path

import pytest

from casewright.engine.why import first_part
from casewright.model.tables import TABLES
from casewright.review.index import FILE, build, index_of
from casewright.review.pages import PAGES
from tests.cli.test_start import SLOW
from tests.command import casewright
from tests.review.room import Browser, reviewing

OPENED = """
import sys
from pathlib import Path
import casewright.review.serve
from casewright.review.desk import Desk
from casewright.vault.case import Case
desk = Desk(Case(Path(sys.argv[1])), None, None)
print(len(desk.rows("SELECT * FROM standing")), *(name for name in {slow} if name in sys.modules))
"""


@pytest.fixture(scope="module")
def indexed(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import shutil

    target = tmp_path_factory.mktemp("indexed") / "case"
    shutil.copytree(demo, target)
    build(target / "tables", index_of(target / "tables"))
    return target


def asked(browser: Browser) -> list[str]:
    """Every list in every order and by what it can be narrowed down, and the pages of some of what stands there."""
    paths = [page.path for page in PAGES if "{" not in page.path]
    paths += [f"/accounts?order={o}&page={p}" for o in ("paid", "name", "registered", "uploads") for p in (1, 3)]
    paths += ["/payments?order=amount", "/pairs?shown=all", "/pairs?shown=decided", "/media?state=new", "/packages/NL"]
    for list_, rows, key in (("/accounts", "accounts", "account"), ("/payments", "payments", "payment"),
                             ("/media", "media", "item"), ("/services", "services", "service")):  # fmt: skip
        found = [str(row[key]) for row in browser.json(f"{list_}.json")[rows]["rows"][:3]]
        paths += [f"{list_}/{one}" for one in found] + [f"{list_}?q={found[0]}", f"/search?q={found[0]}"]
    paths += [
        f"/graph?payment={found}" for found in (browser.json("/payments.json")["payments"]["rows"][0]["payment"],)
    ]
    return [path.replace(" ", "%20") for path in (*paths, "/search?q=a_", "/search?q=kes", "/accounts?q=a")]


def test_with_an_index_every_page_says_what_it_says_without(looking: Browser, indexed: Path) -> None:
    with reviewing(indexed) as (link, _):
        quick = Browser(link).enter()
        for page in asked(looking):
            path = ".json?".join(page.partition("?")[::2]).removesuffix("?")
            assert quick.json(path) == looking.json(path), path
        payment = looking.json("/payments.json")["payments"]["rows"][0]["payment"]
        assert quick.json(f"/why/{payment}.json") == looking.json(f"/why/{payment}.json")


def test_a_room_with_decisions_opens_without_what_computes_or_decodes(indexed: Path) -> None:
    program = [sys.executable, "-c", OPENED.format(slow=SLOW), str(indexed)]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    decided, *imported = done.stdout.split()
    assert int(decided) > 0
    assert imported == []


def test_an_index_is_no_stranger_to_a_case_and_a_changed_one_breaks_its_seal(indexed: Path) -> None:
    assert casewright("verify", str(indexed)).returncode == 0
    file = index_of(indexed / "tables") / FILE
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)
    done = casewright("verify", str(indexed))
    assert done.returncode != 0
    assert FILE in done.stdout + done.stderr


def test_an_index_is_for_the_tables_that_it_was_made_of(demo: Path, copy: Path) -> None:
    same = index_of(demo / "tables").name
    for table, kept in (("exhibit_files", True), ("links", False)):
        manifest = copy / "tables" / table / "run.json"
        manifest.write_bytes(manifest.read_bytes().replace(b'"sha256":"', b'"sha256":"0', 1))
        assert (index_of(copy / "tables").name == same) is kept, table


def test_a_row_is_looked_for_by_the_first_part_of_its_id() -> None:
    outputs, members, payments = (first_part(TABLES[name].key) for name in ("outputs", "clusters", "payments"))
    assert outputs
    assert outputs[0] == "txid"
    assert outputs[1](["ab:1", "a:b:2", "pay-1"]) == ["ab", "a", "a:b"]
    assert members
    assert members[1](["member/1abc", "1abc"]) == ["1abc"]
    assert payments is None
