"""A small case of invented people, run through the stages of link and refer, and its packages."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output
from casewright.engine.tables import TableFolder, parquet_bytes
from casewright.link.joins import reference_of
from casewright.link.stages import JUDGED
from casewright.link.stages import STAGES as LINK
from casewright.model.ids import make_id
from casewright.model.settings import CaseSettings, ReferSettings, Settings
from casewright.model.tables import TABLES
from casewright.refer.package import Order, write_packages
from casewright.refer.stages import STAGES as REFER
from casewright.vault.keys import SealKey
from tests.world import MemoryBlobs, context, digests_of

Spoil = Callable[[dict[str, pa.Table]], dict[str, pa.Table]]
SERVICE, REFERENCE = "Kestrel Exchange", reference_of("Kestrel Exchange")
KEY = SealKey.from_seed(b"tests of the refer room")
HOSTILE = {
    "formula": '=HYPERLINK("http://x","y")', "markup": "#{1+1} *bold* <b> $x$ @ref", "bidi": "\u202egnp.exe",
    "long": "n" * 10_000, "letters": "가상인",
}  # fmt: skip
"""User names of the accounts, which are called by the keys."""
PEOPLE = {"formula": ("Ada Invented", "NL"), "markup": ("Bo Unjudged", "NL"), "bidi": ("Cy Rejected", "NL"),
          "long": ("Di Imaginary", "DE"), "letters": ("Ed Elsewhere", "../../KR")}  # fmt: skip
VERDICTS = {"formula": "positive", "bidi": "negative", "long": "positive"}
SETTINGS = Settings(case=CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example", "MCU-1"),
                    refer=ReferSettings(contact="R. Example"))  # fmt: skip


def returned() -> bytes:
    """What the service sent back: one row an account, in their order."""
    rows = ["reference,service,txid,address,customer,full_name,born,email,country"]
    for n, (name, country) in enumerate(PEOPLE.values()):
        rows.append(f"{REFERENCE},{SERVICE},t{n},addr{n},C-{n},{name},1970-01-0{n + 1},c{n}@example.com,{country}")
    return "\n".join(rows).encode() + b"\n"


PRIOR = b"case,full_name,born,email,note\n2014-1,Ada Invented,1970-01-01,c0@example.com,has access to a collection\n"


def tables(settings: Settings = SETTINGS, spoil: Spoil | None = None) -> dict[str, pa.Table]:
    """Every table of the case, made by the stages from what the other rooms would have found.

    `spoil` may change the tables from which the figures are made.
    """
    figures = next(stage for stage in REFER if stage.name == "figures")
    made = spoil(dict(_before_figures())) if spoil else _before_figures()
    output = outputs_of(figures.work(pa.table({}), Context(figures.params(settings), made, MemoryBlobs())))
    return {name: rows for name, rows in {**made, **output}.items() if name in TABLES}


@cache
def _before_figures() -> Mapping[str, pa.Table]:
    papers = [("return", returned()), ("prior", PRIOR)]
    paid = list(enumerate(HOSTILE))
    world = context({
        "exhibits": [{"exhibit": "settings-1", "role": "settings", "name": "case.toml", "size": 1},
                     {"exhibit": "disk-1", "role": "seizure", "name": "server", "size": 9},
                     *({"exhibit": role, "role": role, "name": f"{role}.csv", "size": 1} for role, _ in papers)],
        "exhibit_files": [{"exhibit": role, "role": role, "position": 0, "path": b"", "name": f"{role}.csv",
                           "sha256": digests_of(raw).sha256} for role, raw in papers],
        "accounts": [{"account": a, "native": str(n), "username": HOSTILE[a], "item": "dump",
                      "origin": "freed" if a == "bidi" else "live"} for n, a in paid],
        "former_values": [{"id": "former-1", "account": "formula", "column": "email", "value": "old@example.com"}],
        "deposit_addresses": [{"id": f"dep-{a}", "account": a, "address": f"dep{n}",
                               "origin": "wal" if a == "markup" else "live"} for n, a in paid],
        "payments": [{"payment": f"pay-{a}", "txid": f"t{n}", "vout": 0, "address": f"dep{n}", "account": a,
                      "sats": 150_000_000 + n, "height": n, "time": datetime(2016, 1, n + 1),
                      "sources": [f"t{n}:0", f"dep-{a}"]} for n, a in paid],
        "outputs": [{"txid": f"t{n}", "vout": 0, "address": f"addr{n}", "sats": 1} for n, _ in paid],
        "transactions": [{"txid": f"t{n}", "block": "b", "position": n} for n, _ in paid],
        "blocks": [{"hash": "b", "height": 1, "time": datetime(2016, 1, 1)}],
        "services": [{"id": f"service-{a}", "payment": f"pay-{a}", "direction": "back", "service": SERVICE,
                      "txid": f"t{n}", "vout": 0, "sats": 1, "hops": 1, "confidence": "strong",
                      "against": "the tag may be stale"} for n, a in paid],
        "uploads": [{"upload": "up-1", "account": "formula", "reference": "/media/1.jpg"}],
        "items": [{"item": "item-1", "name": "var/media/1.jpg", "size": 7, "sha256": "ab" * 32, "sha1": "cd" * 20,
                   "md5": "ef" * 16, "mime": "image/jpeg"}],
        "media": [{"item": "item-1", "kind": "picture", "width": 4, "height": 3, "pdq": "0f" * 32}],
        "worklist": [{"rank": 1, "item": "item-1", "state": "new", "reason": "on no list"}],
        "uploaded_media": [{"id": "put-1", "upload": "up-1", "account": "formula", "item": "item-1",
                            "how": "the record names its path", "shared": False}],
        "tallies": [{"stage": "media", "noun": "media", "received": 2, "done": 1, "nothing": 0, "set_aside": 1}],
    }, [raw for _, raw in papers])  # fmt: skip
    events: list[str] = []
    for stage in (s for s in (*LINK, *JUDGED, *REFER) if s.name != "figures"):
        told = {"ledger/judgement": events, "ledger/process": [], "ledger/flag": [], "ledger/recalled": []}
        ledger = {name: pa.table({"event": pa.array(lines, pa.string())}) for name, lines in told.items()}
        made = {**world.tables, **ledger}
        given = Context(stage.params(SETTINGS), made, world.blobs)
        rows = f"SELECT * FROM {stage.over} WHERE {stage.where} ORDER BY {stage.order}"
        over = given.sql(rows).cast(TABLES[stage.over].schema) if stage.over else pa.table({})
        output = outputs_of(stage.work(over, given))
        world.tables = {**made, **output}
        if stage.name == "links":
            events = [json.dumps(e) for e in judged(output["links"])]
    return world.tables


def outputs_of(made: Any) -> dict[str, pa.Table]:
    """A stage's tables, whether it gives one Output or several."""
    outputs = [made] if isinstance(made, Output) else list(made)
    return {name: pa.concat_tables([o.tables[name] for o in outputs]) for name in outputs[0].tables}


