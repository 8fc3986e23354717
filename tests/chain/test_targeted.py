"""Targeted mode finds what full mode finds of the market's payments, and says what it did not read."""

import random
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from casewright.chain.targeted.searching import beyond
from casewright.demo.chain import write_chain
from casewright.demo.operation import build_operation
from casewright.demo.papers import write_papers
from casewright.engine.query import Reader
from casewright.engine.why import Explainer
from casewright.model.settings import CaseSettings
from casewright.model.tables import TABLES
from casewright.vault.case import Case, SourceFile
from tests.chain.case import Files, run_stages
from tests.chain.test_sandbox import TAGS, run
from tests.chain.world import COIN, Chain, address, frame, masked
from tests.kernels.node import a_node
from tests.kernels.undo_maker import undo_file

Tables = Mapping[str, pa.Table]
ROOT = Path(__file__).parents[2]
KEY = b"glasshse"
OWN = ("dep 1", "dep 2", "dep 3")
DEPOSITS = [{"id": f"d{n}", "account": f"acc-{n}", "address": address(name)} for n, name in enumerate(OWN)]
PACK: Files = {"tags.yaml": TAGS.encode()}


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def rows(tables: Tables, name: str) -> list[dict[str, Any]]:
    return tables[name].to_pylist() if name in tables else []


def reasons(tables: Tables, direction: str) -> str:
    return " | ".join(hop["reason"] for hop in rows(tables, "hops") if hop["direction"] == direction)


def services(tables: Tables, hops: int = 99) -> set[tuple[Any, ...]]:
    told = [s for s in rows(tables, "services") if s["confidence"] != "none" and s["hops"] <= hops]
    return {(s["direction"], s["payment"], s["service"], s["txid"], s["vout"], s["share"]) for s in told}


