"""The whole room on the demo's chain, which a consensus engine accepts: everything found, nothing made up."""

from pathlib import Path
from typing import Any

import pytest

from casewright.chain.stages import STAGES
from casewright.demo.chain import ChainTruth, write_chain
from casewright.demo.operation import Operation, build_operation
from casewright.demo.papers import write_papers
from casewright.engine.stage import Context, Output
from tests.chain.test_blocks import balance
from tests.chain.world import PARAMS, whole
from tests.world import context, digests_of, rows_of

Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Operation, ChainTruth, Tables]:
    folder, operation = tmp_path_factory.mktemp("operation"), build_operation()
    truth = write_chain(operation, folder / "chain")
    write_papers(operation, truth, folder)
    files = exhibit("chain", folder / "chain") + exhibit("tags", folder / "tags")
    given = [
        {"id": f"dep-{a.number}", "account": str(a.number), "address": a.deposit_address} for a in operation.accounts
    ]
    rows = [row for row, _ in files]
    base = context({"exhibit_files": rows, "deposit_addresses": given}, (raw for _, raw in files), PARAMS)
    for stage in STAGES:
        made = stage.work(base.tables[stage.over or "items"].slice(0, None if stage.over else 0), base)
        output = made if isinstance(made, Output) else whole(*made)
        balance(output)
        assert set(output.tables) == set(stage.writes)
        base = Context(PARAMS, {**base.tables, **output.tables}, base.blobs)
    return operation, truth, {name: rows_of(table) for name, table in base.tables.items()}


def exhibit(role: str, folder: Path) -> list[tuple[dict[str, Any], bytes]]:
    found = []
    for position, path in enumerate(sorted(p for p in folder.rglob("*") if p.is_file())):
        raw, inside = path.read_bytes(), str(path.relative_to(folder))
        row = {"exhibit": role, "role": role, "position": position, "path": inside.encode(), "name": inside,
               "size": len(raw), "sha256": digests_of(raw).sha256}  # fmt: skip
        found.append((row, raw))
    return found


def test_every_block_is_read_and_one_is_stale(told: tuple[Operation, ChainTruth, Tables]) -> None:
    _, truth, tables = told
    heights = [b["height"] for b in tables["blocks"] if b["state"] == "main"]
    assert heights == list(range(truth.height + 1))
    assert sum(b["state"] == "stale" for b in tables["blocks"]) == 1


def test_every_payment_is_found_and_no_other(told: tuple[Operation, ChainTruth, Tables]) -> None:
    _, truth, tables = told
    found = {(p["txid"], p["vout"], p["account"], p["sats"], p["height"]) for p in tables["payments"]}
    assert found == {(p.txid, p.vout, str(p.payment.account), p.sats, p.height) for p in truth.paid}


def test_no_cluster_holds_the_addresses_of_two_owners(told: tuple[Operation, ChainTruth, Tables]) -> None:
    _, truth, tables = told
    owners: dict[str, set[str]] = {}
    for row in tables["clusters"]:
        owners.setdefault(row["cluster"], set()).add(truth.owners[row["address"]])
    assert max(map(len, owners.values())) == 1
    assert len(owners) < len(tables["clusters"])


def test_services_behind_payments_are_those_of_the_truth(told: tuple[Operation, ChainTruth, Tables]) -> None:
    _, truth, tables = told
    by_id = {p["payment"]: (p["txid"], p["vout"]) for p in tables["payments"]}
    found = {
        (*by_id[s["payment"]], s["service"], s["hops"])
        for s in tables["services"]
        if s["direction"] == "back" and s["confidence"] != "none"
    }
    assert found == {(p.txid, p.vout, p.service, p.hops) for p in truth.paid if p.service}


def test_the_operators_cash_out_is_found(told: tuple[Operation, ChainTruth, Tables]) -> None:
    _, _, tables = told
    assert {s["service"] for s in tables["services"] if s["direction"] == "forward"}
