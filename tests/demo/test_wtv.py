"""The operation at the size of the real one: a four-thousandth of it, held against real programs."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from casewright.cli.console import Voice
from casewright.cli.work import engine_named, runner, seal
from casewright.demo.bookings import bookings
from casewright.demo.chain import MAGIC
from casewright.demo.seizure_database import PROGRAMS, SCHEMA, throwaway_server
from casewright.demo.seizure_disk import find_program, run
from casewright.demo.transactions import Transaction, merkle
from casewright.demo.wtv import build
from casewright.demo.wtv import dump as dump_module
from casewright.demo.wtv.chain import A_FILE, BlockFiles
from casewright.demo.wtv.grade import records
from casewright.demo.wtv.money import block_of, root
from casewright.demo.wtv.size import COUNTRIES, PAYMENTS, TRANSACTIONS, Size, named, size_of
from casewright.demo.wtv.traffic import Traffic
from casewright.engine.query import Reader
from casewright.extract.formats import LOG_READERS
from casewright.extract.log import Given, Quiet
from casewright.kernels.blockcolumns import read_columns
from casewright.kernels.blockfiles import Plain
from casewright.kernels.blocks import parse_block
from casewright.model.settings import CaseSettings
from casewright.vault.case import Case
from tests.command import casewright

SMALL = Size(4096, 3000)
MAPPING = """format = 1
[accounts]
table = "users"
native = "uid"
username = "nick"
[deposit_addresses]
table = "deposit_wallets"
account = "owner"
address = "btc_addr"
[logins]
table = "login_history"
account = "uid"
time = "seen"
[uploads]
table = "uploads"
account = "user_id"
reference = "file_path"
[downloads]
table = "downloads"
account = "user_id"
reference = "file_path"
[logs]
user = "username"
login_paths = ["/login"]
download_paths = ["/media/"]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("wtv")
    return folder, build.build_wtv(folder, SMALL)


def test_a_size_says_what_everything_is_divided_by() -> None:
    assert [named(text) for text in ("wtv", "wtv/16", "small", "wtv/0", "wtv/")] == [1, 16, None, None, None]
    whole = size_of(1, 1 << 50)
    assert (whole.accounts, whole.payments, whole.transactions) == (1_300_000, PAYMENTS, TRANSACTIONS)
    assert (whole.videos, whole.pictures, len(COUNTRIES)) == (250_000, 500_000, 38)


def test_a_small_disk_gets_a_smaller_chain_and_all_else() -> None:
    small = size_of(1, 10 << 30)
    assert small.transactions < TRANSACTIONS // 10
    assert small.accounts == 1_300_000


def test_the_root_of_a_block_is_what_its_definition_says() -> None:
    ids = np.random.default_rng(3).integers(0, 256, (37, 32), np.uint8)
    for first, count in ((1, 0), (1, 1), (2, 1), (3, 12), (1, 37)):
        own = [hashlib.sha256(bytes([n])).digest() for n in range(first)]
        assert root(own, ids[:count]) == merkle([*own, *(one.tobytes() for one in ids[:count])])


def test_no_coin_of_the_traffic_is_spent_twice_or_pays_more_than_it_held() -> None:
    traffic, prev, held = Traffic(), bytes(32), dict[tuple[bytes, int], int]()
    for height in range(1, 9):
        raw, ids = traffic.some(0 if height < 5 else 300)
        prev, mined, block = block_of(prev, height, 1_500_000_000 + height, 9000 * height, b"\x51", list[Transaction](),
                                      raw, ids)  # fmt: skip
        parsed = parse_block(block)
        for tx in parsed.transactions:
            spent = [held.pop((spend.txid, spend.vout)) for spend in tx.spends if spend.txid != bytes(32)]
            assert not spent or sum(coin.sats for coin in tx.coins) <= sum(spent)
            held |= {(tx.txid, vout): coin.sats for vout, coin in enumerate(tx.coins)}
        traffic.grant(mined, 0, 9000 * height)


def test_every_block_of_the_chain_holds(made: tuple[Path, dict[str, Any]]) -> None:
    raw = b"".join(path.read_bytes() for path in sorted((made[0] / "bitcoin" / "blocks").iterdir()))
    columns, damage = read_columns(Plain(raw, raw), MAGIC)
    assert not damage
    assert len(columns.txid) == made[1]["transactions"]
    assert len({bytes(one) for one in columns.txid}) == len(columns.txid)


