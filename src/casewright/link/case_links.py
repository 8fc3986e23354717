"""The stage `case_links`: what this case shares with others, how strong that is, and what speaks against it.

What everybody may share is no link and is dropped: private and shared IP addresses, generic names, role mailboxes,
addresses of services, serial numbers that are none. The rules are stated in docs/guides/process.md.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.link.comparable import DEVICE, LENS, PICTURE, SERVICES, values
from casewright.link.other_case import Row, Shared, read
from casewright.model.ids import make_id
from casewright.model.networks import is_public
from casewright.model.serials import tells
from casewright.model.tables import TABLES

STRONG, WEAK = "strong", "weak"
MANY, MANY_ON_ONE_IP = 20, 5
"""What more than so many accounts, records or items of a case have is common; an IP address sooner: NAT, proxy, Tor."""
SHORTEST_NAME, SHORTEST_PHONE = 5, 7
GENERIC = frozenset(
    """
    admin administrator root test tester user guest anonymous anon nobody unknown moderator mod support demo member
    newuser default system null none
    """.split()  # noqa: SIM905  readable as a list
)
MAILBOXES = GENERIC | {"info", "noreply", "no-reply", "mail", "webmaster", "postmaster", "abuse", "contact", "office"}
AGAINST = {
    "email": "whoever registers may write any address; accounts of mail are shared and taken over",
    "username": "people choose the same names",
    "phone": "numbers are given out again",
    "ip": "addresses are shared, and change hands within days",
    "bitcoin": "a wallet can be one of several people's",
    "ethereum": "it stands in a text: who wrote it need not own it",
    "monero": "it stands in a text: who wrote it need not own it",
    "onion": "anybody may name a site",
    "pgp": "public keys are passed on",
    "xpub": "a wallet's public key can be passed on",
    "descriptor": "a wallet's public key can be passed on",
    "media": "media are copied and passed on",
    PICTURE: "pictures that look alike can be of different origin; pictures are passed on",
    DEVICE: "headers can be forged, and devices sold",
    LENS: "a lens goes from camera to camera",
}
ALWAYS_WEAK = frozenset({"username", "ip", "ethereum", "monero", "onion", PICTURE, LENS})


def case_links(batch: pa.Table, context: Context) -> Output:
    """`case_links`: a row for each value that counts; what is common is nothing to find."""
    files = context.sql("SELECT * FROM exhibit_files WHERE role = 'case' ORDER BY exhibit, position").to_pylist()
    ours = {(r["kind"], r["value"]): r for r in values(context.sql).to_pylist()} if files else {}
    services = set(context.sql(SERVICES).column("address").to_pylist()) if files else set()
    rows: dict[str, Row] = {}
    aside: list[SetAside] = []
    received = 0
    for file in files:
        with context.open(file["sha256"]) as opened:
            raw = opened.read()
        try:
            head, found, bad = read(raw)
        except ValueError as error:
            aside.append(SetAside("shared values", file["exhibit"], "malformed", f"{file['name']}: {error}"))
            received += 1
            continue
        received += len(found) + len(bad)
        aside += [SetAside("shared values", file["exhibit"], "malformed", f"{file['name']}, line {n}: {why}", row=n)
                  for n, why in bad]  # fmt: skip
        for one in found:
            if row := _row(one, ours.get((one.kind, one.value)), head, one.value in services):
                rows.setdefault(row["case_link"], {**row, "exhibit": file["exhibit"], "path": file["path"]})
    done = sorted(rows.values(), key=lambda row: (row["strength"], row["other_case"], row["kind"], row["case_link"]))
    tally = Tally("shared values", received, len(done), received - len(done) - len(aside))
    return Output({"case_links": TABLES["case_links"].rows(done)}, aside, [tally])


def _row(one: Shared, here: Mapping[str, Any] | None, head: Mapping[str, Any], service: bool) -> Row | None:
    """A link; None for what is common, or stands here no more."""
    if here is None or common(one, here, service):
        return None
    weak = list(_weak(one, here))
    name = head.get("reference") or head.get("title") or "?"
    near = f"near by PDQ, {one.distance} bits apart: " if one.kind == PICTURE else ""
    reason = f"{near}{here['what']} here, {one.their_what} there"
    against = "; ".join([AGAINST.get(one.kind, ""), *weak]).strip("; ")
    return {
        "case_link": make_id("caselink", str(head.get("key")), str(name), one.kind, one.value, one.their_value or ""),
        "other_case": str(name), "other_agency": head.get("agency"), "kind": one.kind, "value": one.value,
        "their_value": one.their_value, "distance": one.distance,
        "strength": WEAK if weak or one.kind in ALWAYS_WEAK else STRONG, "reason": reason, "against": against,
        "accounts": here["accounts"], "here": here["owners"], "there": one.there, "their_ids": one.their_ids,
        "row": one.row, "span_start": one.span_start, "span_length": one.span_length, "sources": here["ids"],
    }  # fmt: skip


def common(one: Shared, here: Mapping[str, Any], service: bool) -> str:
    """Why a value that both cases have says nothing; empty when it says something."""
    most = max(here["owners"], one.there)
    rules: dict[str, tuple[tuple[bool, str], ...]] = {
        "ip": ((not is_public(one.value), "is no address of the internet"),
               (most > MANY_ON_ONE_IP, "is shared by many")),
        "username": ((len(one.value) < SHORTEST_NAME or one.value in GENERIC, "is a name that many choose"),),
        "email": ((one.value.partition("@")[0] in MAILBOXES, "is a mailbox of an office"),),
        "bitcoin": ((service or one.service, "is an address of a service"),),
        "phone": ((len(one.value) < SHORTEST_PHONE, "is too short for a number"),),
        DEVICE: ((not tells(one.value), "is no serial number"),),
        LENS: ((not tells(one.value), "is no serial number"),),
    }  # fmt: skip
    return next((why for holds, why in rules.get(one.kind, ()) if holds), "")


def _weak(one: Shared, here: Mapping[str, Any]) -> Iterator[str]:
    """What makes a link weak, in words."""
    if max(here["owners"], one.there) > MANY:
        yield f"{here['owners']} here and {one.there} there have it"
    if one.kind in ("bitcoin", "email", "phone") and "in a file" in (here["what"], one.their_what):
        yield "on one side it only stands in a file"
    if one.kind == "media" and "on a list" in f"{here['what']} {one.their_what}":
        yield "it is on a list of known media: many have it"
