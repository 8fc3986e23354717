"""Payments: exactly the outputs that pay an address which an account was given."""

import pyarrow as pa

from casewright.chain.payments import payments
from casewright.engine.stage import Context
from casewright.model.ids import make_id
from tests.chain.test_blocks import balance
from tests.chain.world import COIN, PARAMS, Chain, address, follow, name_of, read
from tests.world import context, rows_of


def test_each_output_to_a_deposit_address_is_a_payment_with_its_height_and_time() -> None:
    chain = Chain()
    paid = chain.pay(chain.mint(("anna", 5 * COIN)), ("dep", COIN), ("dep", 2 * COIN), ("other", 2 * COIN))
    rows = follow(chain, {"acc-1": "dep", "acc-2": "never paid"})["payments"]
    assert [(f"{r['txid']}:{r['vout']}", r["account"], r["sats"], r["height"]) for r in rows] == [
        (name_of(paid[0]), "acc-1", COIN, 2),
        (name_of(paid[1]), "acc-1", 2 * COIN, 2),
    ]
    assert all(r["time"] is not None for r in rows)
    assert rows[0]["sources"] == [name_of(paid[0]), "dep-acc-1"]
    assert [r["payment"] for r in rows] == [make_id("pay", r["txid"], r["vout"], "acc-1") for r in rows]


def test_an_address_given_to_two_accounts_is_a_payment_to_each() -> None:
    chain = Chain()
    chain.pay(chain.mint(("anna", COIN)), ("dep", COIN))
    rows = follow(chain, {"acc-1": "dep", "acc-2": "dep"})["payments"]
    assert [r["account"] for r in rows] == ["acc-1", "acc-2"]
    assert len({r["payment"] for r in rows}) == 2


def test_an_address_recorded_twice_or_in_capitals_is_one_payment_that_rests_on_both_records() -> None:
    chain = Chain()
    chain.pay(chain.mint(("anna", COIN)), ("dep", COIN))
    given = [
        {"id": "a", "account": "acc-1", "address": address("dep")},
        {"id": "b", "account": "acc-1", "address": address("dep").upper()},
        {"id": "c", "account": "acc-3", "address": address("unpaid")},
    ]
    base = context({"deposit_addresses": given}, params=PARAMS)
    tables = {**base.tables, **read({"blk00000.dat": chain.file()}).tables}
    output = payments(pa.table({}), Context(base.params, tables, base.blobs))
    (row,) = rows_of(output.tables["payments"])
    assert row["sources"][1:] == ["a", "b"]
    assert balance(output)["deposit addresses"] == (2, 1, 1, 0)