def test_a_block_file_ends_before_it_grows_too_large(tmp_path: Path) -> None:
    files, block = BlockFiles(tmp_path), bytes(A_FILE // 2)
    for _ in range(3):
        files.add(block)
    files.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["blk00000.dat", "blk00001.dat", "blk00002.dat"]


def _digests(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in folder.rglob("*") if p.is_file()}  # fmt: skip


def test_a_build_that_was_stopped_goes_on_and_ends_with_the_same_bytes(
    made: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*given: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(build, "write_dump", stopped)
        with pytest.raises(KeyboardInterrupt):
            build.build_wtv(tmp_path, SMALL)
    monkeypatch.setattr(build, "write_chain", stopped)  # it is there already
    assert build.build_wtv(tmp_path, Size(4096, 99_000)) == made[1]
    assert _digests(tmp_path) == _digests(made[0])


def test_the_logs_hold_what_the_truth_says(made: tuple[Path, dict[str, Any]]) -> None:
    import gzip
    from datetime import datetime

    given = Given("UTC", datetime(2018, 3, 9), None, ())
    for path in (made[0] / "server" / "var" / "log").rglob("*.gz"):
        raw = gzip.decompress(path.read_bytes())
        form = "system log" if path.name.startswith("auth") else "access log"
        pieces = list(LOG_READERS[form](BytesIO(raw), given))
        lines = sum(piece.lines if isinstance(piece, Quiet) else 1 for piece in pieces)
        assert lines == made[1]["disk"]["log_lines"][path.name]


@contextmanager
def _loaded(dump: Path) -> Iterator[list[str]]:
    """A server that holds the dump; gives what its programs need to reach it."""
    with throwaway_server() as socket:
        login = ["--no-defaults", f"--socket={socket}", "--user=root", "--default-character-set=utf8mb4"]
        run("mariadb", *login, feed=SCHEMA.read_text("utf-8").split("CREATE TABLE")[0])
        run("mariadb", *login, "--comments", "glasshouse", feed=dump.read_text("utf-8"))
        yield login


@pytest.mark.skipif(any(find_program(p) is None for p in PROGRAMS), reason="MariaDB is not installed")
def test_a_server_that_loads_the_dump_writes_the_same_again(
    made: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With shorter statements, so that there are several."""
    monkeypatch.setattr(dump_module, "STATEMENT", 8192)
    making = build.Making(made[0], SMALL, lambda *told: None)
    dump = tmp_path / "short.sql"
    booked, _ = bookings(making.chain[0].paid, making.chain[0].ends)
    dump_module.write_dump(dump, making.operation, SMALL, making.sample[0], booked, lambda n: None)
    with _loaded(dump) as login:
        short = "--net-buffer-length=8192"
        again = run("mariadb-dump", *login, "--skip-dump-date", "--order-by-primary", short, "glasshouse")
    assert _lines(again) == _lines(dump.read_text("utf-8"))


def _lines(dump: str) -> list[str]:
    """Without what names the server's version."""
    return [re.sub(r"(Distrib|version).*", r"\1", line) for line in dump.split("\n")]


def test_what_is_extracted_is_as_the_truth(
    made: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEWRIGHT_HOME", str(tmp_path / "home"))
    case, voice = Case.create(tmp_path / "case", CaseSettings("T", "A", "E"), network="regtest"), Voice(True)
    (tmp_path / "mapping.toml").write_text(MAPPING, "utf-8")
    with case.writing():
        seal(case, voice, made[0] / build.SERVER, "seizure")
        seal(case, voice, tmp_path / "mapping.toml", "mapping")
        runner(case, engine_named("inline")).run(["addresses", "activity"])
    with Reader(case.tables) as reader:
        grades = records(made[1], reader.rows, case.tables, made[0] / "truth")
    assert len(grades) == 6
    assert [(g.stage, g.wrong, g.missed) for g in grades] == [(g.stage, 0, 0) for g in grades]


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["wtv/4096", "wtv/512"])
def test_the_whole_of_it_is_as_the_truth(tmp_path: Path, scale: str) -> None:
    """From the seized server to 38 countries' packages, and one for accounts that nothing places."""
    done = casewright("demo", str(tmp_path / "case"), "--scale", scale, "--chain", "20000", "--json")
    told = json.loads(done.stdout)
    assert [g for g in told["grades"] if g["wrong"] or g["missed"]] == []
    assert len({p["country"] for p in told["packages"]} - {"ZZ"}) == len(COUNTRIES)
