"""Exact joins: what is asked of services, and what belongs together."""

import hashlib
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally, sql_stage_text
from casewright.link.chain_rows import rows_among
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

CHAIN = {"outputs": ("txid", "vout", "address"), "transactions": ("txid", "block")}
"""Columns of the chain's tables that are looked at."""
LINKS = ("account_payment", "account_media", "account_person", "person_prior")


def reference_of(service: str) -> str:
    """The reference under which a request goes to this service; returns carry it back."""
    return "CW-" + hashlib.sha256(service.encode("utf-8")).hexdigest()[:8].upper()


def requests(batch: pa.Table, context: Context) -> Output:
    """One line for each output that a service must know about; what lies behind a mix is asked of nobody."""
    asked_about = context.table("services")["txid"]
    chain = {name: rows_among(context, name, "txid", asked_about, columns) for name, columns in CHAIN.items()}
    rows = context.sql(sql_stage_text(__file__, "requests"), **chain).to_pylist()
    for row in rows:
        row["reference"] = reference_of(row["service"])
        row["request"] = make_id("request", row["service"], row["txid"], row["vout"])
    received, asked = context.table("services").num_rows, len({s for row in rows for s in row["sources"]})
    tally = Tally("services found", received, asked, received - asked)
    return Output({"requests": TABLES["requests"].rows(rows)}, [], [tally])


def links(batch: pa.Table, context: Context) -> Output:
    """Suggestions, each with what speaks for it and against it."""
    rows = []
    outputs = rows_among(context, "outputs", "txid", context.table("services")["txid"], CHAIN["outputs"])
    for name in LINKS:
        found = context.sql(sql_stage_text(__file__, name), outputs=outputs).to_pylist()
        for row in found:
            row["link"] = make_id("link", row["kind"], row["from_id"], row["to_id"])
        rows += sorted(found, key=lambda r: str(r["link"]))
    rows = _with_suggestions(rows, context.table("suggestions").to_pylist())
    answered = {s for row in rows if row["kind"] == "account-person" for s in row["sources"]}
    received = context.table("returns").column("return_id").to_pylist()
    used = sum(r in answered for r in received)
    tally = Tally("returns", len(received), used, len(received) - used)
    return Output({"links": TABLES["links"].rows(rows)}, [], [tally])


def _with_suggestions(joined: list[dict[str, Any]], suggested: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Exact joins, with the weight of those that were weighed too, then what is suggested by weight alone."""
    weighed = {row["link"]: row for row in suggested}
    for row in joined:
        if same := weighed.pop(row["link"], None):
            row |= {"weight": same["weight"], "probability": same["probability"],
                    "against": same["against"], "sources": [*row["sources"], same["suggestion"]]}  # fmt: skip
    alone = [{**row, "sources": [row["from_id"], row["to_id"], row["suggestion"]]} for row in weighed.values()]
    return joined + [{name: row[name] for name in TABLES["links"].schema.names} for row in alone]