def a_chain(seed: int, blocks: int = 25) -> Chain:
    """Strangers who pay each other, the market and the exchange, now and then with several coins."""
    dice, chain = random.Random(seed), Chain()
    coins = [(coin, "hot") for coin in chain.mint(*[("hot", COIN)] * 4)]
    names = [*OWN, "hot", "warm", *(f"stranger {n}" for n in range(8)), "key of bob", "p2pkh", "p2sh"]
    for _ in range(blocks):
        taken = [coins.pop(dice.randrange(len(coins))) for _ in range(min(len(coins), dice.choice([1, 1, 2, 3])))]
        paid = dice.choices(names, k=dice.choice([1, 2, 2, 3]))
        coins += zip(chain.pay([c for c, _ in taken], *((n, COIN // 7) for n in paid)), paid, strict=True)
        if dice.random() < 0.2 or not coins:
            coins += [(coin, "warm") for coin in chain.mint(("warm", COIN))]
    return chain


def as_files(chain: Chain, seed: int, undo: bool) -> dict[str, bytes]:
    """The blocks in three files in any order, the undo data of each file's blocks in another one."""
    dice, numbers, found = random.Random(seed), list(range(len(chain.blocks))), {}
    dice.shuffle(numbers)
    for part in range(3):
        own = numbers[part::3]
        found[f"blocks/blk0000{part}.dat"] = b"".join(frame(chain.blocks[n]) for n in own)
        if undo:
            found[f"blocks/rev0000{part}.dat"] = undo_file(chain.blocks, dice.sample(own, len(own)))
    return {name: masked(raw, KEY) for name, raw in found.items()} | {"blocks/xor.dat": KEY}


def must_hold_all_of_the_market(full: Tables, found: Tables) -> None:
    """Every block, and every transaction that pays or spends the market's, just as in full mode."""
    assert rows(found, "blocks") == rows(full, "blocks")
    own = {row["address"] for row in DEPOSITS}
    mine = {o[k] for o in rows(full, "outputs") if o["address"] in own for k in ("txid", "spent_by") if o[k]}
    assert mine <= {t["txid"] for t in rows(found, "transactions")}
    for name, key in (("transactions", "txid"), ("inputs", "txid"), ("outputs", "txid")):
        numbered = {"transaction", "holder", "spender", "spends", "spent_by"}
        told = [[{k: v for k, v in row.items() if k not in numbered} for row in rows(tables, name) if row[key] in mine]
                for tables in (full, found)]  # fmt: skip
        assert told[0] == told[1]
    spent = {(o["txid"], o["vout"]): o["spent_by"] for o in rows(full, "outputs") if o["address"] in own}
    assert {(o["txid"], o["vout"]): o["spent_by"] for o in rows(found, "outputs") if o["address"] in own} == spent
    assert rows(found, "payments") == rows(full, "payments")


@pytest.mark.parametrize("undo", [True, False])
def test_on_a_generated_chain_nothing_of_the_market_is_missed(undo: bool) -> None:
    for seed in range(2):
        chain = a_chain(seed)
        full = run_stages({"blk00000.dat": chain.file()}, PACK, DEPOSITS)
        found = run_stages(as_files(chain, seed, undo), PACK, DEPOSITS, targeted=True)
        place = {"exhibit", "path", "span_start", "span_length", "row"}
        placed = {
            name: full[name].drop_columns([c for c in full[name].column_names if c in place])
            for name in ("blocks", "transactions")
        }
        seen = {name: found[name].drop_columns([c for c in found[name].column_names if c in place]) for name in placed}
        must_hold_all_of_the_market({**full, **placed}, {**found, **seen})
        assert len(found["transactions"]) < len(full["transactions"])


def test_on_the_demos_chain_the_same_payments_and_the_same_services_are_found(tmp_path: Path) -> None:
    operation = build_operation()
    write_papers(operation, write_chain(operation, tmp_path / "chain"), tmp_path)
    given = [{"id": f"d{a.number}", "account": str(a.number), "address": a.deposit_address} for a in operation.accounts]
    tags, plain = files_in(tmp_path / "tags"), files_in(tmp_path / "chain")
    with a_node(tmp_path / "made") as node:
        with_undo = {p.name: p.read_bytes() for p in sorted(node.folder.iterdir()) if p.is_file()}
    full = run_stages(plain, tags, given)
    for files in (plain, with_undo):
        found = run_stages(files, tags, given, targeted=True)
        assert rows(found, "payments") == rows(full, "payments")
        assert services(found, hops=1) == services(full, hops=1)
        assert services(found) == services(full)
        assert len(found["transactions"]) < 0.7 * len(full["transactions"])


def test_where_it_was_not_read_on_a_trace_says_so_and_why() -> None:
    chain = Chain()
    coin = chain.mint(("anna 0", COIN))
    for hop in range(1, 5):
        coin = chain.pay(coin, (f"anna {hop}", COIN))
    coin = chain.pay(coin, ("dep 1", COIN))
    for hop in range(1, 5):
        coin = chain.pay(coin, (f"operator {hop}", COIN))
    files = {"blk00000.dat": chain.file(), "rev00000.dat": undo_file(chain.blocks)}
    short = run_stages(files, PACK, DEPOSITS, targeted=True, targeted_hops=2)
    assert "not read in targeted mode: 2 hops, [chain] targeted_hops in case.toml" in reasons(short, "back")
    assert "not looked for in targeted mode: 2 hops, [chain] targeted_hops in case.toml" in reasons(short, "forward")
    assert {hop["ends"] for hop in rows(short, "hops")} == {None, "missing"}
    few = run_stages(files, PACK, DEPOSITS, targeted=True, targeted_transactions=4)
    assert "4 transactions, [chain] targeted_transactions in case.toml" in reasons(few, "back")
    whole = run_stages(files, PACK, DEPOSITS, targeted=True)
    assert "targeted mode" not in reasons(whole, "back") + reasons(whole, "forward")


def test_a_transaction_of_very_many_inputs_is_where_it_stops() -> None:
    chain = Chain()
    coins = chain.mint(*[("anna", COIN)]) + [c for n in range(6) for c in chain.mint((f"x{n}", COIN))]
    chain.pay(coins, ("dep 1", 7 * COIN))
    files = {"blk00000.dat": chain.file(), "rev00000.dat": undo_file(chain.blocks)}
    found = run_stages(files, PACK, DEPOSITS, targeted=True, targeted_inputs=5)
    assert "it has 7 unknown inputs; [chain] targeted_inputs in case.toml says 5" in reasons(found, "back")
    assert len(found["payments"]) == 1


def test_damaged_blocks_are_named_as_in_full_mode_and_damaged_undo_data_costs_no_payment() -> None:
    chain = a_chain(7)
    raw = bytearray(chain.file())
    at = raw.find(frame(chain.blocks[20]))
    raw[at + len(frame(chain.blocks[20])) - 10] ^= 1
    rev = bytearray(undo_file(chain.blocks))
    rev[len(rev) // 2] ^= 1
    files = {"blk00000.dat": bytes(raw[:-3]), "rev00000.dat": bytes(rev[:-3])}
    aside: list[list[tuple[Any, ...]]] = []
    for targeted in (False, True):
        made: list[Any] = []
        tables = run_stages(files, PACK, DEPOSITS, aside=made, targeted=targeted)
        aside.append([(s.noun, s.subject, s.reason, s.detail) for s in made])
        if not targeted:
            full = tables
    assert {one[2] for one in aside[0]} >= {"bad merkle root", "truncated"}
    assert [one for one in aside[1] if one[0] != "undo data"] == aside[0]
    assert {one[2] for one in aside[1] if one[0] == "undo data"} >= {"truncated"}
    must_hold_all_of_the_market(full, tables)


OTHERS = {
    "nothing": b"",
    "noise": b"\xff" * 99,
    "another chain": undo_file(a_chain(9).blocks),
    "bzip2, cut": b"BZh9 and",
}


@pytest.mark.parametrize("rev", OTHERS.values(), ids=OTHERS)
def test_undo_data_of_something_else_is_set_aside_and_the_blocks_are_read_without(rev: bytes) -> None:
    chain = a_chain(8)
    full = run_stages({"blk00000.dat": chain.file()}, PACK, DEPOSITS)
    made: list[Any] = []
    files = {"blk00000.dat": chain.file(), "rev00000.dat": rev}
    found = run_stages(files, PACK, DEPOSITS, aside=made, targeted=True)
    must_hold_all_of_the_market(full, found)
    assert bool(rev) == any(s.noun == "undo data" for s in made)


def seal(case: Case, folder: Path, chain: Chain) -> None:
    files = as_files(chain, 1, undo=False)
    (folder / "tags.yaml").write_text(TAGS)
    sources = []
    for name, raw in files.items():
        path = folder / name.replace("/", " ")
        path.write_bytes(raw)
        sources.append(SourceFile(path, name.encode()))
    with case.writing():
        case.seal_source(sources, "chain", "node")
        case.seal_source([SourceFile(folder / "tags.yaml", b"")], "tags", "tags.yaml")


def a_case(folder: Path) -> Case:
    folder.mkdir()
    about = CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example")
    Case.create(folder / "case", about, network="regtest")
    text = (folder / "case" / "case.toml").read_text()
    (folder / "case" / "case.toml").write_text(text.replace("targeted = false", "targeted = true"))
    chain = Chain()
    coin = chain.pay(chain.mint(("hot", COIN)), ("anna", COIN))
    for name in ("berta", "dep", "operator", "hot"):
        coin = chain.pay(coin, (name, COIN))
    opened = Case(folder / "case")
    seal(opened, folder, chain)
    return opened


KILLED = """
import os, signal, sys
from pathlib import Path
from casewright.engine.steps import Journal
from casewright.vault.case import Case
from tests.chain.test_sandbox import run

keep, left = Journal.keep, [4]

def then_die(self, *kept):
    keep(self, *kept)
    self.commit()
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)

Journal.keep = then_die
run(Case(Path(sys.argv[1])))
"""


@pytest.mark.slow
def test_killed_between_two_readings_it_goes_on_and_ends_with_the_same_bytes_and_every_row_is_explained(
    tmp_path: Path,
) -> None:
    expected = run(a_case(tmp_path / "one"))
    case = a_case(tmp_path / "two")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(case.root)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert list((case.tables / ".units" / "follow").glob("*.steps/journal.sqlite"))
    assert run(case) == expected
    with Reader(case.tables) as reader:
        found = reader.rows("SELECT direction, service, hops FROM services WHERE payment IS NOT NULL ORDER BY ALL")
        assert [tuple(row.values()) for row in found] == [("back", "Kestrel Exchange", 3),
                                                          ("forward", "Kestrel Exchange", 2)]  # fmt: skip
        explainer = Explainer(case.tables, reader)
        names: Sequence[str] = ("searched_contents", "sought", "searched_files", "searched_heads", "searched_finds",
                                "followed_finds", "followed", "transactions", "hops")  # fmt: skip
        for table in names:
            for row in reader.rows(f"SELECT {TABLES[table].key} AS id FROM {table} t LIMIT 3"):
                assert explainer.loci(row["id"]), (table, row)


def test_what_a_file_holds_of_tagged_addresses_beyond_the_limit_is_counted_and_said() -> None:
    output = beyond({"content": "c", "name": "blk00007.dat"}, 12)
    (aside,), (tally,) = output.set_aside, output.tallies
    assert (tally.received, tally.done, aside.count, aside.noun) == (12, 0, 12, tally.noun)
    assert "blk00007.dat: 12 more transactions" in aside.detail
