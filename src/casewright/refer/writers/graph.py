"""The package as a CASE graph (UCO 1.x JSON-LD), and its media as VICS metadata.

CASE has no class for payments or wallets; those go under our own namespace, as generic UCO objects with our properties.
Ids are UUIDs of version 5 over our own ids, so the same figures give the same graph.
"""

import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from msgspec.json import encode
from msgspec.json import format as format_json

from casewright.model.vics import CASES, DIALECT, NAMESPACE, case_fields, medium_fields
from casewright.refer.writers.grid import Figure, Figures, first

BASE = "http://example.org/casewright/kb/"
VOCABULARY = "http://example.org/casewright/ontology/"
CONTEXT = {
    "kb": BASE,
    "casewright": VOCABULARY,
    "core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
CLASSES = {
    "accounts": "observable:ObservableObject", "persons": "identity:Person", "media": "observable:ObservableObject",
    "payments": "core:UcoObject", "services": "core:UcoObject",
}  # fmt: skip
NAMED = {("persons", "full name"): "core:name"}
Row = Mapping[str, Figure]
HASHES = ("sha256", "sha1", "md5")
HASH_NAMES = {"sha256": "SHA256", "sha1": "SHA1", "md5": "MD5"}


def node_id(*parts: str) -> str:
    """Our id of a node; its last part is a UUID, as CASE asks."""
    return f"kb:{parts[0]}-{uuid.uuid5(NAMESPACE, '/'.join(parts))}"


def case_graph(figures: Figures) -> bytes:
    """The graph as bytes of JSON-LD, a node a line. Every literal is a figure's value; `casewright:figure` names it.

    Payments, media and persons lead to their account by `casewright:ofAccount`, services to their payment by
    `casewright:ofPayment`. What is withheld is left out.
    """
    found = [(section, shown) for section in CLASSES for row in figures.section(section).rows if (shown := _shown(row))]
    accounts, subjects = _places(found)
    nodes = b",\n".join(encode(_node(section, row, accounts, subjects), order="sorted") for section, row in found)
    return b'{"@context": ' + encode(CONTEXT) + b',\n"@graph": [\n' + nodes + b"\n]}\n"


def _shown(row: Row) -> Row:
    return {label: f for label, f in row.items() if not f.withheld}


def _node(
    section: str, row: Row, accounts: Mapping[str, str], subjects: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    subject, values = first(row).subject, {label: f.value for label, f in row.items()}
    node: dict[str, Any] = {"@id": _own_id(section, row), "@type": CLASSES[section],
                            "casewright:figure": [f.figure for f in row.values()]}  # fmt: skip
    facets = _facets(section, subject, values)
    if facets:
        node["core:hasFacet"] = facets
    else:
        node |= {NAMED.get((section, k), f"casewright:{_term(k)}"): value for k, value in values.items()}
    return node | _leads(section, row, accounts, subjects)


def _own_id(section: str, row: Row) -> str:
    return node_id(section, first(row).subject, first(row).figure)


def _places(found: Sequence[tuple[str, Row]]) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """Nodes of accounts by account id (the first, when an account is referred with several persons); all by subject."""
    accounts: dict[str, str] = {}
    subjects: dict[tuple[str, str], str] = {}
    for section, row in found:
        own = _own_id(section, row)
        subjects.setdefault((section, first(row).subject), own)
        if section == "accounts" and "account" in row:
            accounts.setdefault(row["account"].value, own)
    return accounts, subjects


def _leads(
    section: str, row: Row, accounts: Mapping[str, str], subjects: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    """Edges to the node that this one is about."""
    if section in ("payments", "media"):
        edges = [("casewright:ofAccount", accounts.get(s)) for s in first(row).sources]
    elif section == "persons":
        edges = [("casewright:ofAccount", subjects.get(("accounts", first(row).subject)))]
    elif section == "services" and "payment" in row:
        edges = [("casewright:ofPayment", subjects.get(("payments", row["payment"].value)))]
    else:
        edges = []
    return {name: {"@id": target} for name, target in edges if target}


@cache
def _term(label: str) -> str:
    """A label as a property name: letters and digits in camel case."""
    words = "".join(c if c.isalnum() else " " for c in label).split()
    return words[0].lower() + "".join(w.capitalize() for w in words[1:])


def _facets(section: str, subject: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
    if section == "accounts" and "account" in values:
        facet: dict[str, Any] = {"@id": node_id("account-facet", subject, values["account"]),
                                 "@type": "observable:AccountFacet",
                                 "observable:accountIdentifier": values["account"]}  # fmt: skip
        digital: dict[str, Any] = {"@id": node_id("digital-account-facet", subject, values["account"]),
                                   "@type": "observable:DigitalAccountFacet"}  # fmt: skip
        if "username" in values:
            digital["observable:displayName"] = values["username"]
        rest = {f"casewright:{_term(k)}": v for k, v in values.items() if k not in ("account", "username")}
        return [{**facet, **rest}, digital]
    if section == "media":
        return [_content(subject, values)]
    return []


def _content(subject: str, values: Mapping[str, str]) -> dict[str, Any]:
    hashes = [
        {"@id": node_id("hash", subject, name), "@type": "types:Hash", "types:hashMethod": HASH_NAMES[name],
         "types:hashValue": {"@type": "xsd:hexBinary", "@value": values[name].upper()}}
        for name in HASHES if name in values
    ]  # fmt: skip
    content: dict[str, Any] = {"@id": node_id("content-facet", subject), "@type": "observable:ContentDataFacet",
                               "observable:hash": hashes}  # fmt: skip
    if "size" in values:
        content["observable:sizeInBytes"] = int(values["size"])
    if "type" in values:
        content["observable:mimeType"] = values["type"]
    rest = {f"casewright:{_term(k)}": v for k, v in values.items() if k not in (*HASHES, "size", "type")}
    return {**content, **rest}


def vics(figures: Figures, case: str) -> bytes:
    """VICS 2.0 metadata of the media in the package: hashes and sizes, no category of ours, no media."""
    media = [_vics_media(number, row) for number, row in enumerate(_media_rows(figures), start=1)]
    about = {**case_fields(case), "TotalMediaFiles": len(media), "Media": media}
    return format_json(encode({"@odata.context": DIALECT + CASES, "value": [about]}), indent=1) + b"\n"


def _media_rows(figures: Figures) -> Sequence[Mapping[str, str]]:
    """Each content once; one of which a hash is withheld is none to look for."""
    rows = [{label: f.value for label, f in _shown(row).items()} for row in figures.section("media").rows]
    return list({row["sha256"]: row for row in rows if row.keys() >= {*HASHES, "size", "type", "path"}}.values())


def _vics_media(number: int, row: Mapping[str, str]) -> dict[str, Any]:
    hashes = (row["sha256"], row["sha1"], row["md5"])
    return medium_fields(number, *hashes, int(row["size"]), row["type"], row["path"], row.get("pdq"))