def judged(links: pa.Table) -> list[dict[str, Any]]:
    """The ledger's lines: who was judged, in words that name them, as examiners do."""
    return [
        {"kind": "judgement", "data": {"link": link["link"], "verdict": VERDICTS[link["from_id"]],
                                       "examiner": "R. Example", "why": f"looked at {PEOPLE[link['from_id']][0]}"}}
        for link in links.to_pylist() if link["kind"] == "account-person" and link["from_id"] in VERDICTS
    ]  # fmt: skip


def ledger_lines(made: Mapping[str, pa.Table]) -> list[str]:
    sealed = [{"kind": "sealed", "data": {k: e[k] for k in ("exhibit", "role", "name")}}
              for e in made["exhibits"].to_pylist()]  # fmt: skip
    return [json.dumps(e) for e in [{"kind": "opened", "data": {}}, *sealed, *judged(made["links"])]]


def write_tables(made: Mapping[str, pa.Table], folder: Path) -> None:
    """The tables on the disk, as the engine writes them."""
    for name, rows in made.items():
        raw = parquet_bytes(rows)
        (folder.parent / "part").write_bytes(raw)
        part = {"file": "part-000000.parquet", "sha256": hashlib.sha256(raw).hexdigest(), "rows": rows.num_rows,
                "stage": make_id("stage", name)}  # fmt: skip
        TableFolder(folder).replace(name, {"parts": [part]}, [("part-000000.parquet", folder.parent / "part")])
        (folder.parent / "part").unlink()


def packages(
    folder: Path, *countries: str, settings: Settings = SETTINGS, spoil: Spoil | None = None, language: str = "en"
) -> list[Path]:
    """The small case's packages for these countries, under `folder`."""
    folder.mkdir(exist_ok=True)
    made = tables(settings, spoil)
    write_tables(made, folder / "tables")
    (folder / "packages").mkdir(exist_ok=True)
    orders = [Order(country, (), language) for country in countries]
    done = write_packages(orders, folder / "tables", ledger_lines(made), settings, folder / "packages", KEY)
    return [bag for _, bag, _ in done]
