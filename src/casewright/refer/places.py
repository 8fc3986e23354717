"""Which country an address was assigned to, by an offline table; or why it locates nobody.

The table is that of the package iptocc: the statistics that the five regional registries (AfriNIC, APNIC, ARIN, LACNIC,
RIPE NCC) publish for everybody, gathered each night. It says to whom a range is assigned now, which is not who used it,
nor where, nor whether it was assigned to them then.
"""

import json
from collections.abc import Sequence
from functools import cache
from importlib.metadata import distribution

import iptocc
import pyarrow as pa

from casewright.model.networks import NO_ADDRESS, Networks, Packed, packed, special_kinds, written
from casewright.refer.countries import UNRESOLVED, country_of

SBOM = "cyclonedx.json"
UNASSIGNED = "assigned to no country"
PLACES = pa.schema([("ip", pa.string()), ("address", pa.string()), ("country", pa.string()), ("hides", pa.string()),
                    ("many", pa.bool_())])  # fmt: skip


@cache
def country_table() -> str:
    """Which table of countries is used, and the day on which it was put together, in words that packages print."""
    package = distribution("iptocc")
    parts = [json.loads(f.read_text()) for f in package.files or () if f.name.endswith(SBOM)]
    built = parts[0]["metadata"]["timestamp"][:10] if parts else "an unknown day"
    return f"iptocc {package.version}, put together on {built} from the statistics of the five regional registries"


def places(texts: Sequence[str]) -> tuple[pa.Table, Packed]:
    """A row for each text: `ip`, the address in its one form, the country that it was assigned to, or else why it
    locates nobody, and whether strangers have the same one. Beside it the addresses as bytes, in the same order."""
    found, good = packed(texts)
    addresses = written(found)
    kinds, many = special_kinds(found)
    countries = [country_of(code) for code in iptocc.country_code(addresses)]
    hides = [NO_ADDRESS if not fine else kind or (UNASSIGNED if country == UNRESOLVED else None)
             for fine, kind, country in zip(good.tolist(), kinds, countries, strict=True)]  # fmt: skip
    columns = (
        texts,
        [address if fine else None for address, fine in zip(addresses, good.tolist(), strict=True)],
        [None if hide else country for hide, country in zip(hides, countries, strict=True)],
        hides,
        [shared or not fine for shared, fine in zip(many, good.tolist(), strict=True)],
    )
    return pa.table([pa.array(c, t) for c, t in zip(columns, PLACES.types, strict=True)], PLACES), found


def hidden(texts: Sequence[str], addresses: Packed, given: pa.Table) -> pa.Table:
    """Pairs of a text and a row of `not_locating` whose network holds its address: `ip`, `net`, `kind`, `since`,
    `until`."""
    which, rows = Networks(given.column("network").to_pylist()).holding(addresses)
    taken = given.take(pa.array(rows))
    ips = pa.array(texts, pa.string()).take(pa.array(which))
    return pa.table({"ip": ips, "net": taken.column("id"), **{n: taken.column(n) for n in ("kind", "since", "until")}})
