"""Tags: GraphSense TagPacks and ActorPacks, as YAML.

Header fields of a pack are inherited by its tags (https://github.com/graphsense/graphsense-tagpack-tool, docs). All tags
are kept, also when they disagree.
"""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import yaml

from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

LEVELS = {
    "ownership": 100, "manual_transaction": 90, "override": 90, "service_api": 80, "authority_data": 75,
    "trusted_provider": 70, "service_data": 60, "forensic": 50, "forensic_investigation": 50, "untrusted_transaction": 40,
    "ledger_immanent": 100, "proof_of_reserves": 90, "web_crawl": 20, "heuristic": 10, "unknown": 5,
}  # fmt: skip
"""Level of each confidence id, after GraphSense's confidence taxonomy; ids that it does not know get 5."""
MAX_BYTES, MAX_TAGS = 1 << 28, 5_000_000
INHERITED = ("label", "actor", "category", "confidence", "source", "currency", "context")


def tags(batch: pa.Table, context: Context) -> Output:
    """All tags of the packs; legal names and jurisdictions come from ActorPacks or from a tag's own context."""
    packs, aside = [], []
    files = context.sql("SELECT * FROM exhibit_files WHERE role = 'tags' ORDER BY exhibit, position").to_pylist()
    for row in files:
        try:
            packs.append((row, _load(row, context)))
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
            detail = f"{row['name']}: {str(error).splitlines()[0][:200]}"
            aside.append(SetAside("files", row["exhibit"], "no tag pack", detail))
    actors = {str(a["id"]): a for _, pack in packs for a in _dicts(pack.get("actors")) if "id" in a}
    rows, received, foreign = [], 0, 0
    for file, pack in packs:
        for number, tag in enumerate(_list(pack.get("tags")), start=1):
            received += 1
            whole = {**{k: pack[k] for k in INHERITED if k in pack}, **tag} if isinstance(tag, Mapping) else {}
            if str(whole.get("currency", "BTC")).upper() != "BTC":
                foreign += 1
            elif not whole.get("address") or not whole.get("label"):
                words = f"{file['name']}, tag {number}: has no address or no label"
                aside.append(SetAside("tags", file["exhibit"], "incomplete", words, row=number))
            else:
                rows.append(_row(file, number, whole, actors))
    tallies = [
        Tally("files", len(files), len(packs)),
        Tally("tags", received, len(rows), foreign),
    ]
    return Output({"tags": TABLES["tags"].rows(rows)}, aside, tallies)


def _load(row: Mapping[str, Any], context: Context) -> dict[str, Any]:
    if row["size"] > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    with context.open(row["sha256"]) as file:
        text = file.read().decode("utf-8-sig")
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_events_loader())):
        raise ValueError("uses YAML aliases, which a tag pack has no need of")
    pack = yaml.load(text, Loader=_loader())  # noqa: S506  both loaders are safe ones
    if not isinstance(pack, dict) or not ({"tags", "actors"} & pack.keys()):
        raise ValueError("has neither tags nor actors")
    if len(_list(pack.get("tags"))) > MAX_TAGS:
        raise ValueError(f"has more than {MAX_TAGS} tags")
    return pack


def _loader() -> Any:
    """The safe loader, with dates left as they are written."""
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Plain(base):  # type: ignore[misc]
        pass

    Plain.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in base.yaml_implicit_resolvers.items()
    }
    return Plain


def _events_loader() -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _row(file: Mapping[str, Any], number: int, tag: Mapping[str, Any], actors: Mapping[str, Any]) -> dict[str, Any]:
    actor = actors.get(str(tag.get("actor")), {})
    about = {**_context(actor.get("context")), **_context(tag.get("context"))}
    confidence = str(tag.get("confidence", "unknown"))
    countries = _list(actor.get("jurisdictions"))
    return {
        "tag": make_id("tag", file["exhibit"], file["path"], number), "address": str(tag["address"]),
        "label": str(tag["label"]), "actor": _text(tag.get("actor")), "category": _text(tag.get("category")),
        "confidence": confidence, "level": LEVELS.get(confidence, 5), "source": _text(tag.get("source")),
        "legal_name": _text(about.get("legal_name")),
        "jurisdiction": _text(about.get("jurisdiction") or (countries[0] if countries else None)),
        "exhibit": file["exhibit"], "path": file["path"], "row": number,
    }  # fmt: skip


def _context(value: Any) -> dict[str, Any]:
    """A tag's `context`: JSON in a string, or a mapping."""
    if isinstance(value, Mapping):
        return dict(value)
    try:
        found = json.loads(value) if isinstance(value, str) else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [v for v in _list(value) if isinstance(v, Mapping)]
