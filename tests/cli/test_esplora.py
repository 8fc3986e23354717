"""A chain server on this machine is a source of the chain; one elsewhere is never asked."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from casewright.cli.esplora import Server, fetch
from casewright.demo.chain import write_chain
from casewright.demo.operation import Operation, build_operation
from casewright.model.errors import Missing, Refused, UsageError
from tests.chain.test_blocks import balance
from tests.chain.world import COIN, Chain, address, read
from tests.cli.esplora_server import Answers, serving
from tests.command import casewright

Tables = Mapping[str, pa.Table]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Operation, Tables]:
    folder, operation = tmp_path_factory.mktemp("chain"), build_operation()
    write_chain(operation, folder, obfuscate=False)
    return operation, read({p.name: p.read_bytes() for p in sorted(folder.rglob("blk*.dat"))}).tables


@pytest.fixture(scope="module")
def server(demo: tuple[Operation, Tables]) -> Iterator[tuple[str, list[str]]]:
    with serving(Answers(demo[1])) as told:
        yield told


def fetched(url: str, addresses: Iterable[str], hops: int, folder: Path) -> Path:
    with closing(Server(url)) as server:
        return fetch(server, addresses, hops, folder)


def test_every_deposit_and_its_spend_come_from_the_server_and_only_these_are_asked_for(
    demo: tuple[Operation, Tables], server: tuple[str, list[str]], tmp_path: Path
) -> None:
    operation, whole = demo
    url, asked = server
    addresses = {a.deposit_address for a in operation.accounts}
    path = fetched(url, addresses, 2, tmp_path)
    output = read({path.name: path.read_bytes()})
    balance(output)
    assert not output.set_aside
    names = ("txid", "vout", "sats", "address", "kind", "spent_by")
    paid = {name: {tuple(r[n] for n in names) for r in tables["outputs"].to_pylist() if r["address"] in addresses}
            for name, tables in (("server", output.tables), ("files", whole))}  # fmt: skip
    assert paid["server"] == paid["files"] != set()
    stamps = {r["txid"]: (r["version"], r["lock_time"]) for r in whole["transactions"].to_pylist()}
    assert all((r["version"], r["lock_time"]) == stamps[r["txid"]] for r in output.tables["transactions"].to_pylist())
    heights = {r["hash"]: r["height"] for r in whole["blocks"].to_pylist()}
    assert all(heights[r["hash"]] == r["height"] for r in output.tables["blocks"].to_pylist())
    assert {r["state"] for r in output.tables["blocks"].to_pylist()} == {"exported"}
    assert {p.split("/")[2] for p in asked if p.startswith("/address/")} == addresses


def test_the_same_answers_are_the_same_bytes(
    demo: tuple[Operation, Tables], server: tuple[str, list[str]], tmp_path: Path
) -> None:
    addresses = [a.deposit_address for a in demo[0].accounts]
    folders = [tmp_path / name for name in ("one", "two")]
    for folder, order in zip(folders, (addresses, addresses[::-1]), strict=True):
        folder.mkdir()
        fetched(server[0], order, 1, folder)
    first, second = (next(folder.iterdir()).read_bytes() for folder in folders)
    assert first == second != b""


def test_an_address_with_many_transactions_is_asked_for_page_by_page(tmp_path: Path) -> None:
    chain = Chain()
    for _ in range(60):
        chain.mint(("anna", COIN))
    with serving(Answers(read({"blk00000.dat": chain.file()}).tables)) as (url, asked):
        path = fetched(url, [address("anna")], 0, tmp_path)
    assert len(path.read_bytes().splitlines()) == 60
    assert len(asked) == 3


@pytest.mark.parametrize("url", [
    "http://10.0.0.1:3000", "http://example.org", "https://127.0.0.1:3000", "http://127.0.0.1.example.org:80",
    "ftp://localhost", "http://", "http://0.0.0.0:3000",
])  # fmt: skip
def test_no_other_machine_is_asked(url: str) -> None:
    with pytest.raises(UsageError, match="on this machine"):
        Server(url)


def test_a_server_that_does_not_answer_or_answers_something_else_is_told_of(
    server: tuple[str, list[str]], tmp_path: Path
) -> None:
    for url, told in ((server[0], "404"), ("http://127.0.0.1:1", "Is the server running")):
        with closing(Server(url)) as asked, pytest.raises(Missing, match=told):
            asked.ask("/nothing")
    broken = Answers({"blocks": pa.table({}), **{n: pa.table({}) for n in ("transactions", "inputs", "outputs")}})
    broken.known["x"] = {"txid": "../../etc"}
    broken.of[address("anna")] = ["x"]
    with serving(broken) as (url, _), pytest.raises(Refused, match="no transaction"):
        fetched(url, [address("anna")], 0, tmp_path)


def test_lines_that_are_no_transactions_are_set_aside_with_their_number(
    demo: tuple[Operation, Tables], server: tuple[str, list[str]], tmp_path: Path
) -> None:
    raw = fetched(server[0], [a.deposit_address for a in demo[0].accounts], 0, tmp_path).read_bytes()
    for bad in (b"[]", b"{", b'{"txid": 1}', raw.splitlines()[0].replace(b'"value": ', b'"value": -')):
        output = read({"transactions.esplora": bad + b"\n" + raw})
        assert [a.row for a in output.set_aside if a.reason == "undecodable"] == [1]
        balance(output)


def test_the_command_says_what_is_missing(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    case = str(tmp_path / "case")
    made = casewright("new", case, "--title", "T", "--agency", "A", "--examiner", "E")
    assert made.returncode == 0
    refused = casewright("trace", case, "--chain", "http://192.0.2.1:3000")
    assert (refused.returncode, "on this machine" in refused.stderr) == (2, True)
    early = casewright("trace", case, "--chain", server[0])
    assert (early.returncode, "deposit addresses" in early.stderr) == (4, True)
