"""Why two addresses are in one cluster: any two are explained, and a stranger to our code agrees."""

import json
import runpy
from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from casewright.chain.proof import Proof, proof_between
from casewright.chain.wallets import co_spent
from casewright.kernels.nearest import shortest_slow
from casewright.model.errors import Missing
from casewright.model.tables import TABLES
from tests.chain.dice import thrown
from tests.chain.world import COIN, Chain, address, follow, tag

PAYMENTS = (("a1", "a2", "a3"), ("a3", "a4"), ("a4", "a5", "a1"), ("a5", "a6"))
READ = ("clusters", "cluster_reasons", "coinjoins", "layer_links", "inputs", "outputs", "transactions", "blocks")
CHECKER = Path(__file__).parents[2] / "tools" / "check_proof.py"
CHECK: Callable[[list[str]], int] = runpy.run_path(str(CHECKER))["main"]


def asking(tables: Mapping[str, list[dict[str, Any]]]) -> Callable[[str, Mapping[str, Any]], pa.Table]:
    connection = duckdb.connect(":memory:", config={"threads": 1})
    for name in READ:
        connection.register(name, TABLES[name].rows(tables[name]))
    return lambda sql, bind: connection.sql(sql, params=bind).to_arrow_table()


@pytest.fixture(scope="module")
def small() -> tuple[Chain, dict[str, list[dict[str, Any]]]]:
    """anna's wallet: six addresses that four payments join, and a stranger."""
    chain = Chain()
    for names in (*PAYMENTS, ("stranger",)):
        chain.pay(chain.mint(*((n, COIN) for n in names)), ("shop", len(names) * COIN))
    return chain, follow(chain, {})


def written(folder: Path, proof: Proof, **more: Any) -> Path:
    document = {"addresses": [proof.start, proof.end], "joined": proof.steps is not None,
                "steps": [asdict(s) for s in proof.steps or ()], "merges": [asdict(s) for s in proof.merges],
                **more}  # fmt: skip
    path = folder / "proof.json"
    path.write_text(json.dumps(document))
    return path


def test_any_two_addresses_of_a_cluster_are_explained_and_the_checker_agrees(
    small: tuple[Chain, dict[str, list[dict[str, Any]]]], tmp_path: Path
) -> None:
    chain, tables = small
    ask = asking(tables)
    (tmp_path / "blk00000.dat").write_bytes(chain.file())
    for one, other in combinations([address(f"a{n}") for n in range(1, 7)], 2):
        proof = proof_between(ask, one, other)
        assert proof.steps
        assert CHECK([str(written(tmp_path, proof)), str(tmp_path / "blk00000.dat")]) == 0


def test_the_way_is_told_as_one_transaction_after_the_other(
    small: tuple[Chain, dict[str, list[dict[str, Any]]]],
) -> None:
    ask = asking(small[1])
    (step,) = proof_between(ask, address("a2"), address("a3")).steps or ()
    assert (step.address_a, step.address_b, len(step.reasons)) == (address("a2"), address("a3"), 2)
    way = proof_between(ask, address("a2"), address("a6")).merges
    assert [s.height for s in way] == sorted(s.height or 0 for s in way)
    assert len({s.txid for s in way}) == len(way) == 4
    assert proof_between(ask, address("a2").upper(), address("a2")).steps == ()


def test_the_way_is_the_shortest_of_all_also_where_no_merge_goes_it(
    small: tuple[Chain, dict[str, list[dict[str, Any]]]],
) -> None:
    ask, links = asking(small[1]), [[int(name[1]) for name in names] for names in PAYMENTS]
    for one, other in combinations(range(1, 7), 2):
        proof = proof_between(ask, address(f"a{one}"), address(f"a{other}"))
        assert len(proof.steps or ()) == len(shortest_slow(links, one, other) or ())
        assert proof.limit is None
    proof = proof_between(ask, address("a2"), address("a6"))
    assert (len(proof.steps or ()), len(proof.merges)) == (3, 4)
    assert [(s.alone, len(s.reasons)) for s in proof.steps or ()] == [(True, 1), (True, 1), (True, 1)]


def test_a_coinjoin_is_no_short_cut() -> None:
    chain, pool = Chain(), 1_000_000
    for names in PAYMENTS:
        chain.pay(chain.mint(*((n, COIN) for n in names)), ("shop", len(names) * COIN))
    mixed = chain.mint(*((name, pool + 100) for name in ("a2", "a6", "x", "y", "z")))
    chain.pay(mixed, *((f"mixed {n}", pool) for n in range(5)))
    tables = follow(chain, {})
    assert [row["rule"] for row in tables["coinjoins"]] == ["Whirlpool"]
    assert len(proof_between(asking(tables), address("a2"), address("a6")).steps or ()) == 3


