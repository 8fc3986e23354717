"""What comes on paper: tags of the invented exchanges, their answers to legal process, and earlier cases."""

import csv
import hashlib
import io
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import TextIO

import yaml

from casewright.demo.chain import ChainTruth
from casewright.demo.operation import Operation

TAGGED = 2
"""Hot addresses of each service that taggers know; the others must be found by co-spending."""


def reference(service: str) -> str:
    """The reference under which a request to this service goes out."""
    return "CW-" + hashlib.sha256(service.encode("utf-8")).hexdigest()[:8].upper()


def write_papers(operation: Operation, chain: ChainTruth, folder: Path) -> None:
    """`tags/`, `returns/` and `prior.csv`."""
    for name in ("tags", "returns"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "tags" / "glasshouse.tagpack.yaml").write_text(_tagpack(operation, chain), "utf-8")
    (folder / "tags" / "glasshouse.actorpack.yaml").write_text(_actorpack(operation), "utf-8")
    for service in operation.services:
        if service.category == "exchange":
            name = service.label.lower().replace(" ", "-")
            (folder / "returns" / f"{name}.csv").write_text(_return(operation, chain, service.label), "utf-8")
    with (folder / "prior.csv").open("w", encoding="utf-8", newline="") as file:
        _write_csv(file, PRIOR, (tuple(vars(p).values()) for p in operation.priors))


def _actor(label: str) -> str:
    return label.lower().replace(" ", "_")


def _tagpack(operation: Operation, chain: ChainTruth) -> str:
    """GraphSense TagPack: header fields are inherited by the tags."""
    tags = []
    for service in operation.services:
        addresses = [a for a, owner in chain.owners.items() if owner == service.label][:TAGGED]
        tags += [
            {"address": a, "label": service.label, "actor": _actor(service.label), "category": service.category}
            for a in addresses
        ]
    doubted = next(a for a, owner in chain.owners.items() if owner == operation.services[0].label)
    tags.append(
        {"address": doubted, "label": "Kestrel OTC (closed)", "category": "exchange", "confidence": "web_crawl"}
    )
    pack = {
        "title": "Glasshouse: invented services", "creator": "Museum Crimes Unit", "currency": "BTC",
        "lastmod": "2018-03-01", "source": "invented for the demonstration", "confidence": "service_data", "tags": tags,
    }  # fmt: skip
    return yaml.safe_dump(pack, sort_keys=False, allow_unicode=True)


def _actorpack(operation: Operation) -> str:
    actors = [
        {"id": _actor(s.label), "label": s.label, "categories": [s.category], "jurisdictions": [s.country],
         "context": f'{{"legal_name": "{s.legal_name}"}}'}
        for s in operation.services if s.country
    ]  # fmt: skip
    pack = {"title": "Glasshouse: invented actors", "creator": "Museum Crimes Unit", "actors": actors}
    return yaml.safe_dump(pack, sort_keys=False, allow_unicode=True)


COLUMNS = (
    "reference",
    "service",
    "txid",
    "address",
    "customer",
    "full_name",
    "born",
    "email",
    "phone",
    "country",
    "ip",
    "ip_time",
    "document",
)
PRIOR = ("case", "full_name", "born", "email", "phone", "country", "note")


def _return(operation: Operation, chain: ChainTruth, label: str) -> str:
    """What a service answers: a row a withdrawal; one of them broken, one about something that nobody asked."""
    rows: list[Iterable[str]] = []
    at_home = _at_home(operation)
    for paid in chain.paid:
        customer = paid.payment.customer
        if paid.service != label or customer is None or paid.withdrawal is None or paid.payee is None:
            continue
        rows.append((reference(label), label, paid.withdrawal, paid.payee, customer.number, customer.full_name,
                     customer.born, customer.email, customer.phone, customer.country,
                     *at_home.get(paid.payment.account, (customer.ip, "")), _document(customer.number)))  # fmt: skip
    rows.insert(2, (reference(label), label, "row that was cut off"))
    rows.append(
        (
            reference(label),
            label,
            "00" * 32,
            "",
            "C-1",
            "Nobody Asked",
            "1970-01-01",
            "nobody@example.com",
            "",
            "NL",
            "",
            "",
            "",
        )
    )
    return _csv(COLUMNS, rows)


def _at_home(operation: Operation) -> dict[int, tuple[str, str]]:
    """Of accounts whose customer was judged to be theirs: the address at which both the site and the service saw them,
    and when the service did; not of those who pay for others."""
    own = {d.account for d in operation.decisions if d.verdict == "positive"}
    direct = {p.account for p in operation.payments if p.route == "direct"}
    seen = {
        account: (ip, f"{time + timedelta(minutes=20):%Y-%m-%d %H:%M:%S}Z") for account, time, ip in operation.logins
    }
    return {account: where for account, where in seen.items() if account in own & direct}


def _document(number: str) -> str:
    """Every other customer showed a document."""
    return f"passport, seen at sign-up ({number})" if int(number[2:]) % 2 else ""


def _csv(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    sink = io.StringIO()
    _write_csv(sink, columns, rows)
    return sink.getvalue()


def _write_csv(sink: TextIO, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    writer = csv.writer(sink, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
