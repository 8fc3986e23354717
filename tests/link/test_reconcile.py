"""The service's ledger against the chain: every entry and every payment once, and each gap by its name."""

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.link.reconcile import reconciled
from tests.world import context, rows_of

PAID_AT = datetime(2017, 5, 1, 12)
TXID = "ab" * 32
OTHER = "cd" * 32


def hours(count: float) -> datetime:
    return PAID_AT + timedelta(hours=count)


def credit(name: str, sats: int = 1000, time: datetime | None = PAID_AT, account: str = "acct-1", **more: Any) -> dict:  # type: ignore[type-arg]
    return {"credit": name, "account": account, "time": time, "sats": sats, **more}


def payment(name: str, sats: int = 1000, time: datetime = PAID_AT, account: str = "acct-1", **more: Any) -> dict:  # type: ignore[type-arg]
    return {"payment": name, "txid": TXID, "vout": 0, "address": "1one", "account": account, "sats": sats,
            "height": 7, "time": time, **more}  # fmt: skip


def held(credits: list[dict[str, Any]], payments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    blocks = [{"hash": str(n), "height": n, "time": PAID_AT + timedelta(days=n), "state": "main"} for n in (-90, 90)]
    world = context({"credits": credits, "payments": payments, "blocks": blocks}, params={"late_hours": 24})
    output = reconciled(pa.table({}), world)
    rows = rows_of(output.tables["reconciled"])
    assert sorted(r["credit"] for r in rows if r["credit"]) == sorted(c["credit"] for c in credits)
    if credits:
        assert sorted(r["payment"] for r in rows if r["payment"]) == sorted(p["payment"] for p in payments)
    assert all(t.received == t.done + t.nothing for t in output.tallies)
    return rows


def states(rows: list[dict[str, Any]]) -> dict[tuple[str | None, str | None], str]:
    return {(r["credit"], r["payment"]): r["state"] for r in rows}


def test_an_entry_that_names_its_transaction_agrees_with_it() -> None:
    (row,) = held([credit("c", time=hours(2), txid=TXID)], [payment("p")])
    assert (row["state"], row["difference"], row["delay"]) == ("agrees", 0, 7200)
    assert row["reason"] == "equal amount, booked 2 hours after the block (the ledger names its transaction)"
    assert row["sources"] == ["c", "p"]


def test_an_entry_that_names_nothing_is_held_against_the_nearest_payment_of_its_amount() -> None:
    rows = held([credit("c1", time=hours(1)), credit("c2", time=hours(50))],
                [payment("p1"), payment("p2", time=hours(49), txid=OTHER)])  # fmt: skip
    assert states(rows) == {("c1", "p1"): "agrees", ("c2", "p2"): "agrees"}


def test_late_and_wrong_amounts_say_by_how_much() -> None:
    late, wrong = held([credit("c1", time=hours(72), txid=TXID), credit("c2", sats=990, txid=OTHER)],
                       [payment("p1"), payment("p2", txid=OTHER)])  # fmt: skip
    assert (late["state"], late["delay"]) == ("late", 259_200)
    assert (wrong["state"], wrong["difference"]) == ("wrong amount", -10)
    assert "10 sat less booked than the 1000 that were paid" in wrong["reason"]


def test_a_wrong_amount_without_a_transaction_must_be_near_in_time() -> None:
    assert states(held([credit("c", sats=900, time=hours(5))], [payment("p")])) == {("c", "p"): "wrong amount"}
    far = held([credit("c", sats=900, time=hours(200))], [payment("p")])
    assert states(far) == {("c", None): "off-chain", (None, "p"): "not booked"}


def test_one_payment_that_is_booked_twice_counts_once() -> None:
    rows = held([credit("c1", txid=TXID), credit("c2", time=hours(1), txid=TXID)], [payment("p")])
    assert states(rows) == {("c1", "p"): "agrees", ("c2", None): "booked twice"}
    unnamed = held([credit("c1", time=hours(1)), credit("c2", time=hours(2))], [payment("p")])
    assert states(unnamed) == {("c1", "p"): "agrees", ("c2", None): "booked twice"}


def test_of_a_transaction_that_pays_twice_the_amount_says_which_payment_is_booked_again() -> None:
    rows = held([credit("c1", txid=TXID), credit("c2", time=hours(1), txid=TXID)],
                [payment("p1", sats=990), payment("p2", vout=1)])  # fmt: skip
    assert states(rows) == {("c1", "p2"): "agrees", ("c2", None): "booked twice", (None, "p1"): "not booked"}
    assert "c1 books the same payment, p2" in next(r["reason"] for r in rows if r["credit"] == "c2")


def test_of_a_transaction_that_pays_twice_equal_amounts_belong_together_whatever_the_order() -> None:
    rows = held([credit("c1", sats=700, txid=TXID), credit("c2", txid=TXID)],
                [payment("p1"), payment("p2", sats=600, vout=1)])  # fmt: skip
    assert states(rows) == {("c1", "p2"): "wrong amount", ("c2", "p1"): "agrees"}


def test_one_entry_that_was_paid_twice_leaves_a_payment() -> None:
    rows = held([credit("c", txid=TXID)], [payment("p1"), payment("p2", time=hours(1), txid=OTHER)])
    assert states(rows) == {("c", "p1"): "agrees", (None, "p2"): "paid twice"}


def test_an_entry_whose_transaction_never_came_is_unpaid_and_one_that_names_none_is_off_chain() -> None:
    rows = held([credit("c1", txid=TXID), credit("c2", sats=50, time=hours(90), note="voucher")], [])
    assert states(rows) == {("c1", None): "unpaid", ("c2", None): "off-chain"}
    assert TXID in rows[0]["reason"]
    assert rows[1]["reason"].endswith("its note: voucher")


def test_what_lies_before_or_after_the_chain_files_cannot_be_told() -> None:
    rows = held([credit("c", time=hours(24 * 200), txid=TXID)], [])
    assert states(rows) == {("c", None): "outside the chain files"}


def test_a_payment_to_another_account_or_address_is_not_its() -> None:
    rows = held([credit("c", address="1two")], [payment("p"), payment("q", account="acct-2", txid=OTHER)])
    assert states(rows) == {("c", None): "unpaid", (None, "p"): "not booked", (None, "q"): "not booked"}


def test_a_bech32_address_in_capitals_is_the_same() -> None:
    rows = held([credit("c", address="BC1QXYZ")], [payment("p", address="bc1qxyz")])
    assert states(rows) == {("c", "p"): "agrees"}


def test_an_entry_may_stand_shortly_before_its_block_but_not_long() -> None:
    assert states(held([credit("c", time=hours(-1))], [payment("p")])) == {("c", "p"): "agrees"}
    assert states(held([credit("c", time=hours(-30))], [payment("p")])) == {
        ("c", None): "off-chain", (None, "p"): "not booked",
    }  # fmt: skip


def test_payments_after_the_last_entry_say_so() -> None:
    rows = held([credit("c", txid=TXID)], [payment("p"), payment("q", sats=5, time=hours(900), txid=OTHER)])
    (gap,) = [r for r in rows if r["state"] == "not booked"]
    assert gap["reason"].startswith("paid after the ledger's last entry")


def test_without_a_ledger_nothing_is_said() -> None:
    assert held([], [payment("p")]) == []


def test_an_entry_of_an_unknown_account_stands_too() -> None:
    (row, _) = held([credit("c", account=None, txid=TXID)], [payment("p")])  # type: ignore[arg-type]
    assert (row["account"], row["state"]) == (None, "unpaid")


@settings(max_examples=25)
@given(st.data())
def test_every_entry_and_every_payment_stands_once_whatever_they_are(data: st.DataObject) -> None:
    amounts, moments = st.integers(1, 3), st.one_of(st.none(), st.integers(-100, 200).map(hours))
    names, accounts = st.sampled_from([None, TXID, OTHER]), st.sampled_from(["acct-1", "acct-2"])
    credits = [
        credit(f"c{n}", data.draw(amounts), data.draw(moments), data.draw(accounts), txid=data.draw(names),
               address=data.draw(st.sampled_from([None, "1one", "1two"])))
        for n in range(data.draw(st.integers(0, 5)))
    ]  # fmt: skip
    payments = [
        payment(f"p{n}", data.draw(amounts), hours(data.draw(st.integers(-100, 200))), data.draw(accounts), vout=n,
                txid=data.draw(st.sampled_from([TXID, OTHER])))
        for n in range(data.draw(st.integers(0, 5)))
    ]  # fmt: skip
    rows = held(credits, payments)
    for row in rows:
        if row["credit"] and row["payment"]:
            assert (row["state"] == "wrong amount") == (row["difference"] != 0)


@pytest.mark.parametrize("late_hours", [1, 100])
def test_what_is_late_is_a_setting(late_hours: int) -> None:
    world = context({"credits": [credit("c", time=hours(10))], "payments": [payment("p")]},
                    params={"late_hours": late_hours})  # fmt: skip
    (row,) = rows_of(reconciled(pa.table({}), world).tables["reconciled"])
    assert row["state"] == ("late" if late_hours == 1 else "agrees")
