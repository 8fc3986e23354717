"""The stage that inventories wallets: files of wallet programs, and keys that stand in other items."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Stage, Tally
from casewright.extract.formats import quoted
from casewright.extract.wallet_inventory import DONE, ITEMS, NOTHING, READERS, Inventory
from casewright.model.settings import Settings

WRITTEN = ("descriptor", "xprv", "xpub", "wif")
"""Kinds of selectors that own addresses; descriptors first, for they hold the others."""
KEYS = f"kind IN ({quoted(WRITTEN)})"
FIRST = f"""SELECT * FROM (SELECT item, kind, span_start, span_length FROM selectors WHERE {KEYS}
QUALIFY row_number() OVER (PARTITION BY kind, value ORDER BY item, span_start) = 1)
WHERE item IN (SELECT item FROM batch) ORDER BY item, kind, span_start"""  # noqa: S608  ours


def wallets(batch: pa.Table, context: Context) -> Output:
    """Wallets and the addresses they own, read once where several items have the same bytes."""
    inventory, outcomes = Inventory(context), list[str]()
    first = context.sql(
        "SELECT min(i.item) AS item FROM items i WHERE i.sha256 IN (SELECT sha256 FROM batch) GROUP BY i.sha256",
        batch=batch,
    ).column("item").to_pylist()  # fmt: skip
    written = _written(batch, context)
    for item in batch.to_pylist():
        outcome = NOTHING
        if item["item"] in first and item["mime"] in READERS:
            outcome = inventory.file(item)
        if item["item"] in first and outcome == NOTHING:
            outcome = inventory.texts(item, written.get(item["item"], ()))
        outcomes.append(outcome)
    return inventory.output(Tally(ITEMS, batch.num_rows, outcomes.count(DONE), outcomes.count(NOTHING)))


def _written(batch: pa.Table, context: Context) -> Mapping[str, list[Mapping[str, Any]]]:
    """Keys by the item in which each stands first."""
    found = context.sql(FIRST, batch=batch).to_pylist()
    by_item = dict[str, list[Mapping[str, Any]]]()
    for row in sorted(found, key=lambda row: WRITTEN.index(row["kind"])):
        by_item.setdefault(row["item"], []).append(row)
    return by_item


def _params(settings: Settings) -> Mapping[str, Any]:
    return {"wallet_gap": settings.extract.wallet_gap, "network": settings.chain.network}


WHERE = f"mime IN ({quoted(READERS)}) OR item IN (SELECT item FROM selectors WHERE {KEYS})"  # noqa: S608  ours
WALLETS = Stage("wallets", 1, ("items", "selectors"), ("wallets", "wallet_addresses"), wallets,
                over="items", where=WHERE, order="item", batch=16, hostile=True, sees_all=True,
                beside={"selectors": KEYS}, params=_params)  # fmt: skip