def test_all_layers_that_joined_are_searched_and_their_links_are_kept(tmp_path: Path) -> None:
    chain = Chain()
    chain.pay(chain.mint(("shop", COIN)), ("shop", COIN - 7))
    chain.pay(chain.mint(("anna", 2 * COIN), ("two", COIN)), ("shop", 5 * COIN // 2), ("fresh", COIN // 2 - 333))
    chain.pay(chain.mint(("warm", COIN)), ("shop", COIN))
    tags = [tag(name, "Kestrel Exchange") for name in ("anna", "warm")]
    tables = follow(chain, {}, tags, layers=["co-spend", "change", "tags"])
    assert [(r["heuristic"], r["link"]) for r in tables["layer_links"]] == [("change", 0)] * 2 + [("tags", 0)] * 2
    steps = proof_between(asking(tables), address("two"), address("warm")).steps or ()
    assert [s.heuristic for s in steps] == ["co-spend", "tags"]
    changed = proof_between(asking(tables), address("two"), address("fresh"))
    assert [s.heuristic for s in changed.steps or ()] == ["co-spend", "change"]
    (tmp_path / "blk00000.dat").write_bytes(chain.file())
    assert CHECK([str(written(tmp_path, changed)), str(tmp_path / "blk00000.dat")]) == 0


def test_links_of_a_layer_that_no_merge_was_needed_for_are_short_cuts_too() -> None:
    chain = Chain()
    for names in (("a1", "a2"), ("a2", "a3"), ("a3", "a4"), ("a1", "a3")):
        chain.pay(chain.mint(*((n, COIN) for n in names)), ("shop", len(names) * COIN))
    tags = [tag(name, "Kestrel Exchange") for name in ("a1", "a4")]
    tables = follow(chain, {}, tags, layers=["co-spend", "tags"])
    assert {row["heuristic"] for row in tables["cluster_reasons"]} == {"co-spend"}
    (late,) = proof_between(asking(tables), address("a1"), address("a3")).steps or ()
    assert (late.heuristic, late.alone, late.reasons) == ("co-spend", False, ())
    (step,) = proof_between(asking(tables), address("a1"), address("a4")).steps or ()
    assert (step.heuristic, step.txid, step.alone, step.reasons) == ("tags", None, None, ())


@pytest.mark.parametrize(("limit", "words"), [("MOST_LOOKED_AT", "the search ended"), ("MOST_SPENDS", "spends more")])
def test_beyond_a_limit_the_merges_are_told_and_why(
    small: tuple[Chain, dict[str, list[dict[str, Any]]]], monkeypatch: pytest.MonkeyPatch, limit: str, words: str
) -> None:
    monkeypatch.setattr(f"casewright.chain.shortest.{limit}", 2)
    proof = proof_between(asking(small[1]), address("a2"), address("a6"))
    assert proof.steps == proof.merges
    assert words in (proof.limit or "")


def test_strangers_are_not_joined_and_an_address_that_never_spent_is_missing(
    small: tuple[Chain, dict[str, list[dict[str, Any]]]],
) -> None:
    ask = asking(small[1])
    assert proof_between(ask, address("a1"), address("stranger")).steps is None
    with pytest.raises(Missing, match="is in no cluster"):
        proof_between(ask, address("a1"), address("shop"))


def test_the_checker_finds_a_proof_that_does_not_hold(
    small: tuple[Chain, dict[str, list[dict[str, Any]]]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chain, tables = small
    (tmp_path / "blk00000.dat").write_bytes(chain.file())
    proof = proof_between(asking(tables), address("a2"), address("a6"))
    steps = [asdict(s) for s in proof.steps or ()]
    wrong = {
        "does not spend from both": [{**steps[0], "address_b": address("stranger")}, *steps[1:]],
        "in none of the files": [{**steps[0], "txid": "7" * 64}, *steps[1:]],
        "does not begin where": [steps[0], *steps[2:]],
        "does not lead to the second": steps[:-1],
        "rests on tags": [{**steps[0], "txid": None, "heuristic": "tags"}, *steps[1:]],
    }
    for words, changed in wrong.items():
        assert CHECK([str(written(tmp_path, proof, steps=changed)), str(tmp_path / "blk00000.dat")]) == 1
        assert words in capsys.readouterr().out


def test_the_checker_reads_raw_blocks_and_hex_lines_too(
    small: tuple[Chain, dict[str, list[dict[str, Any]]]], tmp_path: Path
) -> None:
    chain, tables = small
    proof = str(written(tmp_path, proof_between(asking(tables), address("a2"), address("a6"))))
    files = [tmp_path / f"{n}.blk" for n in range(len(chain.blocks))]
    for file, raw in zip(files, chain.blocks, strict=True):
        file.write_bytes(raw)
    assert CHECK([proof, *map(str, files)]) == 0
    lines = tmp_path / "transactions.txt"
    spans = ((raw, r) for raw, block in zip(chain.blocks, tables["blocks"], strict=True)
             for r in tables["transactions"] if r["block"] == block["hash"])  # fmt: skip
    start = {b["hash"]: b["span_start"] for b in tables["blocks"]}
    lines.write_text("\n".join(
        raw[(at := r["span_start"] - start[r["block"]]) : at + r["span_length"]].hex() for raw, r in spans
    ))  # fmt: skip
    assert CHECK([proof, str(lines)]) == 0


def test_every_pair_of_every_generated_world_is_explained_by_transactions_that_spend_from_both() -> None:
    pairs = 0
    for seed in range(12):
        chain = thrown(seed, transactions=120)
        wallets = co_spent(chain)
        a, b, by = wallets.groups.proof()
        least = wallets.groups.least()
        owners = [set(chain.holder[chain.spends[first:end][chain.spends[first:end] >= 0]].tolist())
                  for first, end in zip(chain.first_input, chain.first_input[1:], strict=False)]  # fmt: skip
        for one, other in combinations(np.flatnonzero(wallets.is_member).tolist(), 2):
            way = wallets.forest.way(one, other)
            assert (way is None) == (least[one] != least[other])
            for merge in () if way is None else way.tolist():
                assert {int(a[merge]), int(b[merge])} <= owners[by[merge]]
            pairs += way is not None
    assert pairs > 1_000
