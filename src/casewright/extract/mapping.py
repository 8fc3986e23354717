"""The mapping: which table and columns of the seized service mean what. TOML that a person can read and correct.

    format = 1
    databases = ["*/site.sql"]  # optional: only items with such a path are the service's database; by default all are

    [accounts]                  # one section for each of our tables that the service's records fill
    table = "users"             # table of the dump
    native = "uid"              # column of the dump for each of our columns
    username = "nick"
    registered_at = "joined"

    [uploads]
    table = "files"
    account = "owner"           # refers to accounts.native
    time = "stored"

    [logs]                      # what logs say: `log_rules.py`

Times may be `YYYY-MM-DD hh:mm:ss` (with their own distance from UTC; or in `extract.assumed_zone`, or UTC in TIMESTAMP
columns of a dump that says it holds those in UTC) or Unix seconds, milli- or microseconds; each value says which.
Requests that were refused (status 400 and above) are neither sign-ins nor downloads. Tables of a dump's second database
are called `database.table`.
"""

import tomllib
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from casewright.extract.log_rules import LogRules, read_log_rules
from casewright.model.errors import Refused

FIELDS: Map[str, tuple[str, ...]] = {
    "accounts": ("native", "username", "email", "registered_at", "registered_ip"),
    "deposit_addresses": ("account", "address", "created_at"),
    "credits": ("account", "amount", "time", "txid", "address", "currency", "note"),
    "logins": ("account", "time", "ip", "agent", "ended_at"),
    "uploads": ("account", "time", "reference", "sha256", "md5", "ip"),
    "downloads": ("account", "time", "reference", "sha256", "md5", "ip"),
}
NEEDED: Map[str, tuple[str, ...]] = {
    "accounts": ("native",),
    "deposit_addresses": ("account", "address"),
    "credits": ("account", "amount"),
    "logins": ("account", "time"),
    "uploads": ("account", "reference"),
    "downloads": ("account", "reference"),
}
UNITS = ("BTC", "sat")
"""In which amounts of the service's ledger may stand."""


@dataclass(frozen=True)
class Source:
    """Where one of our tables comes from: the dump's table, and its column for each of ours.

    `unit` of credits: "BTC" or "sat"; empty: as the column's type says, whole numbers being satoshis.
    """

    table: str
    columns: Map[str, str]
    unit: str = ""


@dataclass(frozen=True)
class Mapping:
    """A whole mapping. `databases`: patterns of paths as in a shell; none: every database."""

    sources: Map[str, Source] = field(default_factory=dict)
    logs: LogRules = field(default_factory=LogRules)
    databases: tuple[str, ...] = ()

    def takes(self, name: str) -> bool:
        """Whether the item with this printable path is the service's database."""
        return not self.databases or any(fnmatchcase(name, pattern) for pattern in self.databases)


def read_mapping(raw: bytes, where: str) -> Mapping:
    """The mapping in these bytes. Raises Refused naming the line, section or column that makes no sense."""
    try:
        found = tomllib.loads(raw.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"{where}: is no mapping: {error}") from error
    if found.pop("format", None) != 1:
        raise Refused(f"{where}: needs the line: format = 1")
    logs = read_log_rules(found.pop("logs", {}), where)
    databases = found.pop("databases", [])
    if not isinstance(databases, list) or not all(isinstance(pattern, str) for pattern in databases):
        raise Refused(f"{where}: databases must be a list of paths, in quotes; * stands for anything.")
    sources = {name: _source(name, section, where) for name, section in found.items()}
    if sources and "accounts" not in sources:
        raise Refused(f"{where}: has no [accounts]; without accounts nothing can be joined.")
    return Mapping(sources, logs, tuple(databases))


def _source(name: str, section: Any, where: str) -> Source:
    if name not in FIELDS:
        raise Refused(f"{where}: there is no section [{name}]. Known: {', '.join(FIELDS)} and logs.")
    if not isinstance(section, dict) or not all(isinstance(v, str) for v in section.values()):
        raise Refused(f"{where} [{name}]: every value must be the name of a table or column, in quotes.")
    columns = dict(section)
    table = columns.pop("table", None)
    if not table:
        raise Refused(f'{where} [{name}]: needs the line: table = "..."')
    unit = columns.pop("unit", "") if name == "credits" else ""
    if unit not in ("", *UNITS):
        raise Refused(f"{where} [{name}]: unit is one of {', '.join(UNITS)}, not {unit!r}.")
    if unknown := columns.keys() - set(FIELDS[name]):
        raise Refused(
            f"{where} [{name}]: knows no column {', '.join(sorted(unknown))}. Known: {', '.join(FIELDS[name])}."
        )
    if missing := set(NEEDED[name]) - columns.keys():
        raise Refused(f"{where} [{name}]: needs the column {', '.join(sorted(missing))}.")
    return Source(table, columns, unit)
